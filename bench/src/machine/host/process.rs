//! A process that the harness has started, on this host or another: what can be read of it, how it is
//! told what to do, and what it leaves.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::{Memory, ThreadTimes, Usage};

/// A process that the harness has started. Dropping it ends it and all of its group.
pub struct Process {
    name: String,
    operations: Box<dyn Operations>,
}

/// What a host can do with a process that it has started.
pub(super) trait Operations: Send {
    /// What it and its group have used.
    fn usage(&self) -> anyhow::Result<Usage>;
    /// The CPU time of its threads and of those of its group; `None` where that is not known.
    fn threads(&self) -> Option<ThreadTimes>;
    /// Memory of it and of its group; `None` once it has ended.
    fn memory(&self) -> Option<Memory>;
    /// How many descriptors it and its group have open. Fails if it has ended.
    fn descriptors(&self) -> anyhow::Result<usize>;
    /// Limits it and its group to this many more descriptors; returns how many processes these are.
    fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize>;
    /// The next line that it prints, with control characters made visible.
    fn next_line(&mut self, bound: Duration) -> anyhow::Result<Line>;
    /// Writes a line to its standard input. That it has ended is no error here. Fails if it takes no
    /// commands.
    fn tell(&mut self, command: &str) -> anyhow::Result<()>;
    /// Closes its standard input.
    fn end_input(&mut self) -> anyhow::Result<()>;
    /// Waits until it exits. A host that is lost counts as an exit, and [`Operations::end`] then fails.
    fn wait(&mut self, bound: Duration) -> Waited;
    /// Sends SIGTERM to it alone.
    fn terminate(&self) -> anyhow::Result<()>;
    /// Stops its group for this time.
    fn freeze(&self, time: Duration) -> anyhow::Result<()>;
    /// Kills its group, and waits for it.
    fn end(&mut self) -> anyhow::Result<Ended>;
}

/// A line of a process, or why there is none.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
pub(super) enum Line {
    Printed(String),
    /// The bound has passed.
    TimedOut,
    /// It has closed its standard output.
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

/// What a process leaves when it has ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub output: String,
    /// The end of its standard error, with control characters made visible.
    pub complaint: String,
    /// What it used, with the children that it has waited for: exact, and with all switches.
    pub usage: Option<Usage>,
}

impl Process {
    pub(super) fn new(name: String, operations: impl Operations + 'static) -> Self {
        Self { name, operations: Box::new(operations) }
    }

    /// What it and the processes of its group have used, and the children that they have waited
    /// for. The switches are gone once the process has exited: [`Ended`] has all of it. It costs
    /// some 0.1 ms, and 20 µs per thread, most of it for the switches. Fails once the process is
    /// reaped.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.operations.usage()
    }

    /// The CPU time of its threads and of those of its group; `None` where that is not known.
    pub fn threads(&self) -> Option<ThreadTimes> {
        self.operations.threads()
    }

    /// Memory of it and of the processes of its group; `None` once it has ended.
    pub fn memory(&self) -> Option<Memory> {
        self.operations.memory()
    }

    /// How many descriptors it and the processes of its group have open. Fails if it has ended.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        self.operations.descriptors()
    }

    /// Limits it and each process of its group to this many more descriptors, for the rest of their
    /// lives; returns how many processes these are. A server raises its limit when it starts, so it
    /// can only be limited while it runs. Fails if a process has ended, or its limit cannot be set.
    pub fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        self.operations.limit_descriptors(more)
    }

    /// The first line that it prints, or the next one of a process that takes commands, with control
    /// characters made visible. Fails if it ends, or `bound` passes, before that.
    pub fn line(&mut self, bound: Duration) -> anyhow::Result<String> {
        match self.operations.next_line(bound)? {
            Line::Printed(line) => Ok(line),
            Line::TimedOut => bail!("{} printed nothing within {:.0} s", self.name, bound.as_secs_f64()),
            Line::Closed => Err(self.ended_early()),
        }
    }

    /// Gives it a command. Fails if it takes no commands; that it has ended is no error here.
    pub fn tell(&mut self, command: &str) -> anyhow::Result<()> {
        self.operations.tell(command)
    }

    /// Gives it a command, and returns the line by which it answers. Fails if it takes no commands,
    /// or if it ends, or `bound` passes, before that.
    pub fn ask(&mut self, command: &str, bound: Duration) -> anyhow::Result<String> {
        self.tell(command)?;
        self.line(bound)
    }

    /// Says that no command follows, and returns the last line that it prints. Fails as
    /// [`Process::line`] does.
    pub fn last_line(&mut self, bound: Duration) -> anyhow::Result<String> {
        self.operations.end_input()?;
        self.line(bound)
    }

    /// Fails if it has ended; the error says how.
    pub fn check_running(&mut self) -> anyhow::Result<()> {
        match self.wait(Duration::ZERO) {
            Waited::TimedOut => Ok(()),
            Waited::Exited => Err(self.ended_early()),
        }
    }

    /// Waits until it exits. A host that is lost counts as an exit: what is asked next fails.
    pub fn wait(&mut self, bound: Duration) -> Waited {
        self.operations.wait(bound)
    }

    /// Sends SIGTERM to it alone, as a service manager does: a server ends its own workers, some of
    /// which drop all connections on SIGTERM. Fails if the signal cannot be sent.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.operations.terminate()
    }

    /// Stops its group for this time: SIGSTOP, then SIGCONT. Fails if either cannot be sent.
    pub fn freeze(&self, time: Duration) -> anyhow::Result<()> {
        self.operations.freeze(time)
    }

    /// Ends it by SIGTERM, and its group by SIGKILL when `bound` has passed or it has ended.
    pub fn stop(mut self, bound: Duration) -> anyhow::Result<Ended> {
        // An error means that it has ended.
        let _ = self.terminate();
        self.wait(bound);
        self.operations.end()
    }

    /// Kills it and its group. Fails if it cannot be waited for.
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
