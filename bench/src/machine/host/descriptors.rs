//! File descriptors: how many we may have, and how many a process of ours has and may have.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::process::{Pid, Rlimit, prlimit};

use super::Process;

/// Raises our own soft limit of open files to the hard one, for processes that we start too; returns it.
pub fn raise_descriptor_limit() -> anyhow::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("cannot read the limit of open files")?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).context("cannot raise the limit of open files")?;
    }
    Ok(usize::try_from(hard).unwrap_or(usize::MAX))
}

impl Process {
    /// How many descriptors it and the processes of its group have open.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        let own = self.numbers_of(self.group)?.len();
        // A child may have gone meanwhile.
        Ok(self
            .children()
            .filter_map(|child| self.numbers_of(child).ok())
            .fold(own, |sum, more| sum + more.len()))
    }

    /// Lets it and each process of its group open so many more descriptors, for the rest of their lives; how many processes
    /// these are. A server raises its limit when it starts, so one that is to run out of descriptors has to be limited while
    /// it runs.
    pub fn limit_descriptors(&self, more: usize) -> anyhow::Result<usize> {
        let mut count = 0;
        for pid in std::iter::once(self.group).chain(self.children()) {
            let used = self.numbers_of(pid)?;
            // The limit is one of numbers, and the lowest free one is given out first.
            let limit = (0..).filter(|number| !used.contains(number)).nth(more);
            let set = || {
                let new = Rlimit { current: limit, maximum: limit };
                prlimit(Pid::from_raw(pid.as_raw()), rustix::process::Resource::Nofile, new)
            };
            set().with_context(|| format!("cannot limit the descriptors of {}", self.name))?;
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
