//! The protocol of one connection, without input or output: bytes in, bytes out.

use super::answer::{self, After};
use super::body::Discard;
use super::rules::Refusal;
use super::{date, head};

/// Answers that have gathered beyond this are handed on before more are made, so that a client that pipelines and never
/// reads holds some tens of kilobytes and no more. One answer can be a target's limit longer.
const OUTPUT_MARK: usize = 16 * 1024;

/// One connection: what it has read, as far as that matters for what comes.
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
    Body { rest: Discard, answer: Vec<u8>, after: After },
    /// After an answer that closes. What comes now is not read as a request.
    Over,
}

/// What came of a call to [`Connection::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// Requests that were answered.
    pub answered: usize,
    /// What the connection wants next, after its output has been written.
    pub wants: Wants,
}

/// What a connection wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// More input, after what was left of this one.
    Input,
    /// To be called again with what was left of this input: there was too much output for one call.
    Flush,
    /// To be closed.
    Close,
}

impl Connection {
    /// Reads requests from `input` and appends their answers to `output`. When the server is `draining`, the answer to
    /// the last request in `input` closes the connection.
    ///
    /// However the bytes are split over calls, the answers are the same. What was not consumed has to come again.
    pub fn advance(&mut self, input: &[u8], output: &mut Vec<u8>, draining: bool) -> Progress {
        let date = date::now();
        let mut progress = Progress { consumed: 0, answered: 0, wants: Wants::Input };
        while let Some(rest) = input.get(progress.consumed..) {
            if matches!(self.state, State::Over) {
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
                Err(refusal) => {
                    answer::write_refusal(refusal, &date, output);
                    self.state = State::Over;
                }
            }
        }
        progress
    }

    /// Appends 408 when the connection waits for the rest of a request, and ends it.
    pub fn time_out(&mut self, output: &mut Vec<u8>) {
        answer::write_refusal(Refusal::TooSlow, &date::now(), output);
        self.state = State::Over;
    }

    /// Whether a body is being read.
    pub fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body { .. })
    }

    /// Takes one head with what is there of its body, or one more piece of a body.
    fn step(
        &mut self,
        input: &[u8],
        date: &[u8; date::LEN],
        output: &mut Vec<u8>,
        draining: bool,
    ) -> Result<Step, Refusal> {
        if let State::Body { rest, answer, after } = &mut self.state {
            let consumed = rest.take(input)?;
            let answered = rest.is_done();
            if answered {
                output.append(answer);
                self.state = Self::after(*after);
            }
            return Ok(Step { consumed, answered });
        }
        let Some((request, head)) = head::parse(input)? else {
            return Ok(Step { consumed: 0, answered: false });
        };
        let mut body = Discard::new(request.framing);
        let input = input.get(head..).unwrap_or_default();
        let taken = body.take(input)?;
        let after = After::request(&request, draining && taken == input.len());
        if body.is_done() {
            answer::write(&request, after, date, output);
            self.state = Self::after(after);
        } else {
            if request.expects_continue && taken == 0 {
                answer::write_continue(output);
            }
            let mut answer = Vec::new();
            answer::write(&request, after, date, &mut answer);
            self.state = State::Body { rest: body, answer, after };
        }
        Ok(Step { consumed: head + taken, answered: body.is_done() })
    }

    fn after(after: After) -> State {
        if after == After::Close { State::Over } else { State::Head }
    }
}

struct Step {
    consumed: usize,
    answered: bool,
}
