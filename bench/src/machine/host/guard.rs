//! A shell that kills what the harness has started, if the harness ends without having done so:
//! killed itself, by a user or for want of memory.
//!
//! The parent-death signal of Linux would do for one process. It reaches none of the compilers
//! that cargo has started, and comes as soon as the thread ends that started the process. So each
//! process gets a variable, which its children inherit, and the shell looks for it. Nothing has to be
//! told to the shell, so that the harness may be killed at any moment.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// The variable of what the harness has started.
const VARIABLE: &str = "BENCH_STARTED_BY";

/// Waits for the orderly end, which is a line. Otherwise the kernel closes the pipe when the harness
/// ends, however it does.
const WAIT: &str = "trap '' HUP INT TERM; read -r _ && exit";

/// Kills every process that has this variable, which is the first argument. A process that is started
/// while the shell looks is found the next time. One program reads all environments: with one for each
/// process, a busy host took longer than a second ssh may.
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
    // No other harness of this machine has this number at this time.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", std::process::id(), now.as_nanos())
}

/// The shell, for as long as this value lives. Dropping it is the orderly end.
pub(super) struct Guard {
    pipe: ChildStdin,
    value: String,
}

impl Guard {
    /// Starts the shell, in a process group that no signal to the harness's reaches. Processes are
    /// known by the value `mark`, or by a new one.
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

    /// Makes the process that `command` starts known to the shell, and all that it starts.
    pub(super) fn watch(&self, command: &mut Command) {
        command.env(VARIABLE, &self.value);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Where the shell has been killed, all is as if there were none.
        let _ = self.pipe.write_all(b"\n");
    }
}
