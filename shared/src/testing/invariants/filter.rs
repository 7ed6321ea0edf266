//! The law of the filter in front of a framework.

use super::outcome::Outcome;
use crate::http::{Next, RequestFilter};

/// The filter lets a framework see those requests that a connection answers, and refuses what a connection refuses.
pub(super) fn agrees(bytes: &[u8], outcome: &Outcome) {
    let mut filter = RequestFilter::default();
    let (mut start, mut passed) = (0, 0);
    let next = loop {
        let admitted = filter.admit(&bytes[start..]);
        start += admitted.bytes;
        passed += admitted.requests;
        match admitted.next {
            Next::Answer => assert!(admitted.bytes > 0, "it stands still"),
            next => break next,
        }
    };
    // Of a body that has not come to its end the framework has not answered the request.
    let answered = passed - usize::from(filter.is_in_body());
    assert_eq!(answered, outcome.answered(), "requests that pass: {outcome:?}");
    let rejection = if let Next::Reject(rejection) = next { Some(rejection.status().0) } else { None };
    assert_eq!(rejection, outcome.rejection(), "{outcome:?}");
    assert_eq!(next != Next::Input, outcome.closes(), "{next:?}: {outcome:?}");
}
