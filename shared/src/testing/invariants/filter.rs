//! The invariant of the filter in front of a framework.

use super::outcome::Outcome;
use crate::http::{Next, RequestFilter};

/// The filter admits the requests that a connection answers, and rejects what a connection rejects.
pub(super) fn agrees(bytes: &[u8], outcome: &Outcome) {
    let mut filter = RequestFilter::default();
    let (mut start, mut requests) = (0, 0);
    let next = loop {
        let admitted = filter.admit(&bytes[start..]);
        start += admitted.bytes;
        requests += admitted.requests;
        match admitted.next {
            Next::Answer => assert!(admitted.bytes > 0, "no progress"),
            next => break next,
        }
    };
    // A request whose body is not complete is not answered.
    let answered = requests - usize::from(filter.is_in_body());
    assert_eq!(answered, outcome.answered(), "admitted requests: {outcome:?}");
    let rejection = if let Next::Reject(rejection) = next { Some(rejection.status().0) } else { None };
    assert_eq!(rejection, outcome.rejection(), "{outcome:?}");
    assert_eq!(next != Next::Input, outcome.closes(), "{next:?}: {outcome:?}");
}
