//! A process on this machine: its output, its end, and its usage.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, getpgid};
use parking_lot::Mutex;

use crate::text::visible::visible;

use super::process::{Ended, Line, Operations, Waited};
use super::started::{Started, group_of};
use super::{Memory, ThreadTimes, Usage, descriptors, threads, usage};

/// The bytes of a process's standard output that are kept; a tool's summary is some kilobytes.
const OUTPUT_BYTES: u64 = 16 * 1024 * 1024;

/// The bytes that are kept of the end of a process's standard error, which says why it failed.
const COMPLAINT_BYTES: usize = 4 * 1024;

/// The bytes of standard error that are read at once: all that its pipe holds.
const PIPE_BYTES: usize = 64 * 1024;

/// The pause after a read of standard error that did not fill the buffer, so that a server that
/// logs each request seldom wakes the harness during a run.
const COMPLAINT_PAUSE: Duration = Duration::from_millis(10);

/// The time to wait for the last output of a process that has ended. It only elapses if a
/// grandchild has left the process group and holds the pipe open.
const OUTPUT_BOUND: Duration = Duration::from_secs(5);

/// A process that was started on this machine. Dropping it ends the process and its whole group.
pub(super) struct LocalProcess {
    pub(super) name: String,
    child: Child,
    pub(super) group: Pid,
    exited: Receiver<()>,
    /// The standard input, if the process takes commands.
    input: Option<ChildStdin>,
    /// The first line of standard output; every line, if the process takes commands.
    lines: Receiver<String>,
    output: Receiver<Vec<u8>>,
    complaint: Complaint,
    reaped: bool,
    started: Arc<Started>,
}

/// The end of a process's standard error, which a thread reads while the process runs. It is not
/// kept in a file: a server that logs each request would fill the disk, and fail if the disk is
/// full.
struct Complaint {
    end: Arc<Mutex<Vec<u8>>>,
    /// Disconnected once all of it has been read.
    all_read: Receiver<()>,
}

impl LocalProcess {
    /// Returns the other processes of the group. Asking the kernel for a group takes a microsecond;
    /// reading a `stat` file, as `procfs` does, takes fifteen.
    pub(super) fn children(&self) -> impl Iterator<Item = Pid> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw));
        numbers.filter(|pid| *pid != self.group && getpgid(Some(*pid)) == Ok(self.group))
    }

    /// Watches a process that has just been started and leads a group of its own.
    pub(super) fn watch(name: String, mut child: Child, started: Arc<Started>) -> Self {
        let complaint = Complaint::read(child.stderr.take());
        let input = child.stdin.take();
        let (lines, output) = read_in_background(child.stdout.take(), input.is_some());
        let group = group_of(&child);
        let exited = watch_in_background(group);
        Self { name, child, group, exited, input, lines, output, complaint, reaped: false, started }
    }

    /// Takes the standard input of a process that takes commands; `None` if it was taken before.
    pub(super) fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// Waits for the process, and removes its group from the list.
    fn reap(&mut self) -> std::io::Result<(ExitStatus, Option<Usage>)> {
        let mut groups = self.started.groups.lock();
        groups.remove(self.group);
        self.reaped = true;
        usage::reap(&mut self.child)
    }
}

impl Operations for LocalProcess {
    fn usage(&self) -> anyhow::Result<Usage> {
        let own =
            usage::read(self.group).with_context(|| format!("cannot read the CPU time of {}", self.name))?;
        // A child that has ended in the meantime is in its parent's figures at the next reading.
        Ok(self.children().filter_map(|child| usage::read(child).ok()).fold(own, Usage::and))
    }

    fn threads(&self) -> Option<ThreadTimes> {
        let own = threads::read(self.group)?;
        Some(self.children().filter_map(threads::read).fold(own, ThreadTimes::and))
    }

    fn memory(&self) -> Option<Memory> {
        let own = usage::memory_of(self.group)?;
        Some(self.children().filter_map(usage::memory_of).fold(own, Memory::and))
    }

    fn descriptors(&self) -> anyhow::Result<usize> {
        descriptors::open(&self.name, self.group, self.children())
    }

    fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        descriptors::limit(&self.name, self.group, self.children(), more)
    }

    fn next_line(&mut self, bound: Duration) -> anyhow::Result<Line> {
        Ok(match self.lines.recv_timeout(bound) {
            Ok(line) => Line::Printed(line),
            Err(mpsc::RecvTimeoutError::Timeout) => Line::TimedOut,
            Err(mpsc::RecvTimeoutError::Disconnected) => Line::Closed,
        })
    }

    fn tell(&mut self, command: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().with_context(|| format!("{} takes no commands", self.name))?;
        // An error means that the process has ended, which the missing answer will show.
        let _ = input.write_all(format!("{command}\n").as_bytes());
        Ok(())
    }

    fn end_input(&mut self) -> anyhow::Result<()> {
        self.input = None;
        Ok(())
    }

    fn wait(&mut self, bound: Duration) -> Waited {
        match self.exited.recv_timeout(bound) {
            Err(mpsc::RecvTimeoutError::Timeout) => Waited::TimedOut,
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => Waited::Exited,
        }
    }

    fn terminate(&self) -> anyhow::Result<()> {
        // It has not been reaped, so the number is still its own.
        kill(self.group, Signal::SIGTERM).with_context(|| format!("cannot send SIGTERM to {}", self.name))
    }

    fn freeze(&self, time: Duration) -> anyhow::Result<()> {
        let send = |signal| {
            killpg(self.group, signal).with_context(|| format!("cannot send {signal} to {}", self.name))
        };
        send(Signal::SIGSTOP)?;
        std::thread::sleep(time);
        send(Signal::SIGCONT)
    }

    fn end(&mut self) -> anyhow::Result<Ended> {
        // The group exists until its leader is reaped, below; an error means that it is empty.
        let _ = killpg(self.group, Signal::SIGKILL);
        self.wait(OUTPUT_BOUND);
        let (status, usage) = self.reap().with_context(|| format!("cannot wait for {}", self.name))?;
        let output = self.output.recv_timeout(OUTPUT_BOUND).unwrap_or_default();
        let complaint = self.complaint.end();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        // ssh ends its lines with `\r\n`, as a terminal in raw mode needs it.
        let complaint = text(complaint).replace("\r\n", "\n");
        Ok(Ended { status, output: text(output), complaint: visible(&complaint).into_owned(), usage })
    }
}

impl Drop for LocalProcess {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = killpg(self.group, Signal::SIGKILL);
            let _ = self.reap();
        }
    }
}

/// Sends the first line of `pipe`, or each line, as soon as it is there. At the end of `pipe`,
/// sends the first line and all that follows, or, if each line was sent, what follows the last one.
fn read_in_background(
    pipe: Option<impl Read + Send + 'static>,
    each_line: bool,
) -> (Receiver<String>, Receiver<Vec<u8>>) {
    let (send_line, lines) = mpsc::channel();
    let (send_output, output) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        let mut pipe = BufReader::new(pipe);
        let mut kept = Vec::new();
        loop {
            kept.clear();
            let read = pipe.by_ref().take(OUTPUT_BYTES).read_until(b'\n', &mut kept);
            if read.is_err() || !kept.ends_with(b"\n") {
                break;
            }
            let line = String::from_utf8_lossy(&kept);
            if send_line.send(visible(line.trim_end()).into_owned()).is_err() || !each_line {
                break;
            }
        }
        drop(send_line);
        let _ = pipe.by_ref().take(OUTPUT_BYTES).read_to_end(&mut kept);
        let _ = send_output.send(kept);
        // The rest is read and dropped, so that the writer never blocks.
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    });
    (lines, output)
}

/// Sends when the process has exited, without reaping it.
fn watch_in_background(pid: Pid) -> Receiver<()> {
    let (send, exited) = mpsc::channel();
    std::thread::spawn(move || {
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(nix::Error::EINTR) {}
        let _ = send.send(());
    });
    exited
}

impl Complaint {
    fn read(pipe: Option<impl Read + Send + 'static>) -> Self {
        let (reads, all_read) = mpsc::channel();
        let end = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&end);
        std::thread::spawn(move || {
            let (_reads, mut buffer) = (reads, vec![0; PIPE_BYTES]);
            let Some(mut pipe) = pipe else { return };
            loop {
                match pipe.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) | Ok(0) => return,
                    Ok(length) => {
                        let mut kept = kept.lock();
                        kept.extend_from_slice(&buffer[..length]);
                        let excess = kept.len().saturating_sub(COMPLAINT_BYTES);
                        kept.drain(..excess);
                        drop(kept);
                        if length < PIPE_BYTES {
                            std::thread::sleep(COMPLAINT_PAUSE);
                        }
                    }
                }
            }
        });
        Self { end, all_read }
    }

    fn end(&self) -> Vec<u8> {
        let _ = self.all_read.recv_timeout(OUTPUT_BOUND);
        self.end.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::machine::host::{Host, Launch};

    /// Far more time than a shell takes here.
    const BOUND: Duration = Duration::from_secs(60);

    /// A shell that ends its child by SIGUSR1, and exits with the child's code.
    const PARENT: &str = "trap 'kill -USR1 $!; wait $!; exit $?' TERM
        (trap 'exit 3' TERM; trap 'exit 5' USR1; echo; while :; do sleep 0.01; done) &
        wait";

    #[test]
    fn a_process_ends_its_own_children() {
        let words = ["sh", "-c", PARENT].map(str::to_owned);
        let launch = Launch::new(&words, Path::new("/"));
        let mut process = Host::this_machine(PathBuf::new()).unwrap().start(&launch).unwrap();
        process.line(BOUND).unwrap();
        assert_eq!(process.stop(BOUND).unwrap().status.code(), Some(5));
    }

    #[test]
    fn commands_are_answered_line_by_line() {
        let script =
            "echo ready; while read -r command; do echo \"did $command\"; done; printf 'in all \\033[2J\\n'";
        let words = ["sh", "-c", script].map(str::to_owned);
        let launch = Launch::new(&words, Path::new("/")).commanded();
        let mut process = Host::this_machine(PathBuf::new()).unwrap().start(&launch).unwrap();
        assert_eq!(process.line(BOUND).unwrap(), "ready");
        for command in ["this", "that"] {
            assert_eq!(process.ask(command, BOUND).unwrap(), format!("did {command}"));
        }
        assert_eq!(process.last_line(BOUND).unwrap(), "in all \\u001b[2J");
        assert!(process.ask("more", BOUND).unwrap_err().to_string().contains("takes no commands"));
        assert_eq!(process.wait(BOUND), Waited::Exited);
    }

    #[test]
    fn a_command_to_a_process_that_has_ended_says_how_it_ended() {
        let words = ["sh", "-c", "read -r command; echo 'no luck' >&2; exit 3"].map(str::to_owned);
        let launch = Launch::new(&words, Path::new("/")).commanded();
        let mut process = Host::this_machine(PathBuf::new()).unwrap().start(&launch).unwrap();
        let error = process.ask("this", BOUND).unwrap_err().to_string();
        assert!(error.contains("exit status: 3: no luck"), "{error}");
    }

    #[test]
    fn the_end_of_standard_error_is_kept_and_shows_its_control_characters() {
        let script = "seq 100000 >&2; printf 'no \\033[2Jluck\\r\\n' >&2; exit 3";
        let words = ["sh", "-c", script].map(str::to_owned);
        let ended =
            Host::this_machine(PathBuf::new()).unwrap().output(&Launch::new(&words, Path::new("/")), BOUND);
        let ended = ended.unwrap();
        assert_eq!(ended.last_words(), ": no \\u001b[2Jluck");
        assert!(ended.complaint.contains("\n100000\n") && ended.complaint.len() < 2 * COMPLAINT_BYTES);
    }
}
