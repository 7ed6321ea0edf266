//! All answers of a connection.

use answers::Response;

/// The start of a greeting. No answer's head starts with it.
const GREETING: &[u8] = b"Hello, visitor! You've requested: ";

/// The statuses of answers to requests that break the rules, after which the connection is closed.
const REJECTIONS: [u16; 7] = [400, 408, 413, 414, 417, 431, 505];

/// Whole answers, and whether the connection closes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// All answers except `100 Continue`, which is omitted when the body has begun to arrive.
    pub(super) answers: Vec<Response>,
}

impl Outcome {
    /// Reads `output`, which must be whole answers, of which only the last closes the connection.
    pub(super) fn read(mut output: &[u8]) -> Self {
        let mut answers: Vec<Response> = Vec::new();
        let mut continues = false;
        while !output.is_empty() {
            // An answer to HEAD is followed by another answer or the end, and never by a greeting.
            let head = whole(output, true).1;
            let (answer, length) = whole(output, !output[head..].starts_with(GREETING));
            assert!(!answers.last().is_some_and(Response::closes), "an answer after the last one");
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

    /// Whether the last answer closes the connection.
    pub(super) fn closes(&self) -> bool {
        self.answers.last().is_some_and(Response::closes)
    }

    /// Returns the status of the last answer, if it rejects a request.
    pub(super) fn rejection(&self) -> Option<u16> {
        self.answers.last().map(|answer| answer.status).filter(|status| REJECTIONS.contains(status))
    }

    /// Returns the number of requests that were answered and not rejected.
    pub(super) fn answered(&self) -> usize {
        self.answers.len() - usize::from(self.rejection().is_some())
    }
}

/// Returns the answer at the start of `output`, without its date, which differs between runs, and
/// the length of the answer.
pub(super) fn whole(output: &[u8], head_only: bool) -> (Response, usize) {
    let (mut answer, length) = answers::parse(output, head_only, false).unwrap().expect("a whole answer");
    // RFC 9110, section 6.6.1: a server with a clock sends a date, except in interim answers.
    let is_dated = answer.field("date").is_some_and(answers::is_imf_fixdate);
    assert_eq!(is_dated, !answer.is_interim(), "{answer:?}");
    answer.fields.retain(|(name, _)| name != "date");
    (answer, length)
}

fn check(answer: &Response) {
    match answer.status {
        200 => {
            assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
            assert!(answer.field("content-length").is_some(), "{answer:?}");
            let is_greeting = answer.body.starts_with(GREETING)
                && answer.body.iter().position(|byte| *byte == b'\n') == Some(answer.body.len() - 1);
            assert!(answer.body.is_empty() || is_greeting, "{answer:?}");
        }
        405 => assert_eq!(answer.field("allow"), Some("GET, HEAD")),
        status => assert!(REJECTIONS.contains(&status) && answer.closes(), "{answer:?}"),
    }
    assert!(answer.status == 200 || answer.field("content-length") == Some("0"), "{answer:?}");
}
