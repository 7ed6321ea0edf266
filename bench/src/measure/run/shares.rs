//! The load of a run, from one host or from several, each of which makes a share of it.
//!
//! ```text
//! one host       tool ──────────▶ figures
//! several        tool 1/2 ─┐ once all are connected, each is told the start in its clock
//!                tool 2/2 ─┴────▶ counts and histograms are added
//! ```

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::Run;
use crate::machine::host::{Clock, Ended, Host, Launch, Offset, Process, Scratch, Usage, Waited};
use crate::machine::sides::{self, LoadSide};
use crate::servers::identity::Identity;
use crate::servers::workload::Amount;
use crate::tools::{LoadSpec, Tool, ToolOutput};

/// How much longer than its load a tool may run: it starts, and waits for the last answers.
const GRACE: Duration = Duration::from_secs(60);

/// How long a load by count may take: 10,000 requests take 100 s at a hundred answers per second.
const LIMIT_BY_COUNT: Duration = Duration::from_secs(300);

/// The interval at which the harness asks whether a tool has ended, if there are several hosts,
/// each of which may be lost. Each question and its reply replace the empty lines that show each
/// side that the other is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How long before the common start the tools are told of it: far more than a line takes to reach a
/// busy host.
const LEAD: Duration = Duration::from_millis(250);

/// The results of the tool on all hosts.
pub(super) struct Shares {
    pub(super) all: Vec<Share>,
}

/// The results of the tool on one host.
pub(super) struct Share {
    ended: Ended,
    pub(super) usage: Usage,
    /// The offset of the host's clock before and after the load.
    pub(super) offsets: [Offset; 2],
    /// When the tool was started, and when its end was known, by the harness's clock.
    started: Clock,
    known: Clock,
}

/// When a share was made, by the harness's clock, and how many answers it had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) began: Clock,
    pub(super) elapsed: Duration,
    pub(super) answered: u64,
    pub(super) late_seconds: Option<f64>,
}

/// A tool that runs.
struct Running<'a> {
    side: &'a LoadSide,
    process: Process,
    /// The folder it runs in.
    _folder: Scratch<'a>,
    offset: Offset,
    started: Clock,
    /// When its end was known; before that, when it was started.
    known: Clock,
}

impl Run<'_> {
    /// The hosts that make the load: no more than there are connections, and requests.
    pub(super) fn loads(&self) -> &[LoadSide] {
        let all = self.sides.loads();
        let most = self.workload.load().map_or(u64::MAX, |load| match load.amount {
            Amount::Requests(requests) => requests.min(load.connections.into()),
            Amount::Time(_) => load.connections.into(),
        });
        let count = all.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        all.get(..count).unwrap_or(all)
    }

    /// The command on each host of the load.
    pub(super) fn commands(&self, tool: &dyn Tool, spec: &LoadSpec) -> Vec<Vec<String>> {
        let loads = self.loads();
        let count = u32::try_from(loads.len()).unwrap_or(u32::MAX);
        let command = |(number, side): (u32, &LoadSide)| {
            let cores = if self.sides.are_apart() { side.cores.len() } else { spec.cores };
            let spec = LoadSpec { cores, ..*spec };
            if count == 1 {
                return tool.command(&spec);
            }
            if tool.shares_load() {
                return tool.command(&LoadSpec { share: Some((number, count)), ..spec });
            }
            let (load, amount, rate) = spec.part(number, count);
            tool.command(&LoadSpec { load: &load, amount, rate, ..spec })
        };
        (1..).zip(loads).map(command).collect()
    }

    /// Runs the tool on its cores of each host to its end. The exit code is ignored (hey's is 0 when
    /// every request failed). Fails when the tool does not start, or does not end.
    pub(super) fn run_tool(&self, tool: &dyn Tool, spec: &LoadSpec) -> anyhow::Result<Shares> {
        let limit = match spec.amount {
            Amount::Time(time) => time + GRACE,
            Amount::Requests(_) => LIMIT_BY_COUNT,
        };
        let loads = self.loads();
        let is_shared = loads.len() > 1 && tool.shares_load();
        // The clocks are asked before the first start and after the last end, since each takes tens of
        // round trips.
        let mut prepared = Vec::with_capacity(loads.len());
        for side in loads {
            prepared.push((side, self.tool_folder(&side.host, tool)?, side.host.clock_offset()?));
        }
        let mut running = Vec::with_capacity(loads.len());
        for ((side, folder, offset), words) in prepared.into_iter().zip(self.commands(tool, spec)) {
            let cores = if self.sides.are_apart() { &side.cores } else { &self.cores.tool };
            let launch = Launch::new(&words, folder.path()).on(cores);
            let launch = if is_shared { launch.commanded() } else { launch };
            let started = Clock::now();
            let process = side.host.start(&launch)?;
            running.push(Running { side, process, _folder: folder, offset, started, known: started });
        }
        if is_shared {
            start_together(&mut running, spec.load.timeout + GRACE)?;
        }
        for one in &mut running {
            self.await_end(one, limit)?;
            one.known = Clock::now();
        }
        let all = running.into_iter().map(|one| one.finish(is_shared)).collect::<anyhow::Result<_>>()?;
        Ok(Shares { all })
    }

    /// The folder that a tool runs in on this host, with the files that it needs.
    pub(super) fn tool_folder<'h>(&self, host: &'h Host, tool: &dyn Tool) -> anyhow::Result<Scratch<'h>> {
        let own = tool.files().iter().map(|file| (file.name, file.text));
        let identity = self.identity.filter(|_| self.workload.protocol().is_encrypted());
        let files: Vec<_> = own.chain(identity.map(Identity::client_file)).collect();
        host.scratch(&files)
    }

    /// Waits until the tool has ended on a host. Fails when it does not end within `limit`, or a
    /// host is lost meanwhile, since the load on the other hosts is then useless.
    fn await_end(&self, one: &mut Running, limit: Duration) -> anyhow::Result<()> {
        let (began, look) = (Instant::now(), if self.sides.are_apart() { LOOK } else { limit });
        loop {
            let left = limit.saturating_sub(began.elapsed());
            if one.process.wait(left.min(look)) == Waited::Exited {
                return Ok(());
            }
            if let Some(lost) = self.sides.lost() {
                bail!(lost);
            }
            if left.is_zero() || look >= left {
                bail!(
                    "the tool did not end within {} s on {}",
                    limit.as_secs(),
                    sides::label(&one.side.host)
                );
            }
        }
    }
}

/// Waits until the connections of all tools are open, and tells each tool when to begin, by the
/// clock of its host.
fn start_together(running: &mut [Running], bound: Duration) -> anyhow::Result<()> {
    for one in running.iter_mut() {
        one.process.line(bound)?;
    }
    let start = Clock(Clock::now().0.saturating_add(LEAD.as_nanos().try_into().unwrap_or(u64::MAX)));
    for one in running {
        one.process.tell(&one.offset.there(start).0.to_string())?;
    }
    Ok(())
}

impl Running<'_> {
    /// Returns the results of the tool, which has ended.
    fn finish(mut self, is_shared: bool) -> anyhow::Result<Share> {
        let before_end = self.process.usage()?;
        // A tool that takes commands prints its report as a line.
        let report = if is_shared { Some(self.process.line(GRACE)?) } else { None };
        let mut ended = self.process.kill()?;
        if let Some(report) = report {
            ended.output = report;
        }
        let usage = ended.usage.unwrap_or(before_end);
        let offsets = [self.offset, self.side.host.clock_offset()?];
        Ok(Share { ended, usage, offsets, started: self.started, known: self.known })
    }
}

impl Shares {
    /// Returns the output of the tools.
    pub(super) fn printed(&self) -> String {
        self.all.iter().map(|share| share.ended.output.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Returns what the tools used on all hosts.
    pub(super) fn usage(&self) -> Usage {
        self.all.iter().map(|share| share.usage).reduce(Usage::and).unwrap_or_default()
    }

    /// Returns the figures of the whole load, and when each share was made. Fails when an output is
    /// not complete, or the outputs are not parts of one load.
    pub(super) fn figures(&self, tool: &dyn Tool) -> anyhow::Result<(ToolOutput, Vec<Window>)> {
        let mut parts =
            self.all.iter().map(|share| share.parsed(tool)).collect::<anyhow::Result<Vec<_>>>()?;
        let windows = self.all.iter().zip(&parts).map(|(share, part)| share.window(part));
        let windows = windows.collect::<anyhow::Result<Vec<_>>>()?;
        let (began, ended) = bounds(&windows).context("no load host made load")?;
        let whole = match parts.len() {
            1 => parts.swap_remove(0),
            _ => tool.merge(parts, ended.since(began).as_secs_f64())?,
        };
        Ok((whole, windows))
    }
}

impl Share {
    /// Parses the tool's output. Fails when it is not complete.
    fn parsed(&self, tool: &dyn Tool) -> anyhow::Result<ToolOutput> {
        let Ended { status, output, .. } = &self.ended;
        let failed = || format!("{} ended with {status}{}", tool.name(), self.ended.last_words());
        tool.parse(output).with_context(failed)
    }

    /// Returns when the share was made. If the tool does not report when it began, its load is
    /// assumed to have ended when its end was known.
    fn window(&self, output: &ToolOutput) -> anyhow::Result<Window> {
        let elapsed = Duration::try_from_secs_f64(output.elapsed_seconds)?;
        let nanoseconds = u64::try_from(elapsed.as_nanos())?;
        let began = match output.began_nanoseconds {
            Some(began) => self.offsets[0].here(Clock(began)),
            None => Clock(self.known.0.saturating_sub(nanoseconds)).max(self.started),
        };
        Ok(Window { began, elapsed, answered: output.answered, late_seconds: output.late_seconds })
    }
}

/// Returns the time in which all hosts made load, as a share of the time in which any of them did.
pub(super) fn overlap(windows: &[Window]) -> f64 {
    let Some((began, ended)) = bounds(windows) else { return 0.0 };
    let last = windows.iter().map(|window| window.began).max().unwrap_or(began);
    let first_end = windows.iter().map(Window::end).min().unwrap_or(ended);
    let all = ended.since(began).as_secs_f64();
    if all > 0.0 { first_end.since(last).as_secs_f64() / all } else { 1.0 }
}

/// Returns when the first window began, and when the last one ended.
fn bounds(windows: &[Window]) -> Option<(Clock, Clock)> {
    let began = windows.iter().map(|window| window.began).min()?;
    Some((began, windows.iter().map(Window::end).max()?))
}

impl Window {
    fn end(&self) -> Clock {
        Clock(self.began.0.saturating_add(self.elapsed.as_nanos().try_into().unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlap_is_a_share_of_the_whole_time() {
        let window = |began: u64, milliseconds: u64| Window {
            began: Clock(began * 1_000_000),
            elapsed: Duration::from_millis(milliseconds),
            answered: 1,
            late_seconds: None,
        };
        let cases: [(&[Window], f64); 5] = [
            (&[window(5, 100)], 1.0),
            (&[window(5, 100), window(5, 100)], 1.0),
            (&[window(0, 100), window(10, 90)], 0.9),
            (&[window(0, 100), window(50, 100), window(0, 150)], 0.333_333),
            (&[window(0, 10), window(20, 10)], 0.0),
        ];
        for (windows, expected) in cases {
            assert!((overlap(windows) - expected).abs() < 1e-3, "{windows:?}");
        }
    }
}
