//! Faults by injection: `bench measure` with the real `visit` against servers that go wrong in the middle of a run. What
//! went wrong has to be told, and no figure may pass for that of a server that did right.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

mod mock;

use bench::record::{Bound, ErrorKind, Record};

use mock::Checkout;

/// It goes by count, so that every fault is met on a slow machine too.
const SUITE: &str = r#"
about = "mock"
repetitions = 1
[[workload]]
name = "load"
title = "load"
path = "/abc"
answer = "Hello, visitor! You've requested: /abc\n"
tool = "visit"
connections = 20
requests = 3000
mode = "keep-alive"
warm_up_seconds = 0
timeout_seconds = 10
"#;

/// Measures a mock server once: its only record, and what was printed.
fn measure(server: &str) -> (Record, String) {
    let checkout = Checkout::new(&[server], SUITE);
    let (_, text) = checkout.run("measure mock --out out");
    checkout.assert_nothing_runs();
    let mut records = checkout.records();
    assert_eq!(records.len(), 1, "{server}: {text}");
    (records.remove(0), text)
}

#[test]
fn a_server_without_a_fault_is_valid() {
    let (record, text) = measure("good");
    assert_eq!((record.load.as_ref().unwrap().answered, record.error_count()), (3000, 0), "{text}");
    assert!(!text.contains("invalid"), "{text}");
}

#[test]
fn what_goes_wrong_in_the_middle_leaves_no_figures() {
    let cases = [
        ("expires", ErrorKind::Died, "ended with exit status: 3: killed by the test"),
        ("turns", ErrorKind::WrongAnswer, "an answer was wrong under load"),
    ];
    for (server, kind, message) in cases {
        let (record, text) = measure(server);
        assert!(record.load.is_none() && record.verdict.is_none(), "{server}: {text}");
        let failure = record.error.unwrap();
        assert_eq!(failure.kind, kind, "{server}: {text}");
        assert!(failure.message.contains(message), "{server}: {text}");
        assert!(text.contains(message), "{server} is missing in the report: {text}");
    }
}

#[test]
fn requests_that_are_not_answered_rightly_make_a_run_invalid() {
    let cases = [
        ("capped", "capped: errors: "),
        // One of the 3,001 is the harness's own, before the load.
        ("busy", "busy: errors: 3 × status 503"),
    ];
    for (server, note) in cases {
        let (record, text) = measure(server);
        assert!(record.error_count() > 0, "{server}: {text}");
        assert_eq!(record.verdict.unwrap().bound, Bound::Invalid, "{server}: {text}");
        for said in ["invalid", note] {
            assert!(text.contains(said), "{server}: `{said}` is missing in the report: {text}");
        }
    }
}
