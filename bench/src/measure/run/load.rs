//! A load: the tool sends requests for a while, and the harness watches both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use visit_output::TimesReport;

use super::counters::{self, Counters, HostCores, Spent};
use super::loaded_server::LoadedServer;
use super::shares::{self, Share, Shares, Window};
use super::{Run, RunOutput, failed, series};
use crate::checks::verify;
use crate::machine::cores::Cores;
use crate::machine::host::{Clock, Memory, Seen, Traffic};
use crate::machine::sides::LoadSide;
use crate::servers::workload::{Amount, Load};
use crate::store::record::{
    ConnectionsRecord, CpuRecord, ErrorKind, ErrorRecord, HostsRecord, LatencyRecord, LoadHostRecord,
    LoadRecord, NetworkRecord, OpenLoopRecord, OpeningRecord, Record,
};
use crate::tools::{self, LoadSpec, Tool, ToolOutput};

/// The longest time to wait for a request of the warm-up. Its answers are discarded, and with a
/// server that drops connections, the workload's own timeout would delay each run: hey waits 20 s
/// for a warm-up of one second.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

impl Run<'_> {
    pub(super) fn load(
        &self,
        load: &Load,
        record: &mut Record,
        output: &mut RunOutput,
    ) -> Result<(), ErrorRecord> {
        let tool = tools::find(&load.tool).map_err(failed(ErrorKind::Unavailable))?;
        let (mut server, at_rest) = self.verified_server()?;
        let url = self.url(server.address());
        let spec = self.spec(load, &url);
        let warm_up = self.server.warm_up(load.warm_up);
        if !warm_up.is_zero() {
            let began = Instant::now();
            let shares = self.warm_up(tool, &spec, warm_up);
            output.load_time = Some(began.elapsed());
            server.check_running().map_err(failed(ErrorKind::Died))?;
            shares.map_err(failed(ErrorKind::Tool))?;
        }

        record.tool.command = self.commands(tool, &spec).swap_remove(0);
        let used_cores = Cores { server: record.server_cores.clone(), ..self.cores.clone() };
        let (parts, here) = (self.parts(&used_cores), self.sides.server());
        let traffic = self.sides.are_apart().then(|| here.traffic(self.sides.listens())).flatten();
        let accepted = here.accepted();
        let before = Counters::before(&server, used_cores.server.len(), &parts);
        let before = before.map_err(failed(ErrorKind::Died))?;
        let mut watched = used_cores.clone();
        if self.sides.are_apart() {
            // The tool's cores are on other hosts.
            watched.tool.clear();
        }
        let watch = here.watch(server.address(), watched.all()).map_err(failed(ErrorKind::HostLost))?;
        let began = Instant::now();
        let shares = self.run_tool(tool, &spec);
        let wall = began.elapsed();
        let Seen { connections, hertz } = watch.end();
        let is_here = server.is_here(connections);
        let spent = before.spent(&server, &parts);
        let accepted = here.accepted().zip(accepted).map(|(after, before)| after.saturating_sub(before));
        record.memory = server.memory(at_rest);
        *output.load_time.get_or_insert_default() += wall;
        output.printed = shares.as_ref().ok().map(Shares::printed);
        server.check_running().map_err(failed(ErrorKind::Died))?;
        let spent = spent.map_err(failed(ErrorKind::Died))?;
        let shares = shares.map_err(failed(ErrorKind::Tool))?;
        // The server is killed: the conformance cases check whether it ends on SIGTERM.
        server.end().map_err(failed(ErrorKind::Died))?;

        let (figures, windows) = shares.figures(tool).map_err(failed(ErrorKind::Tool))?;
        let elapsed_seconds = figures.elapsed_seconds;
        self.record_report(figures, record)?;
        record.cpu = Some(CpuRecord {
            idle_share: self.idle_share,
            frequency: hertz.map(|hertz| counters::frequency(&hertz, &watched)),
            ..spent.record(&shares.usage(), used_cores.server.len())
        });
        // The connections of a server on another machine are not counted here.
        let [seen, accepted] = [connections, accepted].map(|count| count.filter(|_| is_here));
        record.connections = Some(ConnectionsRecord { asked: load.connections, seen, accepted });
        if self.sides.are_apart() {
            let network = traffic.and_then(|before| self.network(&before, elapsed_seconds));
            record.hosts = Some(HostsRecord { network, ..self.hosts(&windows, &shares, &spent) });
        }
        Ok(())
    }

    /// The machines whose cores are measured: this one alone, or the server's and those of the load.
    fn parts<'s>(&'s self, cores: &Cores) -> Vec<HostCores<'s>> {
        if !self.sides.are_apart() {
            return vec![(self.sides.harness(), cores.all())];
        }
        let mut machines: BTreeMap<usize, HostCores> = BTreeMap::new();
        for load in self.loads() {
            let (_, cores) = machines.entry(load.machine).or_insert((&*load.host, Vec::new()));
            let new = load.cores.iter().filter(|core| !cores.contains(core)).copied().collect::<Vec<_>>();
            cores.extend(new);
        }
        std::iter::once((self.sides.server(), cores.server.clone())).chain(machines.into_values()).collect()
    }

    /// Returns the results of each host, without the network.
    fn hosts(&self, windows: &[Window], shares: &Shares, spent: &Spent) -> HostsRecord {
        let first = windows.iter().map(|window| window.began).min().unwrap_or(Clock(0));
        let sides = self.loads();
        let numbers = BTreeSet::from_iter(sides.iter().map(|side| side.machine));
        let of_load = |((side, share), window): ((&LoadSide, &Share), &Window)| {
            let is_alone = sides.iter().filter(|other| other.machine == side.machine).count() == 1;
            let part = numbers.iter().position(|number| *number == side.machine);
            // The first part is the server's host.
            let part = part.and_then(|index| spent.parts.get(index + 1)).filter(|_| is_alone);
            let [before, after] = share.offsets;
            let drift = Duration::from_nanos(after.nanoseconds.abs_diff(before.nanoseconds));
            LoadHostRecord {
                name: side.host.name().map(str::to_owned),
                machine: side.machine,
                cores: side.cores.clone(),
                answered: window.answered,
                began_seconds: window.began.since(first).as_secs_f64(),
                elapsed_seconds: window.elapsed.as_secs_f64(),
                late_seconds: window.late_seconds,
                tool: counters::usage(&share.usage),
                external_seconds: part.and_then(|part| part.external_seconds(share.usage.cpu)),
                round_trip_seconds: before.round_trip.as_secs_f64(),
                round_trip_after_seconds: after.round_trip.as_secs_f64(),
                clock_drift_seconds: drift.as_secs_f64(),
            }
        };
        HostsRecord {
            server: self.sides.server().name().map(str::to_owned),
            loads: sides.iter().zip(&shares.all).zip(windows).map(of_load).collect(),
            overlap: shares::overlap(windows),
            network: None,
        }
    }

    /// Returns the traffic of the server's host since `before`, during the load, which took
    /// `seconds`.
    fn network(&self, before: &Traffic, seconds: f64) -> Option<NetworkRecord> {
        let (server, address) = (self.sides.server(), self.sides.listens());
        let traffic = server.traffic(address)?.since(before);
        Some(NetworkRecord {
            seconds,
            megabits_per_second: server.interface(address)?.megabits_per_second,
            probed_megabits_per_second: self.probed,
            received_bytes: traffic.received_bytes,
            sent_bytes: traffic.sent_bytes,
            received_packets: traffic.received_packets,
            sent_packets: traffic.sent_packets,
            dropped: traffic.dropped,
            retransmitted: traffic.retransmitted,
        })
    }

    /// Starts the server and verifies its answers. Returns the server and its memory before the
    /// first request. Fails when the server does not start, or an answer is wrong.
    pub(super) fn verified_server(&self) -> Result<(LoadedServer, Option<Memory>), ErrorRecord> {
        let server = LoadedServer::start(self).map_err(failed(ErrorKind::Start))?;
        let at_rest = server.at_rest();
        verify::before_timing(server.address(), self.workload, self.server)
            .map_err(failed(ErrorKind::WrongAnswer))?;
        Ok((server, at_rest))
    }

    /// Returns the load that the tool has to make, on the server at this URL.
    pub(super) fn spec<'s>(&'s self, load: &'s Load, url: &'s str) -> LoadSpec<'s> {
        LoadSpec {
            load,
            amount: load.amount,
            rate: self.rate.map(|(rate, _)| rate),
            share: None,
            series: self.series,
            answer: &self.workload.answer,
            cores: self.cores.tool.len(),
            url,
        }
    }

    /// Runs the same load for `time`. Fails when the tool does not end.
    fn warm_up(&self, tool: &dyn Tool, spec: &LoadSpec, time: Duration) -> anyhow::Result<Shares> {
        let load = Load { timeout: spec.load.timeout.min(WARM_UP_TIMEOUT), ..spec.load.clone() };
        let amount = Amount::Time(time);
        self.run_tool(tool, &LoadSpec { load: &load, amount, series: None, ..*spec })
    }

    /// Records what the tool reports. Fails when an answer was wrong.
    pub(super) fn record_report(&self, reported: ToolOutput, record: &mut Record) -> Result<(), ErrorRecord> {
        if let Some(mismatch) = &reported.mismatch {
            let wrong = anyhow!("an answer was wrong under load: {mismatch}");
            return Err(failed(ErrorKind::WrongAnswer)(wrong));
        }
        let amount = self.workload.load().map(|load| load.amount);
        record.series = amount.and_then(|amount| series::record(&reported, amount));
        let held = reported.held;
        record.load = Some(LoadRecord {
            elapsed_seconds: reported.elapsed_seconds,
            answered: reported.answered,
            errors: reported.errors,
            failed_connections: reported.failed_connections,
            claimed_per_second: reported.claimed_per_second,
            open_loop: self.rate.map(|(rate_per_second, peak_per_second)| OpenLoopRecord {
                rate_per_second,
                peak_per_second,
                held: held.map(|(held, _)| held),
                lag_p99_seconds: held.map(|(_, lag)| lag),
            }),
            tls: reported.tls,
            kinds: reported.kinds,
        });
        record.latency = Some(LatencyRecord {
            mean_seconds: reported.mean_seconds,
            percentiles: reported.percentiles,
            max_seconds: reported.max_seconds,
            p99_9_seconds: reported.histogram.as_ref().map(|times| times.p99_9_seconds),
            connect: reported.connect.as_ref().map(opening),
            handshake: reported.handshake.as_ref().map(opening),
            // Packing does not fail: the tool printed it packed.
            histogram: reported.histogram.and_then(|times| times.pack().ok()),
        });
        Ok(())
    }
}

/// The stored form of the times of a step of opening connections.
fn opening(times: &TimesReport) -> OpeningRecord {
    OpeningRecord {
        count: times.count,
        mean_seconds: Some(times.mean_seconds),
        p50_seconds: times.p50_seconds,
        p99_seconds: times.p99_seconds,
        max_seconds: times.max_seconds,
    }
}
