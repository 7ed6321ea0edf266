//! A process that the harness has started, on this host or another: its counters, its commands, and
//! its end.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::{Memory, ThreadTimes, Usage};

/// A process that the harness has started. Dropping it ends the process and its whole group.
pub struct Process {
    name: String,
    operations: Box<dyn Operations>,
}

/// The operations of a host on a process that it has started.
pub(super) trait Operations: Send {
    /// Returns what the process and its group have used.
    fn usage(&self) -> anyhow::Result<Usage>;
    /// Returns the CPU time of the threads of the process and its group; `None` if it is not known.
    fn threads(&self) -> Option<ThreadTimes>;
    /// Returns the memory of the process and its group; `None` once the process has ended.
    fn memory(&self) -> Option<Memory>;
    /// Returns how many descriptors the process and its group have open. Fails if the process has
    /// ended.
    fn descriptors(&self) -> anyhow::Result<usize>;
    /// Limits the process and its group to `more` further descriptors each; returns the number of
    /// processes.
    fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize>;
    /// Returns the next line that the process prints, with control characters made visible.
    fn next_line(&mut self, bound: Duration) -> anyhow::Result<Line>;
    /// Writes a line to the standard input of the process. Fails if it takes no commands, but not
    /// if it has ended.
    fn tell(&mut self, command: &str) -> anyhow::Result<()>;
    /// Closes the standard input of the process.
    fn end_input(&mut self) -> anyhow::Result<()>;
    /// Waits until the process exits. A lost host counts as an exit, and [`Operations::end`] then
    /// fails.
    fn wait(&mut self, bound: Duration) -> Waited;
    /// Sends SIGTERM to the process alone.
    fn terminate(&self) -> anyhow::Result<()>;
    /// Stops the group of the process for this time.
    fn freeze(&self, time: Duration) -> anyhow::Result<()>;
    /// Kills the group of the process, and waits for the process.
    fn end(&mut self) -> anyhow::Result<Ended>;
}

/// A line of a process, or why there is none.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
pub(super) enum Line {
    Printed(String),
    /// The bound has passed.
    TimedOut,
    /// The process has closed its standard output.
    Closed,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub enum Waited {
    /// The process has exited; its figures can still be read.
    Exited,
    /// The bound has passed, and the process still runs.
    TimedOut,
}

/// The output, the exit status and the usage of a process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status.
    pub status: ExitStatus,
    /// What the process printed.
    pub output: String,
    /// The end of its standard error, with control characters made visible.
    pub complaint: String,
    /// What the process used, with the children that it has waited for: exact, and with all
    /// switches.
    pub usage: Option<Usage>,
}

impl Process {
    pub(super) fn new(name: String, operations: impl Operations + 'static) -> Self {
        Self { name, operations: Box::new(operations) }
    }

    /// Returns what the process and its group have used, and the children that they have waited
    /// for. The switches are unavailable once the process has exited; [`Ended`] has them. A call
    /// takes about 0.1 ms, and 20 µs per thread, most of it for the switches. Fails once the
    /// process is reaped.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.operations.usage()
    }

    /// Returns the CPU time of the threads of the process and its group; `None` if it is not known.
    pub fn threads(&self) -> Option<ThreadTimes> {
        self.operations.threads()
    }

    /// Returns the memory of the process and its group; `None` once the process has ended.
    pub fn memory(&self) -> Option<Memory> {
        self.operations.memory()
    }

    /// Returns how many descriptors the process and its group have open. Fails if the process has
    /// ended.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        self.operations.descriptors()
    }

    /// Limits the process and each process of its group to `more` further descriptors, until they
    /// end; returns the number of processes. A server raises its limit when it starts, so it can
    /// only be limited while it runs. Fails if a process has ended, or its limit cannot be set.
    pub fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        self.operations.limit_descriptors(more)
    }

    /// Returns the first line that the process prints, or the next one if it takes commands, with
    /// control characters made visible. Fails if the process ends, or `bound` passes, before that.
    pub fn line(&mut self, bound: Duration) -> anyhow::Result<String> {
        match self.operations.next_line(bound)? {
            Line::Printed(line) => Ok(line),
            Line::TimedOut => bail!("{} printed nothing within {:.0} s", self.name, bound.as_secs_f64()),
            Line::Closed => Err(self.ended_early()),
        }
    }

    /// Gives the process a command. Fails if it takes no commands, but not if it has ended.
    pub fn tell(&mut self, command: &str) -> anyhow::Result<()> {
        self.operations.tell(command)
    }

    /// Gives the process a command, and returns the line with which it answers. Fails if it takes
    /// no commands, or if it ends, or `bound` passes, before that.
    pub fn ask(&mut self, command: &str, bound: Duration) -> anyhow::Result<String> {
        self.tell(command)?;
        self.line(bound)
    }

    /// Ends the commands, and returns the last line that the process prints. Fails as
    /// [`Process::line`] does.
    pub fn last_line(&mut self, bound: Duration) -> anyhow::Result<String> {
        self.operations.end_input()?;
        self.line(bound)
    }

    /// Fails if the process has ended; the error says how.
    pub fn check_running(&mut self) -> anyhow::Result<()> {
        match self.wait(Duration::ZERO) {
            Waited::TimedOut => Ok(()),
            Waited::Exited => Err(self.ended_early()),
        }
    }

    /// Waits until the process exits. A lost host counts as an exit: the next operation then fails.
    pub fn wait(&mut self, bound: Duration) -> Waited {
        self.operations.wait(bound)
    }

    /// Sends SIGTERM to the process alone, as a service manager does: a server ends its own
    /// workers, and some workers drop all connections on SIGTERM. Fails if the signal cannot be
    /// sent.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.operations.terminate()
    }

    /// Stops the group of the process for this time: SIGSTOP, then SIGCONT. Fails if either cannot
    /// be sent.
    pub fn freeze(&self, time: Duration) -> anyhow::Result<()> {
        self.operations.freeze(time)
    }

    /// Ends the process by SIGTERM, and its group by SIGKILL once the process has ended or `bound`
    /// has passed.
    pub fn stop(mut self, bound: Duration) -> anyhow::Result<Ended> {
        // An error means that it has ended.
        let _ = self.terminate();
        self.wait(bound);
        self.operations.end()
    }

    /// Kills the process and its group. Fails if the process cannot be waited for.
    pub fn kill(mut self) -> anyhow::Result<Ended> {
        self.operations.end()
    }

    fn ended_early(&mut self) -> anyhow::Error {
        match self.operations.end() {
            Ok(ended) => anyhow!("{} ended with {}{}", self.name, ended.status, ended.last_words()),
            Err(error) => error,
        }
    }
}

impl Ended {
    /// The last line of its standard error as the end of a sentence; empty where there is none.
    pub fn last_words(&self) -> String {
        let lines = self.complaint.lines().map(str::trim);
        lines.rev().find(|line| !line.is_empty()).map_or_else(String::new, |line| format!(": {line}"))
    }
}
