//! A shell that kills what the harness has started, if the harness ends without having done so:
//! killed itself, by a user or for want of memory.
//!
//! The parent-death signal of Linux would do for one process. It reaches none of the compilers
//! that cargo has started, and comes as soon as the thread ends that started the process.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};

use anyhow::Context;
use nix::unistd::Pid;

/// Reads `started GROUP` and `ended GROUP`. The kernel closes the pipe when the harness ends,
/// however it does, and all lines are read by then.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r event group; do
    case $event in
        started) groups="$groups $group" ;;
        ended)
            others=
            for other in $groups; do [ "$other" = "$group" ] || others="$others $other"; done
            groups=$others ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
"#;

/// The way to the shell.
pub(super) struct Guard(ChildStdin);

impl Guard {
    /// Starts the shell, in a process group that no signal to the harness's reaches.
    pub(super) fn start() -> anyhow::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).current_dir("/").env_clear().process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell =
            command.spawn().context("cannot start /bin/sh, which ends servers if this program is killed")?;
        let pipe = shell.stdin.take().context("the shell has no standard input")?;
        Ok(Self(pipe))
    }

    /// A process group has been started.
    pub(super) fn started(&mut self, group: Pid) {
        self.tell("started", group);
    }

    /// A process group is about to be reaped, after which its number may be another's.
    pub(super) fn ended(&mut self, group: Pid) {
        self.tell("ended", group);
    }

    fn tell(&mut self, event: &str, group: Pid) {
        // Where the shell has been killed, all is as if there were none.
        let _ = self.0.write_all(format!("{event} {group}\n").as_bytes());
    }
}
