//! File descriptors: the harness's limit, and the number that a started process has open and may
//! open.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// How many files the harness and the processes that it starts may have open; `None` without a
/// limit.
pub fn descriptor_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Raises the limit of open files of the harness, and of the processes that it starts, as far as
/// the kernel allows; returns the new limit. Fails if the kernel does not allow it.
pub fn raise_descriptor_limit() -> anyhow::Result<usize> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("cannot raise the limit of open files")?;
    Ok(maximum.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX))
}

/// Returns how many descriptors the process of this name and its children have open. Fails if the
/// process has ended.
pub(super) fn open(name: &str, own: Pid, children: impl Iterator<Item = Pid>) -> anyhow::Result<usize> {
    let numbers = numbers_of(name, own)?.len();
    // A child may have ended in the meantime.
    let others = children.filter_map(|child| Some(numbers_of(name, child).ok()?.len()));
    Ok(numbers + others.sum::<usize>())
}

/// Limits the process of this name and each of its children to `more` further descriptors; returns
/// the number of processes. Fails if a process has ended, or its limit cannot be set.
pub(super) fn limit(
    name: &str,
    own: Pid,
    children: impl Iterator<Item = Pid>,
    more: usize,
) -> anyhow::Result<usize> {
    let mut count = 0;
    for pid in std::iter::once(own).chain(children) {
        let used = numbers_of(name, pid)?;
        // The limit applies to the numbers of descriptors, and the kernel uses the lowest free
        // number first.
        let limit = (0..).filter(|number| !used.contains(number)).nth(more);
        let new = Rlimit { current: limit, maximum: limit };
        prlimit(rustix::process::Pid::from_raw(pid.as_raw()), Resource::Nofile, new)
            .with_context(|| format!("cannot limit the descriptors of {name}"))?;
        count += 1;
    }
    Ok(count)
}

fn numbers_of(name: &str, pid: Pid) -> anyhow::Result<BTreeSet<u64>> {
    let list = || {
        let entries = fs::read_dir(format!("/proc/{pid}/fd"))?;
        let number = |entry: fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse().ok());
        entries.filter_map(|entry| entry.map(number).transpose()).collect::<std::io::Result<_>>()
    };
    list().with_context(|| format!("cannot list the descriptors of {name}"))
}
