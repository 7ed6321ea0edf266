//! Which cores the server and the load tool get.

use anyhow::{Context, bail};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use procfs::CurrentSI;

use crate::record::count;

/// The cores of one measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// The server's.
    pub server: Vec<usize>,
    /// The load tool's.
    pub tool: Vec<usize>,
}

impl Cores {
    /// Divides the cores that this process may use, with a person's own choice first.
    pub fn divide(server: Option<Vec<usize>>, tool: Option<Vec<usize>>) -> anyhow::Result<Self> {
        let usable = usable()?;
        for (flag, cores) in [("--server-cores", &server), ("--tool-cores", &tool)] {
            if let Some(core) = cores.iter().flatten().find(|core| !usable.contains(core)) {
                bail!("{flag}: there is no core {core} for us, only {usable:?}");
            }
        }
        let half = halves(&usable);
        Ok(Self { server: server.unwrap_or(half.server), tool: tool.unwrap_or(half.tool) })
    }

    /// All of them, each once.
    pub fn all(&self) -> Vec<usize> {
        let mut all = [self.server.as_slice(), &self.tool].concat();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether server and tool have a core in common, which makes each slow the other down.
    pub fn shared(&self) -> bool {
        self.server.iter().any(|core| self.tool.contains(core))
    }
}

/// How long cores have been busy since the machine was started, in seconds: with processes of anybody, with interrupts, and
/// with other machines on the same hardware. `None` where that cannot be read.
pub fn busy_seconds(cores: &[usize]) -> Option<f64> {
    let stat = procfs::KernelStats::current().ok()?;
    let busy = |core: &usize| {
        let time = stat.cpu_time.get(*core)?;
        let interrupts = [time.irq, time.softirq, time.steal].into_iter().flatten().sum::<u64>();
        let ticks = time.user + time.nice + time.system + interrupts;
        Some(count(ticks) / count(procfs::ticks_per_second()))
    };
    cores.iter().map(busy).sum()
}

/// The first half for the server, the other for the tool, which gets the odd one: a tool that is too slow says
/// nothing of the server. A single core is both's.
fn halves(usable: &[usize]) -> Cores {
    match usable.split_at(usable.len() / 2) {
        ([], all) => Cores { server: all.to_vec(), tool: all.to_vec() },
        (server, tool) => Cores { server: server.to_vec(), tool: tool.to_vec() },
    }
}

fn usable() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0)).context("cannot tell which cores this process may use")?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_and_tool_get_halves() {
        let cases = [
            (vec![0], vec![0], vec![0], true),
            (vec![0, 1], vec![0], vec![1], false),
            (vec![2, 3, 5], vec![2], vec![3, 5], false),
            (vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], false),
        ];
        for (usable, server, tool, shared) in cases {
            let cores = halves(&usable);
            assert_eq!(cores, Cores { server, tool });
            assert_eq!(cores.shared(), shared);
        }
    }

    #[test]
    fn a_core_that_is_not_there_is_an_error() {
        let message = Cores::divide(Some(vec![100_000]), None).unwrap_err().to_string();
        assert!(message.starts_with("--server-cores: there is no core 100000"), "{message}");
    }
}
