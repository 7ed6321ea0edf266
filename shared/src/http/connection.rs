//! The protocol of one connection, without input or output: bytes in, bytes out.

use super::answer::{self, Persistence};
use super::body::BodySkipper;
use super::rules::{Framing, Rejection};
use super::{date, head};

/// The size in bytes at which the output is written before more answers are made. For a client that
/// pipelines and never reads, a server thus holds no more than some tens of kilobytes. One answer
/// may exceed it by the limit of a target.
const OUTPUT_MARK: usize = 16 * 1024;

/// The state of one connection: its position in a request, and whether it has closed.
#[derive(Debug, Default)]
pub struct Connection {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// At the start of a head, or within one.
    #[default]
    Head,
    /// Within a body; the answer follows once it has been read.
    Body { rest: BodySkipper, answer: Vec<u8>, persistence: Persistence },
    /// After an answer that closes the connection. Further input is not read as a request.
    Closed,
    /// After the answer to a request that broke a rule or took too long. It closes the connection.
    Rejected,
}

/// The result of [`Connection::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input that are not needed again.
    pub consumed: usize,
    /// Requests that were answered.
    pub answered: usize,
    /// The next action of the caller, after it has written the output.
    pub wants: Wants,
}

/// The next action of a connection's caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Reads more input, and appends it to the unconsumed input.
    Input,
    /// Calls again with the unconsumed input: there was too much output for one call.
    Flush,
    /// Closes the connection.
    Close,
}

impl Connection {
    /// Reads requests from `input` and appends their answers to `output`. When the server is
    /// `draining`, the answer to the last request in `input` closes the connection.
    ///
    /// The answers do not depend on how the bytes are split over calls, except for `100 Continue`,
    /// which is omitted when the body has begun to arrive. Unconsumed input has to be passed again.
    pub fn advance(&mut self, input: &[u8], output: &mut Vec<u8>, draining: bool) -> Progress {
        let date = date::now();
        let mut progress = Progress { consumed: 0, answered: 0, wants: Wants::Input };
        while let Some(rest) = input.get(progress.consumed..) {
            if matches!(self.state, State::Closed | State::Rejected) {
                progress.wants = Wants::Close;
                break;
            }
            if output.len() >= OUTPUT_MARK {
                progress.wants = Wants::Flush;
                break;
            }
            if rest.is_empty() {
                break;
            }
            match self.step(rest, &date, output, draining) {
                Ok(Step { consumed: 0, .. }) => break,
                Ok(step) => {
                    progress.consumed += step.consumed;
                    progress.answered += usize::from(step.answered);
                }
                Err(rejection) => {
                    answer::write_rejection(rejection, &date, output);
                    self.state = State::Rejected;
                }
            }
        }
        progress
    }

    /// Answers 408 on a connection that waits for the rest of a request, and closes it.
    pub fn time_out(&mut self, output: &mut Vec<u8>) {
        answer::write_rejection(Rejection::TooSlow, &date::now(), output);
        self.state = State::Rejected;
    }

    /// Whether a body is being read.
    pub fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body { .. })
    }

    /// Whether the last answer rejected a request, so that more input may be on its way.
    pub fn has_rejected(&self) -> bool {
        matches!(self.state, State::Rejected)
    }

    /// Consumes one head and the part of its body that is in `input`, or one more piece of a body.
    fn step(
        &mut self,
        input: &[u8],
        date: &[u8; date::LEN],
        output: &mut Vec<u8>,
        draining: bool,
    ) -> Result<Step, Rejection> {
        if let State::Body { rest, answer, persistence } = &mut self.state {
            let consumed = rest.skip(input)?;
            let answered = rest.is_done();
            if answered {
                output.append(answer);
                self.state = State::after(*persistence);
            }
            return Ok(Step { consumed, answered });
        }
        let Some((request, head)) = head::parse(input)? else {
            return Ok(Step { consumed: 0, answered: false });
        };
        let input = input.get(head..).unwrap_or_default();
        let mut body = (request.framing != Framing::None).then(|| BodySkipper::new(request.framing));
        let skipped = body.as_mut().map_or(Ok(0), |body| body.skip(input))?;
        let persistence = Persistence::after(&request, draining && skipped == input.len());
        let Some(rest) = body.filter(|body| !body.is_done()) else {
            answer::write(&request, persistence, date, output);
            self.state = State::after(persistence);
            return Ok(Step { consumed: head + skipped, answered: true });
        };
        if request.expects_continue && skipped == 0 {
            answer::write_continue(output);
        }
        let mut answer = Vec::new();
        answer::write(&request, persistence, date, &mut answer);
        self.state = State::Body { rest, answer, persistence };
        Ok(Step { consumed: head + skipped, answered: false })
    }
}

impl State {
    fn after(persistence: Persistence) -> Self {
        if persistence == Persistence::Close { Self::Closed } else { Self::Head }
    }
}

struct Step {
    consumed: usize,
    answered: bool,
}

#[cfg(test)]
mod tests {
    use super::super::limits;
    use super::*;

    /// Returns the answers to `input` in two pieces, without dates, and the last [`Wants`].
    fn exchange(input: &[u8], split: usize) -> (String, Wants) {
        let mut connection = Connection::default();
        let mut output = Vec::new();
        let mut unread = Vec::new();
        let mut wants = Wants::Input;
        for piece in [&input[..split], &input[split..]] {
            unread.extend_from_slice(piece);
            loop {
                let progress = connection.advance(&unread, &mut output, false);
                unread.drain(..progress.consumed);
                wants = progress.wants;
                if wants != Wants::Flush {
                    break;
                }
                assert!(output.len() < OUTPUT_MARK + 2 * 8192, "bounded");
                output.truncate(0);
            }
        }
        let text = String::from_utf8(output).unwrap();
        let lines = text.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: "));
        (lines.collect(), wants)
    }

    fn statuses(output: &str) -> Vec<&str> {
        output.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect()
    }

    fn check_every_split(input: &str, expected: &[&str], wants: Wants) {
        let whole = exchange(input.as_bytes(), input.len());
        assert_eq!((statuses(&whole.0).as_slice(), whole.1), (expected, wants), "{input:?}");
        // The input is split at every byte, and long input at some hundreds of places.
        for split in (0..input.len()).step_by(1 + input.len() / 512) {
            assert_eq!(exchange(input.as_bytes(), split), whole, "{input:?} split at {split}");
        }
    }

    #[test]
    fn the_answers_do_not_depend_on_how_the_bytes_are_split() {
        let get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        let sized = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
        let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let cases: [(&[&str], &[&str], Wants); 9] = [
            (&[], &[], Wants::Input),
            (&["\r\n", get], &["200"], Wants::Input),
            (&[get, "HEAD /b HTTP/1.1\r\nHost: h\r\n\r\nGET "], &["200", "200"], Wants::Input),
            (&["GET /a HTTP/1.0\r\n\r\n", get], &["200"], Wants::Close),
            (&[sized, "helloGET / HTTP/1.1\r\n\r\n"], &["405", "400"], Wants::Close),
            (&[sized, "hell"], &[], Wants::Input),
            (&[chunked, "3;x\r\nabc\r\n0\r\nA: b\r\n\r\nGET /"], &["405"], Wants::Input),
            (&[chunked, "3\r\nabcd\r\n"], &["400"], Wants::Close),
            (&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], &["505"], Wants::Close),
        ];
        for (input, expected, wants) in cases {
            check_every_split(&input.concat(), expected, wants);
        }
    }

    #[test]
    fn the_first_of_several_faults_decides() {
        let fields = "X: y\r\n".repeat(limits::HEAD_FIELDS);
        let filler = "x".repeat(limits::HEAD_BYTES);
        let cases = [
            ("GET /a HTTP/1.1\nHost: h\n\n", "400"),
            ("GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", "400"),
            ("GET /a HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", "400"),
            ("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400"),
            ("GET /a HTTP/1.12\r\nHost: h\r\n\r\n", "400"),
            (&format!("GET / HTTP/1.1\r\nA: b\r\n{fields}C\n"), "431"),
            (&format!("GET / HTTP/1.1\r\nA: b\n{fields}\r\n"), "400"),
            (&format!("GET / HTTP/1.1\r\nA: b\r\n{filler}\n"), "431"),
            (&format!("GET / HTTP/1.1\r\nA: b\n{filler}"), "400"),
            ("\r\nGET / HTTP/2.0\r\nA: b\n", "505"),
            ("\nGET / HTTP/2.0\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nA: b\n\r\n", "400"),
        ];
        for (input, expected) in cases {
            check_every_split(input, &[expected], Wants::Close);
        }
    }

    #[test]
    fn a_body_is_requested_by_100_continue() {
        let mut connection = Connection::default();
        let mut output = Vec::new();
        let head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
        let progress = connection.advance(head, &mut output, false);
        assert_eq!(
            (progress.consumed, output.as_slice()),
            (head.len(), &b"HTTP/1.1 100 Continue\r\n\r\n"[..])
        );
        assert!(connection.is_in_body());
        connection.advance(b"abc", &mut output, false);
        assert_eq!(statuses(&String::from_utf8(output).unwrap()), ["100", "405"]);
    }

    #[test]
    fn draining_closes_after_the_last_request_in_the_input() {
        let mut output = Vec::new();
        let input = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3);
        let progress = Connection::default().advance(&input, &mut output, true);
        let output = String::from_utf8(output).unwrap();
        assert_eq!((progress.answered, progress.wants), (3, Wants::Close));
        assert_eq!(output.matches("Connection: close").count(), 1);
    }

    #[test]
    fn output_is_bounded_whatever_is_pipelined() {
        let input = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n".repeat(10_000);
        let mut output = Vec::new();
        let progress = Connection::default().advance(&input, &mut output, false);
        assert_eq!(progress.wants, Wants::Flush);
        assert!(output.len() < OUTPUT_MARK + 1024);
    }
}
