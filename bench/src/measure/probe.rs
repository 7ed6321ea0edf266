//! Measures the maximum throughput of the link between hosts, by two short loads with large answers
//! before the first run.
//!
//! The kernel reports the speed of a network card, but for a virtual card it reports nothing, or an
//! invented figure. The floor, which does nothing but write, sends as much as any server here. If
//! neither side is busy, and twice the connections carry no more, the link is the limit.

use std::time::Duration;

use super::Measurement;
use super::contender::Contender;
use super::prepare;
use super::run::Run;
use crate::analysis::verdict::BUSY_FROM;
use crate::servers::workload::{Amount, Load, Mode, Task, Workload};
use crate::store::record::{Bound, Record};

/// The length of the requested path in bytes: as long as servers accept. The answer repeats the
/// path.
const PATH_BYTES: usize = 7500;

/// Connections of each load host in the first load; the second has twice as many.
const CONNECTIONS: u32 = 128;

/// The ratio of the second load's throughput to the first's up to which the link counts as the
/// limit of both.
const SAME: f64 = 1.1;

/// How long each load takes.
const TIME: Duration = Duration::from_secs(1);

/// Returns how much the link carries at most, in megabits per second. `None` if something else
/// limited the loads, if both sides are on one machine, or if the floor is not among the servers.
pub(super) fn link(measurement: &Measurement, contenders: &[Contender]) -> Option<f64> {
    let Measurement { sides, layout, progress, .. } = *measurement;
    if !sides.are_apart() {
        return None;
    }
    let floor = contenders.iter().find(|contender| contender.server.is_floor && contender.prepared.is_ok());
    let Some(floor) = floor else {
        progress.note("the link is not probed, since the floor is not among the servers");
        return None;
    };
    let hosts = u32::try_from(sides.loads().len()).unwrap_or(1);
    let load = |connections: u32| {
        let workload = workload(connections * hosts);
        let setup = prepare::setup(sides, layout, &workload);
        let mut record = floor.record(&workload, &setup, None, 1);
        let run = Run::new(sides, &setup, &workload, floor.runs());
        run.make(&mut record);
        carried(record)
    };
    match limit(load) {
        Ok(most) => {
            progress.note(&format!("the link carries {most:.0} Mbit/s, as a probe of large answers found"));
            Some(most)
        }
        Err(why) => {
            progress.note(&format!("the limit of the link is not known: {why}"));
            None
        }
    }
}

/// Returns the throughput, in megabits per second, that twice the connections do not exceed, or why
/// it is not known.
fn limit(load: impl Fn(u32) -> Result<f64, String>) -> Result<f64, String> {
    let (few, many) = (load(CONNECTIONS)?, load(2 * CONNECTIONS)?);
    if many > few * SAME {
        return Err(format!("it carries {few:.0} Mbit/s, and {many:.0} with twice the connections"));
    }
    Ok(few.max(many))
}

/// Returns how much a load carried, in megabits per second, or why that says nothing about the
/// link.
fn carried(record: Record) -> Result<f64, String> {
    if let Some(error) = record.error {
        return Err(error.message);
    }
    let verdict = record.verdict.ok_or("its probe has no verdict")?;
    // A full link loses packets, so that an answer may have stalled: an invalid load is good enough
    // here.
    let busy = verdict.server_utilisation.unwrap_or(1.0).max(verdict.tool_utilisation);
    if busy >= BUSY_FROM || matches!(verdict.bound, Bound::ThreadBound | Bound::Disturbed) {
        return Err(format!("its probe is {}", verdict.bound));
    }
    let network = record.hosts.and_then(|hosts| hosts.network);
    network.and_then(|network| network.carried()).ok_or_else(|| "the kernel does not count its bytes".into())
}

fn workload(connections: u32) -> Workload {
    let path = format!("/{}", "a".repeat(PATH_BYTES - 1));
    Workload {
        name: "link".into(),
        suite: "link".into(),
        title: "what the link carries".into(),
        answer: format!("Hello, visitor! You've requested: {path}\n"),
        path,
        task: Task::Load(Load {
            warm_up: TIME / 5,
            timeout: 10 * TIME,
            ..Load::new("visit", connections, Amount::Time(TIME), Mode::KeepAlive)
        }),
        server_cores: None,
        repetitions: 1,
        published: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::verdict;
    use crate::store::record::{ErrorKind, ErrorRecord, HostsRecord, NetworkRecord, VerdictRecord};

    #[test]
    fn a_limit_is_what_twice_the_connections_cannot_exceed() {
        let (carries, fails) = (Ok::<f64, &str>, Err::<f64, &str>);
        // The throughput with few connections and with twice as many, and the expected result.
        let cases = [
            (carries(940.0), carries(938.0), Ok(940.0)),
            (carries(900.0), carries(940.0), Ok(940.0)),
            (
                carries(500.0),
                carries(551.0),
                Err("it carries 500 Mbit/s, and 551 with twice the connections"),
            ),
            (fails("its probe is server-bound"), carries(940.0), Err("its probe is server-bound")),
            (carries(940.0), fails("its probe is disturbed"), Err("its probe is disturbed")),
        ];
        for (few, many, expected) in cases {
            let found = limit(|connections| {
                let load = if connections == CONNECTIONS { few } else { many };
                load.map_err(str::to_owned)
            });
            assert_eq!(found, expected.map_err(str::to_owned), "{few:?} {many:?}");
        }
    }

    /// Returns the record of a load of one second that carried 125 MB to the load hosts, with these
    /// utilisations of the sides.
    fn loaded(server: f64, tool: f64, bound: Bound) -> Record {
        let network = NetworkRecord {
            seconds: 1.0,
            megabits_per_second: Some(10_000),
            probed_megabits_per_second: None,
            received_bytes: 1_000_000,
            sent_bytes: 125_000_000,
            received_packets: 1,
            sent_packets: 1,
            dropped: 9,
            retransmitted: 9,
        };
        let mut record = Record::example("floor", 1);
        let verdict = verdict::judge_run(&record).unwrap();
        let (server_utilisation, tool_utilisation) = (Some(server), tool);
        record.verdict = Some(VerdictRecord { bound, server_utilisation, tool_utilisation, ..verdict });
        record.hosts =
            Some(HostsRecord { server: None, loads: Vec::new(), overlap: 1.0, network: Some(network) });
        record
    }

    #[test]
    fn a_probe_says_nothing_where_something_else_limited_it() {
        let with = |change: fn(&mut Record)| {
            let mut record = loaded(0.5, 0.5, Bound::LatencyBound);
            change(&mut record);
            record
        };
        let error = ErrorRecord { kind: ErrorKind::HostLost, message: "beta: it is away".into() };
        let lost = Record { error: Some(error), ..with(|_| ()) };
        let cases = [
            ("a full link", with(|_| ()), Ok(1000.0)),
            ("a link that loses packets", loaded(0.5, 0.5, Bound::Invalid), Ok(1000.0)),
            ("a busy server", loaded(0.95, 0.5, Bound::ServerBound), Err("its probe is server-bound")),
            ("a busy tool", loaded(0.5, 0.95, Bound::ClientBound), Err("its probe is client-bound")),
            ("both", loaded(0.95, 0.95, Bound::Invalid), Err("its probe is invalid")),
            ("busy threads", loaded(0.5, 0.5, Bound::ThreadBound), Err("its probe is thread-bound")),
            ("other work", loaded(0.5, 0.5, Bound::Disturbed), Err("its probe is disturbed")),
            ("a lost host", lost, Err("beta: it is away")),
            ("no verdict", with(|record| record.verdict = None), Err("its probe has no verdict")),
            (
                "no counters",
                with(|record| record.hosts.as_mut().unwrap().network = None),
                Err("the kernel does not count its bytes"),
            ),
        ];
        for (name, record, expected) in cases {
            assert_eq!(carried(record), expected.map_err(str::to_owned), "{name}");
        }
    }
}
