//! All answers of a connection.

use super::answers::{self, Answer};

/// The start of a greeting, and of no answer's head.
const GREETING: &[u8] = b"Hello, visitor! You've requested: ";

/// The statuses of answers to requests that break the rules, after which the connection is closed.
const REJECTIONS: [u16; 7] = [400, 408, 413, 414, 417, 431, 505];

/// Whole answers, and whether the connection closes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// All but `100 Continue`, which is omitted where the body is already there.
    pub(super) answers: Vec<Answer>,
}

impl Outcome {
    /// Reads `output`, which has to be whole answers and nothing else, and only the last may close.
    pub(super) fn read(mut output: &[u8]) -> Self {
        let mut answers: Vec<Answer> = Vec::new();
        let mut continues = false;
        while !output.is_empty() {
            // After an answer to HEAD comes another one or the end, and neither is a greeting.
            let read =
                answers::read(output, |answer, rest| answer.status != 200 || rest.starts_with(GREETING));
            let (answer, length) = read.unwrap().expect("a whole answer");
            assert!(!answers.last().is_some_and(Answer::closes), "an answer after the last one");
            output = &output[length..];
            if answer.is_interim() {
                assert!(answer.status == 100 && answer.fields.is_empty() && !continues, "{answer:?}");
                continues = true;
            } else {
                check(&answer);
                continues = false;
                answers.push(answer);
            }
        }
        Self { answers }
    }

    /// Whether the last answer closes.
    pub(super) fn closes(&self) -> bool {
        self.answers.last().is_some_and(Answer::closes)
    }

    /// The status of the last answer, when that rejects a request.
    pub(super) fn rejection(&self) -> Option<u16> {
        self.answers.last().map(|answer| answer.status).filter(|status| REJECTIONS.contains(status))
    }

    /// Requests that were answered and not rejected.
    pub(super) fn answered(&self) -> usize {
        self.answers.len() - usize::from(self.rejection().is_some())
    }
}

/// Checks one answer.
fn check(answer: &Answer) {
    match answer.status {
        200 => {
            assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
            let is_greeting = answer.body.starts_with(GREETING)
                && answer.body.iter().position(|byte| *byte == b'\n') == Some(answer.body.len() - 1);
            assert!(answer.body.is_empty() || is_greeting, "{answer:?}");
        }
        405 => assert_eq!(answer.field("allow"), Some("GET, HEAD")),
        status => assert!(REJECTIONS.contains(&status) && answer.closes(), "{answer:?}"),
    }
    assert!(answer.status == 200 || answer.field("content-length") == Some("0"), "{answer:?}");
}
