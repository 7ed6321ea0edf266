//! Fixed record sets for reports.
#![allow(dead_code, reason = "each test uses a part of it")]

use bench::machine::host::{Interface, Offload, Offloads};
use bench::machine::{HostLink, Hosts, Machine};
use bench::store::record::{
    ConformanceRecord, ConnectionsRecord, ErrorKind, ErrorRecord, From, HostsRecord, LoadHostRecord,
    MemoryRecord, NetworkRecord, PublishedRecord, Record, SeriesRecord, UsageRecord,
};
use bench::store::results::{self, Loaded};

use crate::folder::{Folder, duplicate, floor, hold, load, open_loop, start};

/// A name that is markup in every format.
pub(crate) const HOSTILE: &str = "<script>alert('|`*_\"&')</script>";

/// Writes the folder to the disk, and loads it from there.
pub(crate) fn loaded(folder: &Folder) -> Loaded {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("results");
    folder.write(&path);
    results::load(&path).unwrap()
}

/// One workload with two servers, a duplicate and a floor.
pub(crate) fn two_servers() -> Folder {
    let mut folder = Folder::new();
    folder.add(&quick("server-bound", 8.0));
    folder.add(&duplicate(quick("server-bound", 8.0)));
    folder.add(&changed(quick("client-bound", 9.0), |run| run.cpu.as_mut().unwrap().tool.seconds = 0.95));
    folder.add(&floor(quick("least", 4.0)));
    folder
}

/// One workload with a server for every verdict and error, a tie, a duplicate, and a floor.
pub(crate) fn every_verdict() -> Folder {
    let mut folder = Folder::new();
    let mut add = |record: Record| folder.add(&record);
    add(quick("server-bound", 8.0));
    add(duplicate(quick("server-bound", 8.0)));
    add(floor(quick("least", 4.0)));
    add(changed(quick("a-tie", 8.01), |run| run.server.language = "Go".into()));
    add(changed(quick("client-bound", 7.0), |run| run.cpu.as_mut().unwrap().tool.seconds = 0.95));
    add(changed(quick("latency-bound", 12.0), |run| idle(run, 12.0)));
    add(changed(quick("thread-bound", 10.0), |run| {
        run.server_cores = vec![0, 2];
        run.cpu.as_mut().unwrap().thread_seconds = Some(vec![0.94, 0.01]);
    }));
    add(changed(quick("disturbed", 9.0), |run| run.cpu.as_mut().unwrap().external_seconds = Some(0.4)));
    add(changed(quick("errors", 20.0), |run| {
        run.load.as_mut().unwrap().errors = [("status 503".into(), 3), ("timeout".into(), 1)].into();
        run.server.conformance = Some(ConformanceRecord {
            cases: 483,
            passed: 158,
            flaky: Some(0),
            smuggled: 29,
            odd: Vec::new(),
        });
    }));
    add(changed(quick("few-connections", 30.0), |run| run.connections.as_mut().unwrap().seen = Some(7)));
    add(changed(quick("unknown-version", 40.0), |run| {
        (run.server.version, run.server.conformance, run.memory) = (None, None, None);
    }));
    folder.records.push(failure(quick("not-there", 1.0), ErrorKind::Unavailable, "there is no `go`"));
    folder.records.push(failure(quick("wrong", 1.0), ErrorKind::WrongAnswer, "GET / answered 404"));
    folder
}

/// Workloads for every section of a report.
pub(crate) fn every_question() -> Folder {
    let mut folder = every_verdict();
    for (server, cost, language) in [("one", 8.0, "Go"), ("two", 80.0, "Python")] {
        let mut add = |record: Record| {
            folder.add(&changed(record, |run| {
                run.server.language = language.into();
                run.server.article = Some(language.into());
            }));
        };
        for connections in [1, 8, 64, 1024] {
            add(connected("connections", connections, server, cost));
        }
        for (cores, efficiency) in [(1, 1.0), (2, 0.9), (4, 0.8)] {
            add(scaled(cores, efficiency, server, cost));
        }
        for mode in ["keep-alive", "close", "pipelined-16"] {
            add(changed(named("modes", mode, server, cost), |run| {
                run.workload.mode = Some(mode.into());
                run.series = Some(over_time());
            }));
        }
        add(changed(named("article", "5s", server, cost), |run| {
            run.tool.name = "hey".into();
            let (baseline, contender) = ("Python".into(), "Go".into());
            run.workload.published = Some(PublishedRecord { baseline, contender, ratio: 9.75 });
        }));
        for (share, rate) in [(25, 1000), (50, 2000)] {
            add(at_share(share, open_loop(server, rate, cost / 1e4), cost));
        }
        add(changed(start(server, cost / 1e3), |run| run.workload.name = "startup-first-answer".into()));
        add(changed(hold(server, 4000), |run| run.workload.name = "startup-100".into()));
        add(changed(quick(server, cost), |run| {
            run.tool.name = "wrk".into();
            let semantics = run.tool.semantics.as_mut().unwrap();
            (semantics.from, semantics.synthetic) = (From::Sent, true);
        }));
    }
    for mode in ["keep-alive", "close"] {
        let least = named("modes", mode, "least", 4.0);
        folder.add(&floor(changed(least, |run| run.workload.mode = Some(mode.into()))));
    }
    let parts = in_parts();
    folder.records.extend(parts.records);
    folder.has_microbenchmarks = parts.has_microbenchmarks;
    folder
}

/// A load that warms up, and then has an interval without answers.
fn over_time() -> SeriesRecord {
    let (p50_seconds, p99_seconds) = (vec![Some(2e-4), Some(1e-4), None], vec![Some(2e-2), Some(1e-3), None]);
    SeriesRecord { interval_seconds: 0.1, answered: vec![4000, 9000, 0], p50_seconds, p99_seconds }
}

/// The floor, and servers whose microbenchmarks explain all of the CPU time per request, a part of
/// it or more than all of it, and one without microbenchmarks.
pub(crate) fn in_parts() -> Folder {
    let mut folder = Folder { has_microbenchmarks: true, ..Folder::new() };
    let mut add = |server: &str, microseconds: f64, switches: Option<f64>| {
        let run = changed(named("parts", "100", server, microseconds), |run| {
            let answered = bench::text::numbers::as_f64(run.load.as_ref().unwrap().answered);
            let usage = run.cpu.as_mut().unwrap().server.as_mut().unwrap();
            usage.user_seconds = 0.19;
            usage.voluntary_switches = switches.map(|each| whole(each * answered));
            usage.involuntary_switches = Some(100);
        });
        folder.add(&if server == "line" { floor(run) } else { run });
    };
    add("line", 5.0, Some(0.02));
    add("framed", 8.0, Some(0.02));
    add("switched", 7.0, Some(1.1));
    add("half-explained", 9.0, Some(0.0));
    add("over-explained", 7.5, Some(0.03));
    add("attached", 12.0, None);
    folder
}

/// One run of one server.
pub(crate) fn one_run() -> Folder {
    let mut folder = Folder::new();
    folder.add(&quick("only", 8.0));
    folder.records.truncate(1);
    folder
}

/// Thirty servers, one with a long name and one with markup as its name.
pub(crate) fn many_servers() -> Folder {
    let mut folder = Folder::new();
    for place in 0..30_u32 {
        let name = match place {
            7 => HOSTILE.to_owned(),
            8 => "a-server-whose-name-is-very-long-indeed-and-goes-on".into(),
            _ => format!("server-{place}"),
        };
        let cost = 8.0 + f64::from(place);
        for workload in ["quick", "other"] {
            folder.add(&changed(named(workload, "100", &name, cost), |run| {
                if place == 7 {
                    let server = &mut run.server;
                    for text in [&mut server.title, &mut server.language, &mut server.runtime] {
                        *text = HOSTILE.into();
                    }
                    run.server.version = Some(HOSTILE.into());
                }
            }));
        }
    }
    folder
}

/// A field of servers: name, language, concurrency model, and microseconds of CPU time per request
/// with 100 connections. There are ties, and one server is far behind.
const FIELD: [(&str, &str, &str, f64); 16] = [
    ("epoll", "Rust", "event loop", 7.11),
    ("tokio", "Rust", "event loop", 7.23),
    ("compio", "Rust", "thread per core", 7.62),
    ("may-minihttp", "Rust", "coroutine", 7.8),
    ("may", "Rust", "coroutine", 7.81),
    ("hyper", "Rust", "event loop", 8.0),
    ("axum", "Rust", "event loop", 8.01),
    ("ntex", "Rust", "thread per core", 8.02),
    ("actix", "Rust", "thread per core", 8.28),
    ("nginx", "C", "process", 8.51),
    ("threads", "Rust", "thread pool", 9.91),
    ("fasthttp", "Go", "coroutine", 11.2),
    ("nethttp", "Go", "coroutine", 17.8),
    ("node-http", "JavaScript", "process", 31.0),
    ("uvicorn", "Python", "process", 62.0),
    ("http-server", "Python", "process", 410.0),
];

/// The field, a floor and a duplicate under all workloads of a sweep.
pub(crate) fn a_field() -> Folder {
    let mut folder = Folder::new();
    let servers = FIELD.into_iter().map(|(name, language, model, cost)| (name, language, model, cost, 0));
    let others = [("floor", "Rust", "event loop", 6.94, 1), ("hyper", "Rust", "event loop", 8.0, 2)];
    for (name, language, model, cost, kind) in servers.chain(others) {
        let mut add = |record: Record| {
            let record = changed(record, |run| {
                (run.server.language, run.server.model) = (language.into(), model.into());
            });
            folder.add(&match kind {
                1 => floor(record),
                2 => duplicate(record),
                _ => record,
            });
        };
        for (connections, times) in [(1, 1.65), (100, 1.0)] {
            add(connected("quick", connections, name, cost * times));
        }
        for (connections, times) in [(1, 1.65), (8, 1.3), (64, 1.02), (256, 1.0), (1024, 1.1), (8192, 1.4)] {
            add(connected("connections", connections, name, cost * times));
        }
        for (mode, times) in [("keep-alive", 1.0), ("close", 4.0), ("pipelined-16", 0.1)] {
            let run = named("modes", mode, name, cost * times);
            add(changed(run, |run| run.workload.mode = Some(mode.into())));
        }
        add(named("latency", "peak", name, cost));
        for share in [25, 50, 75, 90] {
            let rate = whole(1e4 * f64::from(share) / cost);
            let run = open_loop(name, u32::try_from(rate).unwrap(), cost * f64::from(share) / 1e6);
            add(at_share(share, run, cost));
        }
        add(changed(start(name, cost / 1e3), |run| run.workload.name = "startup-first-answer".into()));
        add(changed(hold(name, whole(cost * 500.0)), |run| run.workload.name = "startup-1000".into()));
    }
    folder
}

fn quick(server: &str, microseconds: f64) -> Record {
    named("quick", "100", server, microseconds)
}

fn named(family: &str, rest: &str, server: &str, microseconds: f64) -> Record {
    changed(load(&format!("{family}-{rest}"), server, microseconds), |run| {
        run.cpu.as_mut().unwrap().server.as_mut().unwrap().system_seconds = 0.76;
        let after = Some(5_000_000);
        let memory = MemoryRecord { at_rest_bytes: Some(3_000_000), after_bytes: after, peak_bytes: after };
        run.memory = Some(memory);
    })
}

fn connected(family: &str, connections: u32, server: &str, microseconds: f64) -> Record {
    changed(named(family, &connections.to_string(), server, microseconds), |run| {
        run.workload.connections = connections;
        run.workload.title = format!("{connections} connections");
        let connections =
            ConnectionsRecord { asked: connections, seen: Some(connections.into()), accepted: None };
        run.connections = Some(connections);
    })
}

/// A server that is busy on this number of cores. Its answers per core are `efficiency` times those
/// on one core.
fn scaled(cores: u32, efficiency: f64, server: &str, microseconds: f64) -> Record {
    changed(named("scaling", &cores.to_string(), server, microseconds), |run| {
        run.workload.server_cores = Some(cores as usize);
        run.server_cores = (0..cores as usize).collect();
        run.tool_cores = (8..16).collect();
        let cores = f64::from(cores);
        run.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds *= cores;
        let load = run.load.as_mut().unwrap();
        load.answered = whole(bench::text::numbers::as_f64(load.answered) * cores * efficiency);
    })
}

/// An open loop at a share of the peak, in percent.
fn at_share(share: u32, open_loop: Record, cost: f64) -> Record {
    changed(open_loop, |run| {
        run.workload.name = format!("latency-{share}");
        run.workload.title = format!("{share} % of the peak");
        run.latency.as_mut().unwrap().percentiles.extend([(50, cost / 1e5), (90, cost / 5e4)]);
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is small and not negative")]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

fn changed(mut record: Record, change: impl FnOnce(&mut Record)) -> Record {
    change(&mut record);
    record
}

/// Makes neither side busy.
fn idle(record: &mut Record, microseconds: f64) {
    crate::folder::busy(record, 0.4, microseconds);
    record.cpu.as_mut().unwrap().server.as_mut().unwrap().system_seconds = 0.3;
}

/// A failure instead of all repetitions.
fn failure(mut record: Record, kind: ErrorKind, message: &str) -> Record {
    (record.load, record.cpu, record.latency, record.memory) = (None, None, None, None);
    record.repetition = None;
    record.error = Some(ErrorRecord { kind, message: message.into() });
    record
}

/// Servers on a host of their own, under load from two others: one is limited by itself, one by the
/// tool on one of the hosts, and one by the network.
pub(crate) fn over_a_network() -> Folder {
    let mut folder = Folder::new();
    folder.machine.hosts = Some(hosts(&folder.machine));
    let mut add = |record: Record, busy: [f64; 2], sent_bytes: u64| {
        folder.add(&changed(record, |run| over_network(run, busy, sent_bytes)));
    };
    for connections in [1, 100] {
        add(connected("network", connections, "server-bound", 8.0), [0.5, 0.6], 20_000_000);
        add(duplicate(connected("network", connections, "server-bound", 8.0)), [0.5, 0.6], 20_000_000);
        add(connected("network", connections, "client-bound", 9.0), [0.5, 0.95], 20_000_000);
        let full = changed(connected("network", connections, "network-bound", 12.0), |run| idle(run, 12.0));
        add(full, [0.5, 0.6], 119_000_000);
    }
    folder
}

/// The hosts of a measurement: the server's, and two of the load.
fn hosts(machine: &Machine) -> Hosts {
    let link = |name: &str, last: u8, speed: Option<u64>| HostLink {
        name: Some(name.into()),
        address: Some([192, 0, 2, last].into()),
        interface: Some(Interface {
            name: "eth0".into(),
            driver: speed.map(|_| "igb".into()),
            megabits_per_second: speed,
            mtu: speed.map(|_| 1500),
            receive_queues: None,
            offloads: speed.map(|_| Offloads(vec![Offload::Tso, Offload::Gso, Offload::Gro])),
        }),
        round_trip_seconds: 0.0002,
    };
    let load = |name: &str, last: u8, speed: Option<u64>| {
        let machine = Machine { host: name.into(), tool_cores: vec![0, 1], ..machine.clone() };
        (link(name, last, speed), machine)
    };
    let loads = vec![load("beta", 2, Some(1000)), load("gamma", 3, None)];
    Hosts { harness: "here".into(), server: link("alpha", 1, Some(1000)), loads }
}

/// Divides a run's load between two hosts with two cores each. `busy` is the share of its cores
/// that the tool used on each host.
fn over_network(run: &mut Record, busy: [f64; 2], sent_bytes: u64) {
    let elapsed_seconds = run.load.as_ref().unwrap().elapsed_seconds;
    let cpu = run.cpu.as_mut().unwrap();
    let load = |name: &str, machine: usize, busy: f64| LoadHostRecord {
        name: Some(name.into()),
        machine,
        cores: vec![0, 1],
        answered: run.load.as_ref().unwrap().answered / 2,
        began_seconds: bench::text::numbers::as_f64(machine as u64) * 0.0003,
        elapsed_seconds,
        late_seconds: Some(0.0001),
        tool: UsageRecord { seconds: 2.0 * busy, ..cpu.tool },
        external_seconds: Some(0.01),
        round_trip_seconds: 0.0002,
        round_trip_after_seconds: 0.0003,
        clock_drift_seconds: 0.000_004,
    };
    let loads = vec![load("beta", 0, busy[0]), load("gamma", 1, busy[1])];
    let network = NetworkRecord {
        seconds: 1.0,
        megabits_per_second: Some(1000),
        probed_megabits_per_second: None,
        received_bytes: sent_bytes / 2,
        sent_bytes,
        received_packets: sent_bytes / 200,
        sent_packets: sent_bytes / 200,
        dropped: 0,
        retransmitted: 3,
    };
    cpu.tool.seconds = 2.0 * (busy[0] + busy[1]);
    cpu.external_seconds = Some(0.02);
    run.hosts =
        Some(HostsRecord { server: Some("alpha".into()), loads, overlap: 0.9995, network: Some(network) });
}
