//! A process that the harness has not started: the harness reads its counters, and never signals
//! it.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, TcpListener};

use anyhow::{Context, bail};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use procfs::process::{FDTarget, Process, Stat};

use super::threads::{self, ThreadTimes};
use super::usage::{self, Memory, Usage};

/// A process that was running already, and its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachedProcess {
    pid: Pid,
    /// The start time of the process, in the kernel's ticks: the PID may be reused once the process
    /// has ended.
    started: u64,
}

impl AttachedProcess {
    /// Finds the process with this PID. Fails if there is none, or it cannot be read.
    pub fn find(pid: i32) -> anyhow::Result<Self> {
        let stat = stat(pid)?;
        let found = Self { pid: Pid::from_raw(pid), started: stat.starttime };
        found.usage()?;
        Ok(found)
    }

    /// Fails if it has ended.
    pub fn check_running(&self) -> anyhow::Result<()> {
        match stat(self.pid.as_raw()) {
            Ok(stat) if stat.starttime == self.started && stat.state != 'Z' => Ok(()),
            _ => bail!("process {} has ended", self.pid),
        }
    }

    /// Returns what the process and its descendants have used since their start. Fails if the
    /// process has ended.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let own = usage::read(self.pid)
            .with_context(|| format!("cannot read the CPU time of process {}", self.pid))?;
        Ok(self.descendants().into_iter().filter_map(|child| usage::read(child).ok()).fold(own, Usage::and))
    }

    /// Returns the CPU time of the threads of the process and its descendants; `None` if it is not
    /// known.
    pub fn threads(&self) -> Option<ThreadTimes> {
        let own = threads::read(self.pid)?;
        Some(self.descendants().into_iter().filter_map(threads::read).fold(own, ThreadTimes::and))
    }

    /// Returns the memory of the process and its descendants; `None` once the process has ended.
    pub fn memory(&self) -> Option<Memory> {
        let own = usage::memory_of(self.pid)?;
        let children = self.descendants().into_iter().filter_map(usage::memory_of);
        Some(children.fold(own, Memory::and))
    }

    /// Returns the cores that the process and its descendants may use; `None` if the kernel does
    /// not report them.
    pub fn cores(&self) -> Option<Vec<usize>> {
        let mut cores = BTreeSet::new();
        for pid in self.descendants().into_iter().chain([self.pid]) {
            let set = sched_getaffinity(pid).ok()?;
            cores.extend((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)));
        }
        Some(cores.into_iter().collect())
    }

    /// Whether the process or a descendant has a socket that listens at this port; `None` if that
    /// is not known, for example for a process of another user, or in a container.
    pub fn listens_at(&self, port: u16) -> Option<bool> {
        let tcp = [procfs::net::tcp().ok()?, procfs::net::tcp6().unwrap_or_default()].concat();
        let listens = |entry: &&procfs::net::TcpNetEntry| {
            entry.state == procfs::net::TcpState::Listen && entry.local_address.port() == port
        };
        let wanted: BTreeSet<u64> = tcp.iter().filter(listens).map(|entry| entry.inode).collect();
        if wanted.is_empty() {
            return None;
        }
        for pid in self.descendants().into_iter().chain([self.pid]) {
            for descriptor in Process::new(pid.as_raw()).ok()?.fd().ok()? {
                if matches!(descriptor.ok()?.target, FDTarget::Socket(inode) if wanted.contains(&inode)) {
                    return Some(true);
                }
            }
        }
        Some(false)
    }

    fn descendants(&self) -> Vec<Pid> {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for process in procfs::process::all_processes().into_iter().flatten().flatten() {
            if let Ok(stat) = process.stat() {
                children.entry(stat.ppid).or_default().push(stat.pid);
            }
        }
        let mut found = Vec::new();
        let mut left = vec![self.pid.as_raw()];
        while let Some(parent) = left.pop() {
            let own = children.remove(&parent).unwrap_or_default();
            found.extend(own.iter().copied().map(Pid::from_raw));
            left.extend(own);
        }
        found
    }
}

/// Whether an address is one of this machine's.
pub fn is_here(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

fn stat(pid: i32) -> anyhow::Result<Stat> {
    Process::new(pid)
        .and_then(|process| process.stat())
        .with_context(|| format!("there is no process {pid}, or it cannot be read"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// Starts a shell that runs this script, and waits until the script has printed a line.
    fn start(script: &str) -> Child {
        let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        child
    }

    fn find(child: &Child) -> AttachedProcess {
        AttachedProcess::find(child.id().cast_signed()).unwrap()
    }

    #[test]
    fn children_count_and_the_end_is_noticed() {
        let busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        let mut child = start(&format!("(({busy}; echo; exec sleep 60); true) & wait"));
        let process = find(&child);
        let own = usage::read(process.pid).unwrap().cpu;
        assert!(process.usage().unwrap().cpu > own, "{own:?}");
        assert!(process.memory().is_some() && process.check_running().is_ok());
        assert_eq!(process.cores().unwrap(), crate::machine::cores::usable().unwrap());
        for pid in process.descendants().into_iter().chain([process.pid]) {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        child.wait().unwrap();
        assert!(process.memory().is_none());
        let message = process.check_running().unwrap_err().to_string();
        assert_eq!(message, format!("process {} has ended", process.pid));
        let message = AttachedProcess::find(process.pid.as_raw()).unwrap_err().to_string();
        assert!(message.starts_with("there is no process"), "{message}");
    }

    #[test]
    fn the_owner_of_a_socket_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let us = AttachedProcess::find(std::process::id().cast_signed()).unwrap();
        assert_eq!(us.listens_at(port), Some(true));
        let mut child = start("echo; exec sleep 60");
        assert_eq!(find(&child).listens_at(port), Some(false));
        child.kill().unwrap();
        child.wait().unwrap();
        drop(listener);
        assert!(is_here("127.0.0.1".parse().unwrap()) && !is_here("192.0.2.1".parse().unwrap()));
    }
}
