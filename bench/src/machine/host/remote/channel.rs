//! The harness's end of the channel to a helper: questions go out, replies come back, and either side
//! notices within seconds when the other is gone.

use std::collections::HashMap;
use std::io::Write;
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::protocol::{Ask, BEAT_SECONDS, Question, Reply, SILENCE_SECONDS};
use crate::machine::host::local_process::LocalProcess;
use crate::machine::host::process::{Line, Operations};
use crate::machine::host::started::LAST_WORDS;

/// How long a reply may take beyond the time that its question says: a host that is busy with a load
/// replies within some milliseconds.
const SLACK: Duration = Duration::from_secs(20);

/// A channel to a helper. Dropping it closes the helper's standard input, which ends the helper.
pub(super) struct Channel {
    /// Lines to send; dropped to end the helper.
    lines: Mutex<Option<Sender<String>>>,
    open: Arc<Mutex<Open>>,
    /// The thread that reads replies. Returns whether the process has ended by itself.
    reader: Mutex<Option<std::thread::JoinHandle<bool>>>,
}

/// The questions that wait for a reply, or why no reply will come.
enum Open {
    Waiting { next: u64, replies: HashMap<u64, Sender<Result<Value, String>>> },
    Lost(String),
}

impl Channel {
    /// Takes over a process whose helper has said hello.
    pub(super) fn new(process: LocalProcess, input: ChildStdin) -> Self {
        let open = Arc::new(Mutex::new(Open::Waiting { next: 0, replies: HashMap::new() }));
        let (lines, to_send) = channel::<String>();
        std::thread::spawn(move || {
            let mut input = input;
            loop {
                let line = match to_send.recv_timeout(Duration::from_secs(BEAT_SECONDS)) {
                    Ok(line) => line + "\n",
                    Err(RecvTimeoutError::Timeout) => "\n".to_owned(),
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                // An error means that the process has ended, which the reader of its output
                // notices.
                if input.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        });
        let read = {
            let open = Arc::clone(&open);
            move || read(process, &open)
        };
        let reader = Mutex::new(Some(std::thread::spawn(read)));
        Self { lines: Mutex::new(Some(lines)), open, reader }
    }

    /// Asks a question whose reply takes at most `within`, and some more. Fails if the reply is an
    /// error, or if the channel is lost.
    pub(super) fn ask<T: DeserializeOwned>(&self, ask: Ask, within: Duration) -> anyhow::Result<T> {
        let (send, reply) = channel();
        let number = match &mut *self.open.lock() {
            Open::Lost(why) => bail!("{why}"),
            Open::Waiting { next, replies } => {
                *next += 1;
                replies.insert(*next, send);
                *next
            }
        };
        let line = serde_json::to_string(&Question { number, ask }).context("cannot write a question")?;
        if let Some(lines) = &*self.lines.lock() {
            // The wait for the reply, below, notices if the writer has ended.
            let _ = lines.send(line);
        }
        match reply.recv_timeout(within + SLACK) {
            Ok(Ok(value)) => {
                serde_json::from_value(value).context("the helper's reply is of another question")
            }
            Ok(Err(message)) => Err(anyhow!(message)),
            Err(RecvTimeoutError::Timeout) => {
                let why = format!("the helper did not reply within {} s", (within + SLACK).as_secs());
                lose(&self.open, why.clone());
                bail!(why)
            }
            Err(RecvTimeoutError::Disconnected) => bail!("{}", self.lost().unwrap_or_default()),
        }
    }

    /// Returns why no reply will come any more; `None` while the channel is open.
    pub(super) fn lost(&self) -> Option<String> {
        match &*self.open.lock() {
            Open::Lost(why) => Some(why.clone()),
            Open::Waiting { .. } => None,
        }
    }

    /// Closes the helper's standard input, and waits until the helper has ended. Returns whether it
    /// has: a helper that was lost before, or is silent, may still run.
    pub(super) fn close(&self) -> bool {
        *self.lines.lock() = None;
        let reader = self.reader.lock().take();
        self.lost().is_none() && reader.is_some_and(|reader| reader.join().unwrap_or_default())
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.close();
    }
}

/// Passes replies to the threads that wait for them, until the process ends, is silent for too
/// long, or sends a line that is not a reply. Returns whether the process has ended.
fn read(mut process: LocalProcess, open: &Mutex<Open>) -> bool {
    let silence = Duration::from_secs(SILENCE_SECONDS);
    let mut heard = Instant::now();
    let mut has_ended = false;
    let why = loop {
        match process.next_line(silence.saturating_sub(heard.elapsed())) {
            Ok(Line::Printed(line)) => {
                heard = Instant::now();
                if line.is_empty() {
                    continue;
                }
                let Ok(reply) = serde_json::from_str::<Reply>(&line) else {
                    break format!(
                        "the helper sent a line that is no reply: {}",
                        line.chars().take(80).collect::<String>()
                    );
                };
                let Open::Waiting { replies, .. } = &mut *open.lock() else { break String::new() };
                let Some(waiting) = replies.remove(&reply.number) else {
                    break format!("the helper replied to question {}, which it was not asked", reply.number);
                };
                // The thread that asked may have given up.
                let _ = waiting.send(reply.reply);
            }
            Ok(Line::TimedOut) => break format!("nothing was heard of it for {SILENCE_SECONDS} s"),
            Ok(Line::Closed) | Err(_) => {
                let why;
                (has_ended, why) = ended(&mut process);
                break why;
            }
        }
    };
    lose(open, why);
    // Dropping `process` ends `ssh` if it still runs.
    has_ended
}

/// Returns whether the helper, and `ssh` with it, has ended without an error, and how it ended,
/// with its last words, which may come after the end of the output.
fn ended(process: &mut LocalProcess) -> (bool, String) {
    process.wait(LAST_WORDS);
    match process.end() {
        Ok(ended) => {
            let how = format!("the channel to it has ended ({}){}", ended.status, ended.last_words());
            (ended.status.success(), how)
        }
        Err(error) => (false, format!("the channel to it has ended: {error:#}")),
    }
}

/// Marks the channel as lost, which ends all waits for replies. The first reason is kept.
fn lose(open: &Mutex<Open>, why: String) {
    let mut open = open.lock();
    if matches!(*open, Open::Waiting { .. }) {
        *open = Open::Lost(why);
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::machine::host::Launch;
    use crate::machine::host::local::Local;

    #[test]
    fn a_helper_has_ended_if_the_end_of_its_input_ended_it_without_an_error() {
        let local = Local::new(PathBuf::new(), None).unwrap();
        let close = |script: &str| {
            let words = ["sh", "-c", script].map(str::to_owned);
            let (_, mut process) = local.start(&Launch::new(&words, Path::new("/")).commanded()).unwrap();
            let input = process.take_input().unwrap();
            Channel::new(process, input).close()
        };
        assert!(close("cat >/dev/null"));
        assert!(!close("cat >/dev/null; exit 255"), "ssh has lost the host");
        assert!(!close("cat >/dev/null; echo no reply; exec sleep 100"), "it still runs");
    }
}
