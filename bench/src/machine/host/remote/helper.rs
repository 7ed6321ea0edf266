//! The helper, `bench host`, which runs on another host and answers the lines on its standard
//! input.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use super::cache::{self, Cache};
use super::protocol::{Ask, BEAT_SECONDS, EndedReply, HELLO, Hello, Question, Reply, SILENCE_SECONDS};
use crate::machine::Machine;
use crate::machine::host::clock::Clock;
use crate::machine::host::kernel::KernelCounters;
use crate::machine::host::local::Local;
use crate::machine::host::local_process::LocalProcess;
use crate::machine::host::process::Operations;
use crate::machine::host::started::LAST_WORDS;
use crate::machine::host::watch::LocalWatch;
use crate::machine::host::{self, network, ports, scratch, sockets};
use crate::machine::topology::Topology;

/// The state of the helper: the processes and the watches that it has started, by number, and its
/// folders.
struct Helper {
    local: Local,
    cache: Cache,
    next: AtomicU64,
    processes: Mutex<HashMap<u64, Arc<Mutex<LocalProcess>>>>,
    watches: Mutex<HashMap<u64, LocalWatch>>,
    /// The folder that contains the folders of a run.
    scratch: PathBuf,
    folders: Mutex<Vec<tempfile::TempDir>>,
}

/// Answers questions from standard input until it ends, or nothing is received for ten seconds.
/// Then ends the processes that were started. `mark` is the value by which a second `ssh` would
/// find the processes. Fails if the host lacks what a helper needs.
pub fn serve(mark: &str, cache: &Path) -> anyhow::Result<()> {
    host::raise_descriptor_limit()?;
    let helper = Arc::new(Helper {
        local: Local::new(PathBuf::new(), Some(mark.to_owned()))?,
        cache: Cache::new(cache.to_owned()),
        next: AtomicU64::new(0),
        processes: Mutex::default(),
        watches: Mutex::default(),
        scratch: cache.join(cache::scratch_name(mark)),
        folders: Mutex::default(),
    });
    let hello = Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        boot: host::boot(),
        cache: cache.to_owned(),
        addresses: std::env::var("SSH_CONNECTION").ok().and_then(|text| addresses(&text)),
    };
    let lines = write_in_background(format!("{HELLO} {}", serde_json::to_string(&hello)?));
    let (send_question, questions) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send_question.send(line).is_err() {
                return;
            }
        }
    });
    let result = answer_questions(&helper, &questions, &lines);
    helper.end();
    result
}

/// Answers questions until the end of the input, or until the harness is silent. Fails on a line that
/// is no question, and if the cores of the harness cannot be used.
fn answer_questions(
    helper: &Arc<Helper>,
    questions: &Receiver<String>,
    lines: &Sender<String>,
) -> anyhow::Result<()> {
    while let Ok(line) = questions.recv_timeout(Duration::from_secs(SILENCE_SECONDS)) {
        if line.is_empty() {
            continue;
        }
        let question =
            serde_json::from_str::<Question>(&line).context("the harness sent a line that is no question")?;
        if let Ask::Pin { cores } = &question.ask {
            // The other threads inherit their cores from this one.
            cores.pin_harness()?;
        }
        let (helper, lines) = (Arc::clone(helper), lines.clone());
        std::thread::spawn(move || {
            let reply = helper.answer(question.ask).map_err(|error| format!("{error:#}"));
            let reply = serde_json::to_string(&Reply { number: question.number, reply });
            let _ = lines.send(reply.unwrap_or_default());
        });
    }
    Ok(())
}

/// Writes lines to standard output, and an empty line if there was none for a second. If the
/// harness does not read them, only the writing thread waits.
fn write_in_background(first: String) -> Sender<String> {
    let (lines, to_send) = channel::<String>();
    let _ = lines.send(first);
    std::thread::spawn(move || {
        loop {
            let line = match to_send.recv_timeout(Duration::from_secs(BEAT_SECONDS)) {
                Ok(line) => line + "\n",
                Err(RecvTimeoutError::Timeout) => "\n".to_owned(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut out = std::io::stdout().lock();
            if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
                return;
            }
        }
    });
    lines
}

/// Returns the host's own address and the client's, from `SSH_CONNECTION`: address and port of the
/// client, address and port of the server (`ssh(1)`).
fn addresses(text: &str) -> Option<(std::net::IpAddr, std::net::IpAddr)> {
    let words: Vec<&str> = text.split(' ').collect();
    let [client, _, server, _] = words[..] else { return None };
    Some((server.parse().ok()?, client.parse().ok()?))
}

impl Helper {
    /// Ends all processes: asks all of them at once to end, and kills those that still run after
    /// two seconds.
    fn end(&self) {
        self.folders.lock().clear();
        // The folder does not exist if none was needed.
        let _ = std::fs::remove_dir(&self.scratch);
        self.local.started.end_all();
        let deadline = Instant::now() + LAST_WORDS;
        for (_, process) in self.processes.lock().drain() {
            // A thread that waits for the process holds the lock, and continues once the process
            // has been killed.
            let mut process = process.lock();
            process.wait(deadline.saturating_duration_since(Instant::now()));
            let _ = process.end();
        }
    }

    fn answer(&self, ask: Ask) -> anyhow::Result<Value> {
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).context("a time is out of range");
        match ask {
            Ask::Clock => value(Clock::now()),
            Ask::Find { name } => value(self.local.find(&name)),
            Ask::Start { launch } => {
                let (_, process) = self.local.start(&launch)?;
                let number = self.number();
                self.processes.lock().insert(number, Arc::new(Mutex::new(process)));
                value(number)
            }
            Ask::NextLine { process, seconds: bound } => {
                value(self.process(process)?.lock().next_line(seconds(bound)?)?)
            }
            Ask::Tell { process, command } => self.process(process)?.lock().tell(&command).and_then(value),
            Ask::EndInput { process } => self.process(process)?.lock().end_input().and_then(value),
            Ask::Wait { process, seconds: bound } => {
                value(self.process(process)?.lock().wait(seconds(bound)?))
            }
            Ask::Usage { process } => value(self.process(process)?.lock().usage()?),
            Ask::Threads { process } => value(self.process(process)?.lock().threads()),
            Ask::Memory { process } => value(self.process(process)?.lock().memory()),
            Ask::Descriptors { process } => value(self.process(process)?.lock().descriptors()?),
            Ask::LimitDescriptors { process, more } => {
                value(self.process(process)?.lock().limit_descriptors(more)?)
            }
            Ask::Terminate { process } => self.process(process)?.lock().terminate().and_then(value),
            Ask::Freeze { process, seconds: time } => {
                value(self.process(process)?.lock().freeze(seconds(time)?)?)
            }
            Ask::End { process } => {
                let ended = self.process(process)?.lock().end()?;
                self.processes.lock().remove(&process);
                value(EndedReply::from(ended))
            }
            Ask::Watch { address, cores } => {
                let number = self.number();
                self.watches.lock().insert(number, LocalWatch::start(address, cores));
                value(number)
            }
            Ask::EndWatch { watch } => {
                let watch = self.watches.lock().remove(&watch).context("there is no such watch")?;
                value(watch.end())
            }
            Ask::MakeFolder { files } => {
                let folder = scratch::make_in(&self.scratch, &files)?;
                let path = folder.path().to_owned();
                self.folders.lock().push(folder);
                value(path)
            }
            Ask::RemoveFolder { path } => {
                self.folders.lock().retain(|folder| folder.path() != path);
                value(())
            }
            Ask::Missing { files } => value(self.cache.missing(&files)),
            Ask::Write { path, bytes, completes, is_program } => {
                value(self.cache.write(&path, &bytes, completes, is_program)?)
            }
            other => read(other),
        }
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    fn process(&self, number: u64) -> anyhow::Result<Arc<Mutex<LocalProcess>>> {
        let process = self.processes.lock().get(&number).map(Arc::clone);
        process.with_context(|| format!("there is no process {number}"))
    }
}

/// Answers a question about the kernel of this machine.
fn read(ask: Ask) -> anyhow::Result<Value> {
    match ask {
        Ask::Counters { cores } => value(KernelCounters::read(&cores)),
        Ask::Established { address } => value(sockets::established(address)),
        Ask::Accepted => value(sockets::accepted()),
        Ask::Ports { to_loopback } => value(ports::ports(to_loopback)),
        Ask::Traffic { address } => value(network::traffic(address)),
        Ask::Interface { address } => value(network::interface(address)),
        Ask::Topology => value(Topology::here()?),
        Ask::Machine { layout, seed } => value(Machine::read(&layout, seed)?),
        // `serve` has done it already.
        Ask::Pin { .. } => value(()),
        other => bail!("the helper cannot answer {other:?}"),
    }
}

fn value(value: impl Serialize) -> anyhow::Result<Value> {
    serde_json::to_value(value).context("cannot write a reply")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_those_of_the_connection() {
        let both = |own: &str, other: &str| Some((own.parse().unwrap(), other.parse().unwrap()));
        let cases = [
            ("10.0.0.1 50000 10.0.0.2 22", both("10.0.0.2", "10.0.0.1")),
            ("fe80::1 50000 fe80::2 22", both("fe80::2", "fe80::1")),
            ("10.0.0.1 50000 10.0.0.2", None),
            ("UNKNOWN 65535 UNKNOWN 65535", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(addresses(text), expected, "{text}");
        }
    }
}
