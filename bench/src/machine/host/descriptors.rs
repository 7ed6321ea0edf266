//! File descriptors: the harness's limit, and those that a started process has and may have.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

use super::Process;

/// How many files the harness and what it starts may have open; `None` without a limit.
pub fn descriptor_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Raises the harness's limit of open files as far as the kernel allows it, also for the processes
/// that it starts; returns it. Fails if the kernel does not allow it.
pub fn raise_descriptor_limit() -> anyhow::Result<usize> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("cannot raise the limit of open files")?;
    Ok(maximum.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX))
}

impl Process {
    /// How many descriptors it and the processes of its group have open. Fails if it has ended.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        let own = self.numbers_of(self.group)?.len();
        // A child may have ended in the meantime.
        let others = self.children().filter_map(|child| Some(self.numbers_of(child).ok()?.len()));
        Ok(own + others.sum::<usize>())
    }

    /// Limits it and each process of its group to this many more descriptors, for the rest of their
    /// lives; returns how many processes these are. A server raises its limit when it starts, so it
    /// can only be limited while it runs. Fails if a process has ended, or its limit cannot be set.
    pub fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        let mut count = 0;
        for pid in std::iter::once(self.group).chain(self.children()) {
            let used = self.numbers_of(pid)?;
            // The limit is one of numbers, and the lowest free number is given out first.
            let limit = (0..).filter(|number| !used.contains(number)).nth(more);
            let new = Rlimit { current: limit, maximum: limit };
            prlimit(Pid::from_raw(pid.as_raw()), Resource::Nofile, new)
                .with_context(|| format!("cannot limit the descriptors of {}", self.name))?;
            count += 1;
        }
        Ok(count)
    }

    fn numbers_of(&self, pid: nix::unistd::Pid) -> anyhow::Result<BTreeSet<u64>> {
        let list = || {
            let entries = fs::read_dir(format!("/proc/{pid}/fd"))?;
            let number = |entry: fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse().ok());
            entries.filter_map(|entry| entry.map(number).transpose()).collect::<std::io::Result<_>>()
        };
        list().with_context(|| format!("cannot list the descriptors of {}", self.name))
    }
}
