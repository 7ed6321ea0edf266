//! The law of the gate in front of a framework.

use super::outcome::Outcome;
use crate::http::{Gate, Then};

/// The gate lets a framework see those requests that a connection answers, and refuses what a connection refuses.
pub(super) fn agrees(bytes: &[u8], outcome: &Outcome) {
    let mut gate = Gate::default();
    let (mut start, mut passed) = (0, 0);
    let then = loop {
        let passage = gate.admit(&bytes[start..]);
        start += passage.bytes;
        passed += passage.requests;
        match passage.then {
            Then::Answer => assert!(passage.bytes > 0, "it stands still"),
            then => break then,
        }
    };
    // Of a body that has not come to its end the framework has not answered the request.
    let answered = passed - usize::from(gate.is_in_body());
    assert_eq!(answered, outcome.answered(), "requests that pass: {outcome:?}");
    let refusal = if let Then::Refuse(refusal) = then { Some(refusal.status().0) } else { None };
    assert_eq!(refusal, outcome.refusal(), "{outcome:?}");
    assert_eq!(then != Then::Input, outcome.closes(), "{then:?}: {outcome:?}");
}
