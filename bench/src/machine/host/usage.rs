//! The CPU time, the switches between threads and the memory that a process and its group have
//! used.

use std::fs;
use std::io;
use std::ops::Add;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::time::ClockId;
use nix::unistd::Pid;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// The CPU time and the switches of a process and its children since their start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Usage {
    /// CPU time of all threads, including those that have ended. Exact, except for children that
    /// have been waited for: the kernel counts theirs in hundredths of a second.
    pub cpu: Duration,
    /// The part of `cpu` in user code: sampled, and in hundredths of a second while the process
    /// runs.
    pub user: Duration,
    /// The part of `cpu` in the kernel, in the same way.
    pub system: Duration,
    /// How often a thread gave up its core, counted for existing threads; `None` if it cannot be
    /// read.
    pub voluntary_switches: Option<u64>,
    /// How often a thread was preempted, counted in the same way.
    pub involuntary_switches: Option<u64>,
}

/// The memory of a process and its children, in bytes. A page that several of them share counts for
/// each.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Memory {
    /// The resident memory now.
    pub resident: u64,
    /// The maximum of the resident memory until now; for several processes, the sum of their
    /// maxima.
    pub peak: u64,
}

impl Usage {
    /// The difference to an earlier reading.
    pub fn since(&self, before: &Self) -> Self {
        let switches =
            |now: Option<u64>, before| now.zip(before).map(|(now, before)| now.saturating_sub(before));
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            voluntary_switches: switches(self.voluntary_switches, before.voluntary_switches),
            involuntary_switches: switches(self.involuntary_switches, before.involuntary_switches),
        }
    }

    /// Returns the sum of both.
    pub fn and(self, other: Self) -> Self {
        let switches = |own: Option<u64>, other| own.into_iter().chain(other).reduce(Add::add);
        Self {
            cpu: self.cpu + other.cpu,
            user: self.user + other.user,
            system: self.system + other.system,
            voluntary_switches: switches(self.voluntary_switches, other.voluntary_switches),
            involuntary_switches: switches(self.involuntary_switches, other.involuntary_switches),
        }
    }
}

impl Memory {
    pub(super) fn and(self, other: Self) -> Self {
        Self { resident: self.resident + other.resident, peak: self.peak + other.peak }
    }
}

/// Waits for a child, and returns how it ended and what it used from its start to its end: exact,
/// and with the switches of threads that have ended. The child's own children count if it has
/// waited for them. From then on the PID of the child can be reused.
pub(super) fn reap(child: &mut Child) -> io::Result<(ExitStatus, Option<Usage>)> {
    // `wait4` would return the usage of one child. No safe interface to it has the switches: the
    // crate `wait4` does not return them, and `command-rusage` returns no usage of a child that
    // fails. So one child is waited for at a time, and its usage is the increase of the sum over
    // all children. (A program that could not be started adds some microseconds too.)
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let before = ended_children();
    let status = child.wait()?;
    Ok((status, ended_children().zip(before).map(|(after, before)| after.since(&before))))
}

fn ended_children() -> Option<Usage> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let time = |time: TimeVal| {
        let seconds = Duration::from_secs(time.tv_sec().try_into().ok()?);
        Some(seconds + Duration::from_micros(time.tv_usec().try_into().ok()?))
    };
    let (user, system) = (time(usage.user_time())?, time(usage.system_time())?);
    Some(Usage {
        cpu: user + system,
        user,
        system,
        voluntary_switches: usage.voluntary_context_switches().try_into().ok(),
        involuntary_switches: usage.involuntary_context_switches().try_into().ok(),
    })
}

/// Reads what one process has used, and the children that it has waited for.
pub(super) fn read(pid: Pid) -> anyhow::Result<Usage> {
    let cpu = Duration::from(ClockId::pid_cpu_clock_id(pid)?.now()?);
    let stat = procfs::process::Process::new(pid.as_raw())?.stat()?;
    let ticks = |own: u64, children: i64| ticks(own) + ticks(children.try_into().unwrap_or_default());
    let reaped = ticks(0, stat.cutime) + ticks(0, stat.cstime);
    let exited = stat.state == 'Z' && stat.num_threads <= 1;
    let switches = if exited { None } else { switches_of(pid) };
    Ok(Usage {
        cpu: cpu + reaped,
        user: ticks(stat.utime, stat.cutime),
        system: ticks(stat.stime, stat.cstime),
        voluntary_switches: switches.map(|(voluntary, _)| voluntary),
        involuntary_switches: switches.map(|(_, involuntary)| involuntary),
    })
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1000 / procfs::ticks_per_second())
}

/// Returns the switches of a process's threads, voluntary and involuntary.
fn switches_of(pid: Pid) -> Option<(u64, u64)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let mut sum = None;
    for task in tasks.flatten() {
        // A thread that has ended in the meantime has no such file.
        let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
        let (voluntary, involuntary) = sum.unwrap_or_default();
        let (more_voluntary, more_involuntary) = switches(&status)?;
        sum = Some((voluntary + more_voluntary, involuntary + more_involuntary));
    }
    sum
}

/// Parses the switches in a `status` file, voluntary and involuntary. The lines are searched from
/// the end, where the switches are: there may be 256 such files, of sixty lines each, and `procfs`
/// takes twice the time.
fn switches(status: &str) -> Option<(u64, u64)> {
    let count = |name: &str| {
        let line = status.lines().rev().find_map(|line| line.strip_prefix(name));
        line?.strip_prefix(':')?.trim().parse().ok()
    };
    Some((count("voluntary_ctxt_switches")?, count("nonvoluntary_ctxt_switches")?))
}

pub(super) fn memory_of(pid: Pid) -> Option<Memory> {
    let status = procfs::process::Process::new(pid.as_raw()).ok()?.status().ok()?;
    // `/proc/PID/status` counts in units of 1,024 bytes.
    Some(Memory { resident: status.vmrss? * 1024, peak: status.vmhwm? * 1024 })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::machine::host::{Host, Launch, Process, Waited};

    /// Far more than the tenth of a second that a shell takes here.
    const BOUND: Duration = Duration::from_secs(60);

    /// A script that keeps a shell busy for some hundredths of a second.
    const BUSY: &str = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";

    /// The largest allowed difference between the two clocks: a process uses its last microseconds
    /// after it has exited, during which a virtual machine may lose its core. It is far less than a
    /// busy shell uses.
    const NEARLY: Duration = Duration::from_millis(10);

    fn start(script: &str) -> Process {
        let words = ["sh", "-c", script].map(str::to_owned);
        let launch = Launch::new(&words, Path::new("/"));
        Host::this_machine(PathBuf::new()).unwrap().start(&launch).unwrap()
    }

    /// Returns the PID of a shell, which the shell prints.
    fn pid(process: &mut Process) -> Pid {
        Pid::from_raw(process.line(BOUND).unwrap().parse().unwrap())
    }

    #[test]
    fn counts_children_that_live_and_those_that_were_waited_for() {
        // A description, the script, and the least number of voluntary switches, which a shell
        // makes when it waits.
        let sleep = "exec sleep 60";
        let cases = [
            ("a child", format!("({BUSY}; echo $$; exec sleep 60) & exec sleep 60"), 0),
            ("a child's child", format!("(({BUSY}; echo $$; exec sleep 60) & {sleep}) & {sleep}"), 0),
            ("a child that has ended", format!("({BUSY}); echo $$; exec sleep 60"), 1),
            ("one that is not waited for", format!("({BUSY}; echo $$) & exec sleep 60"), 0),
        ];
        for (name, script, switches) in cases {
            let mut process = start(&script);
            let own = Duration::from(ClockId::pid_cpu_clock_id(pid(&mut process)).unwrap().now().unwrap());
            let usage = process.usage().unwrap();
            // Less than a hundredth of a second may be missing.
            assert!(usage.cpu > own + Duration::from_millis(10), "{name}: {usage:?} {own:?}");
            assert!(usage.user + usage.system > Duration::ZERO, "{name}: {usage:?}");
            assert!(usage.voluntary_switches.is_some_and(|count| count >= switches), "{name}: {usage:?}");
            assert!(usage.involuntary_switches.is_some(), "{name}: {usage:?}");
            process.kill().unwrap();
        }
    }

    #[test]
    fn a_process_that_has_exited_can_be_read_and_leaves_all_of_its_usage() {
        let mut process = start(BUSY);
        assert_eq!(process.wait(BOUND), Waited::Exited);
        let usage = process.usage().unwrap();
        assert_eq!((usage.voluntary_switches, usage.involuntary_switches), (None, None));
        assert!(process.memory().is_none());

        let ended = process.kill().unwrap().usage.unwrap();
        assert!(ended.cpu.abs_diff(usage.cpu) < NEARLY, "{ended:?} {usage:?}");
        assert_eq!(ended.user + ended.system, ended.cpu);
        assert!(ended.voluntary_switches.is_some() && ended.involuntary_switches.is_some());
    }

    #[test]
    fn usage_is_attributed_to_each_of_many_that_end_at_once() {
        let used = |script: &str| {
            let mut process = start(script);
            assert_eq!(process.wait(BOUND), Waited::Exited);
            let clock = process.usage().unwrap().cpu;
            let ended = process.kill().unwrap().usage.unwrap().cpu;
            assert!(ended.abs_diff(clock) < NEARLY, "{script}: {ended:?} {clock:?}");
        };
        std::thread::scope(|scope| {
            for script in [BUSY, "true", BUSY, "true"] {
                scope.spawn(move || used(script));
            }
        });
    }

    #[test]
    fn memory_is_that_of_all() {
        let mut process = start("(echo $$; sleep 60; true) & wait");
        let pid = pid(&mut process);
        // Read in this order: the memory of a shell only grows.
        let own = memory_of(pid).unwrap();
        let all = process.memory().unwrap();
        assert!(all.resident > own.resident && all.peak > own.peak && own.peak > 0, "{all:?} {own:?}");
    }

    #[test]
    fn readings_can_be_subtracted() {
        let usage = |seconds: u64, switches: Option<u64>| {
            let time = Duration::from_secs(seconds);
            let (voluntary_switches, involuntary_switches) = (switches, switches);
            Usage { cpu: time, user: time, system: time, voluntary_switches, involuntary_switches }
        };
        // Seconds and switches after, before, and between.
        let cases = [
            ((5, Some(50)), (3, Some(20)), (2, Some(30))),
            ((5, None), (3, Some(20)), (2, None)),
            ((5, Some(50)), (3, None), (2, None)),
            // The switches of threads that ended are lost, and so is an orphan's time.
            ((3, Some(20)), (5, Some(50)), (0, Some(0))),
        ];
        for (after, before, expected) in cases {
            let since = usage(after.0, after.1).since(&usage(before.0, before.1));
            let expected = usage(expected.0, expected.1);
            assert_eq!(format!("{since:?}"), format!("{expected:?}"), "{after:?} {before:?}");
        }
    }

    #[test]
    fn reads_switches() {
        let cases = [
            ("Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n", Some((12, 3))),
            ("voluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\nx86:\t1\n", Some((12, 3))),
            ("voluntary_ctxt_switches:\t12\n", None),
            ("voluntary_ctxt_switches:\tmany\nnonvoluntary_ctxt_switches:\t3\n", None),
            ("", None),
        ];
        for (status, expected) in cases {
            assert_eq!(switches(status), expected, "{status}");
        }
    }
}
