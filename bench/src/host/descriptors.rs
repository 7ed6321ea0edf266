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
    /// How many descriptors it has open.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(self.descriptor_numbers()?.len())
    }

    /// Lets it open so many more descriptors, for the rest of its life. A server raises its limit when it starts, so one
    /// that is to run out of descriptors has to be limited while it runs.
    pub fn limit_descriptors(&self, more: usize) -> anyhow::Result<()> {
        let used = self.descriptor_numbers()?;
        // The limit is one of numbers, and the lowest free one is given out first.
        let limit = (0..).filter(|number| !used.contains(number)).nth(more);
        let set = || {
            let new = Rlimit { current: limit, maximum: limit };
            prlimit(Pid::from_raw(self.group.as_raw()), rustix::process::Resource::Nofile, new)
        };
        set().with_context(|| format!("cannot limit the descriptors of {}", self.name))?;
        Ok(())
    }

    fn descriptor_numbers(&self) -> anyhow::Result<BTreeSet<u64>> {
        let list = || {
            let entries = fs::read_dir(format!("/proc/{}/fd", self.group))?;
            let number = |entry: fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse().ok());
            entries.filter_map(|entry| entry.map(number).transpose()).collect::<std::io::Result<_>>()
        };
        list().with_context(|| format!("cannot list the descriptors of {}", self.name))
    }
}
