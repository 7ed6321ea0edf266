//! A shell that kills the processes that the harness has started, if the harness is killed before
//! it has ended them: by a user, or for lack of memory.
//!
//! The parent-death signal of Linux would work for one process. It does not reach the compilers
//! that cargo has started, and is sent as soon as the thread ends that started the process. So each
//! process gets an environment variable, which its children inherit, and the shell searches for
//! that variable. The harness never has to tell the shell anything, so the harness may be killed at
//! any moment.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// The environment variable of each process that the harness has started.
const VARIABLE: &str = "BENCH_STARTED_BY";

/// Waits for the orderly end of the harness, which sends a line. If the harness ends in any other
/// way, the kernel closes the pipe.
const WAIT: &str = "trap '' HUP INT TERM; read -r _ && exit";

/// Kills every process that has the variable in the first argument. A process that is started
/// during a search is found by the next one. One program reads all environments: with one program
/// for each process, a busy host took longer than the `ssh` that ends a lost helper may take.
pub(super) const SWEEP: &str = r#"
while pids=$(grep -lsxzF -- "$1" /proc/[0-9]*/environ | tr -dc '0-9\n') && [ "$pids" ]; do
    for pid in $pids; do kill -s KILL "$pid"; done
done
"#;

/// The variable with this value, as the environment of a process has it.
pub(super) fn variable(mark: &str) -> String {
    format!("{VARIABLE}={mark}")
}

/// A value of the variable that no other harness has.
pub(super) fn new_mark() -> String {
    // No other harness of this machine has this PID at this time.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", std::process::id(), now.as_nanos())
}

/// The running shell. Dropping this value is the orderly end.
pub(super) struct Guard {
    pipe: ChildStdin,
    value: String,
}

impl Guard {
    /// Starts the shell in a process group that signals to the harness's group do not reach.
    /// Processes are marked with `mark`, or with a new value if it is `None`.
    pub(super) fn start(mark: Option<&str>) -> anyhow::Result<Self> {
        let value = mark.map_or_else(new_mark, str::to_owned);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{WAIT}{SWEEP}"), "guard", &variable(&value)]);
        command.current_dir("/").env_clear().process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell =
            command.spawn().context("cannot start /bin/sh, which ends servers if this program is killed")?;
        let pipe = shell.stdin.take().context("the shell has no standard input")?;
        Ok(Self { pipe, value })
    }

    /// Marks the process that `command` starts, and thereby all processes that it starts, so that
    /// the shell finds them.
    pub(super) fn watch(&self, command: &mut Command) {
        command.env(VARIABLE, &self.value);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // If the shell has been killed, there is nothing to end.
        let _ = self.pipe.write_all(b"\n");
    }
}
