//! Faults of the channel to a host. A mock `ssh`, beside this file, runs the helper on this machine
//! and spoils a line of its output. Each fault ends in one clear error, and leaves nothing running.
//! The tests need no root.

use std::thread;

use crate::mock::{suite, text, workload};
use crate::testbed::{await_nothing_of, checkout, mock_ssh};

/// The fault and its place, as arguments of the mock `ssh`, and the end of the error.
const WHILE_CONNECTING: [(&str, &str); 7] = [
    // For a machine of another kind the harness builds the checkout. The mock of cargo does not
    // know that command.
    ("machine shell", "'build', '--quiet', '--release', '--package', 'visit']"),
    ("cut shell", "it cannot be reached: ssh ended with exit status: 255"),
    ("ends shell", "it cannot be reached: ssh ended with exit status: 255: Connection closed by the test"),
    ("silence shell", "it did not answer within 30 s"),
    ("cut helper", "it cannot be reached: ssh ended with exit status: 255"),
    ("ends helper", "it cannot be reached: ssh ended with exit status: 255: Connection closed by the test"),
    ("silence helper", "it did not answer within 30 s"),
];

/// The faults of a reply, and the end of the error. The place is the name of the question.
const REPLIES: [(&str, &str); 6] = [
    ("cut", "the channel to it has ended (exit status: 255)"),
    ("ends", "the channel to it has ended (exit status: 255): Connection closed by the test"),
    ("garbage", "the helper sent a line that is no reply: \\u001b[31mno such thing"),
    ("other", "the helper replied to question 4000, which it was not asked"),
    ("twice", "which it was not asked"),
    ("silence", "nothing was heard of it for 10 s"),
];

/// The questions whose replies have a fault: the files that are missing on the host (asked for
/// `visit` while connecting), a start, and the next line that the server prints.
const QUESTIONS: [&str; 3] = ["Missing", "Start", "NextLine"];

/// All faults are tested at once, since most of the time is spent waiting.
#[test]
fn a_channel_that_is_spoilt_is_one_clear_error() {
    let checkout = checkout(&["tidy"], &suite(&[workload("load")]));
    let check = |fault: &str, code: i32, expected: &str| {
        let mut bench = checkout.bench("verify tidy --only endpoint/path --server-host there");
        let bench = bench.args(["--ssh", &mock_ssh(fault)]).spawn().unwrap();
        let pid = bench.id();
        let output = bench.wait_with_output().unwrap();
        let text = text(&output);
        assert_eq!(output.status.code(), Some(code), "{fault}: {text}");
        let told: Vec<&str> = text.lines().filter(|line| line.contains("host there: ")).collect();
        assert_eq!(told.len(), usize::from(code != 0), "{fault}: {text}");
        assert!(told.iter().all(|line| line.ends_with(expected)), "{fault}: {text}");
        await_nothing_of(fault, pid);
    };
    // Copies the helper to the host.
    check("nothing nowhere", 0, "");
    let replies = QUESTIONS.iter().flat_map(|question| {
        REPLIES.iter().map(move |(fault, expected)| (format!("{fault} {question}"), *expected))
    });
    let connecting = WHILE_CONNECTING.iter().map(|(fault, expected)| ((*fault).to_owned(), *expected));
    thread::scope(|scope| {
        for (fault, expected) in connecting.chain(replies) {
            scope.spawn(move || check(&fault, 1, expected));
        }
    });
    checkout.assert_nothing_runs();
}
