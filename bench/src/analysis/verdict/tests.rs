//! Runs with figures at each limit, and their verdicts.

use super::*;
use crate::store::record::{
    NetworkRecord, OpenLoopRecord, OpeningRecord, RateRecord, SlicesRecord, UsageRecord,
};

/// A run of one second with a core for each side, in which the server, the tool and other work used
/// these seconds of CPU time.
fn run(server: f64, tool: f64, external: f64) -> Record {
    let mut record = Record::example("one", 1);
    let cpu = record.cpu.as_mut().unwrap();
    (cpu.server.as_mut().unwrap().seconds, cpu.tool.seconds, cpu.external_seconds) =
        (server, tool, Some(external));
    record
}

fn with(mut record: Record, change: impl Fn(&mut Record)) -> Record {
    change(&mut record);
    record
}

#[test]
fn a_run_is_bound_by_what_was_used_up() {
    let busy = || run(0.95, 0.95, 0.0);
    let unknown = |record: &mut Record| {
        let cpu = record.cpu.as_mut().unwrap();
        (cpu.server, cpu.external_seconds) = (None, None);
        record.latency.as_mut().unwrap().max_seconds = Some(0.3);
    };
    let errors = |record: &mut Record| {
        record.load.as_mut().unwrap().errors = [("status 503".to_owned(), 1)].into();
    };
    let reset = |record: &mut Record| {
        let load = record.load.as_mut().unwrap();
        (load.errors, load.failed_connections) = ([("read".to_owned(), 1)].into(), 1);
    };
    let both = |record: &mut Record| {
        reset(record);
        record.load.as_mut().unwrap().errors.insert("status 503".into(), 1);
    };
    let kept = |record: &mut Record| {
        record.workload.mode = Some("close".into());
        record.connections.as_mut().unwrap().accepted = Some(10);
    };
    let asked = |record: &mut Record| record.workload.requests = Some(1100);
    let synthetic = |share: f64| {
        move |record: &mut Record| {
            record.tool.semantics.as_mut().unwrap().synthetic = true;
            record.latency.as_mut().unwrap().mean_seconds = Some(0.01 * share);
        }
    };
    let open = |held, rate_per_second| {
        move |record: &mut Record| {
            let (peak_per_second, lag_p99_seconds) = (None, Some(0.1));
            record.load.as_mut().unwrap().open_loop =
                Some(OpenLoopRecord { rate_per_second, peak_per_second, held, lag_p99_seconds });
            let rate = RateRecord { per_second: Some(rate_per_second), ..RateRecord::default() };
            record.workload.rate = Some(rate);
        }
    };
    let quota = |run: &mut Record| run.cpu.as_mut().unwrap().throttled_seconds = Some(0.2);
    let asleep = |run: &mut Record| run.cpu.as_mut().unwrap().suspended_seconds = Some(90.0);
    let unanswered = |run: &mut Record| run.load.as_mut().unwrap().answered = 0;
    let nine = |run: &mut Record| run.connections.as_mut().unwrap().seen = Some(9);
    let nine_in_mode_close = |run: &mut Record| {
        nine(run);
        run.workload.mode = Some("close".into());
        run.connections.as_mut().unwrap().accepted = Some(1000);
    };
    // By Little's law, a request waits for 10 ms. The answer takes 0.5 ms of these, and the connect
    // and the handshake take these seconds.
    let opens = |connect, handshake| {
        move |run: &mut Record| {
            nine_in_mode_close(run);
            run.tool.semantics.as_mut().unwrap().connect_included = false;
            let opening = |mean_seconds| OpeningRecord {
                count: 1000,
                mean_seconds,
                p50_seconds: 0.0,
                p99_seconds: 0.0,
                max_seconds: 0.0,
            };
            let latency = run.latency.as_mut().unwrap();
            latency.mean_seconds = Some(0.0005);
            (latency.connect, latency.handshake) = (Some(opening(connect)), Some(opening(handshake)));
        }
    };
    let fast = |run: &mut Record| run.latency.as_mut().unwrap().mean_seconds = Some(0.001);
    let coarse = |run: &mut Record| {
        run.latency.as_mut().unwrap().mean_seconds = Some(0.0);
        run.tool.semantics.as_mut().unwrap().resolution_seconds = Some(0.1);
    };
    let slow = |run: &mut Record| run.latency.as_mut().unwrap().max_seconds = Some(0.3);
    let late = "the rate of 1000/s was not held: one request in a hundred began more than 100.0 ms late, and the \
                tool used all of its cores' time";
    let unheld = with(run(0.5, 0.95, 0.0), open(Some(false), 1000.0));
    let too_little = with(run(0.95, 0.5, 0.0), open(None, 1020.0));
    let unanswered_share = "98.0 % of it was answered, and the tool had time left";
    let broken = "Little's law is broken: throughput times mean latency is 10 %";
    let still = "something stood still: an answer took 0.30 s";
    let cases = [
        ("neither is busy", run(0.5, 0.5, 0.0), "latency-bound", ""),
        ("the server is", run(0.95, 0.5, 0.02), "server-bound", ""),
        ("the tool is", run(0.5, 0.95, 0.02), "client-bound", ""),
        ("both are", busy(), "client-bound", ""),
        ("the server's usage is unknown", with(run(0.95, 0.5, 0.0), unknown), "unknown", ""),
        ("the same, and the tool is busy", with(busy(), unknown), "client-bound", ""),
        ("other work takes a tenth", run(0.5, 0.5, 0.2), "disturbed", "other work took 10 %"),
        ("a quota takes a tenth", with(busy(), quota), "disturbed", "quota throttled 10 %"),
        ("a laptop is closed", with(busy(), asleep), "disturbed", "suspended for 90 s"),
        ("one in a thousand fails", with(busy(), errors), "invalid", "1 of 1001 requests failed"),
        ("there is no answer", with(busy(), unanswered), "invalid", "nothing was answered"),
        ("connections fail", with(busy(), reset), "invalid", "1 connections failed, beside 1000 answers"),
        ("both fail", with(busy(), both), "invalid", "1 of 1001 requests failed, and 1 connections"),
        ("a server does not close", with(busy(), kept), "invalid", "1000 answers over 10 of them"),
        ("fewer are made", with(busy(), asked), "invalid", "only 1000 of 1100 requests were made"),
        ("synthetic latency", with(busy(), synthetic(0.3)), "client-bound", ""),
        ("the same, and connections hang", with(busy(), synthetic(0.05)), "invalid", "mean latency is 5 %"),
        ("connections are missing", with(busy(), nine), "invalid", "only 9 of 10 connections"),
        ("none stays open in mode close", with(busy(), nine_in_mode_close), "client-bound", ""),
        ("a handshake is most of the wait", with(busy(), opens(Some(0.0), Some(0.009))), "client-bound", ""),
        ("the connect is", with(busy(), opens(Some(0.009), Some(0.0))), "client-bound", ""),
        ("neither is", with(busy(), opens(Some(0.0002), Some(0.0002))), "invalid", "mean latency is 9 %"),
        ("neither is known", with(busy(), opens(None, None)), "invalid", "mean latency is 5 %"),
        ("the tool says that it did not hold the rate", unheld, "invalid", late),
        ("too little was answered", too_little, "invalid", unanswered_share),
        ("the rate was held", with(busy(), open(Some(true), 1000.0)), "latency-bound", ""),
        ("answers come too fast for ten connections", with(busy(), fast), "invalid", broken),
        ("the tool counts in tenths of a second", with(busy(), coarse), "client-bound", ""),
        ("neither side was busy for a while", with(run(0.7, 0.7, 0.0), slow), "invalid", still),
        ("an unfair server is busy", with(busy(), slow), "client-bound", ""),
    ];
    for (name, record, expected, reason) in cases {
        let verdict = judge_run(&record).unwrap();
        assert_eq!(verdict.bound.to_string(), expected, "{name}");
        assert!(verdict.reason.unwrap_or_default().contains(reason), "{name}");
    }
    let failed = Record { load: None, ..busy() };
    assert!(judge_run(&failed).is_none());
}

/// A run of one second, with the seconds of CPU time of the server, the number of its cores, and
/// the seconds of its busiest threads.
fn threaded(server: f64, cores: usize, threads: &[f64]) -> Record {
    with(run(server, 0.5, 0.0), |record| {
        record.server_cores = (0..cores).collect();
        record.tool_cores = vec![cores];
        record.cpu.as_mut().unwrap().thread_seconds = Some(threads.to_vec());
    })
}

#[test]
fn a_server_with_fewer_busy_threads_than_cores_is_bound_by_them() {
    let busy_tool = |record: &mut Record| record.cpu.as_mut().unwrap().tool.seconds = 0.95;
    let unknown = |record: &mut Record| record.cpu.as_mut().unwrap().thread_seconds = None;
    let late = |record: &mut Record| record.latency.as_mut().unwrap().max_seconds = Some(0.3);
    let open = |record: &mut Record| {
        let rate = RateRecord { per_second: Some(1000.0), ..RateRecord::default() };
        record.workload.rate = Some(rate);
    };
    let disturbed = |record: &mut Record| record.cpu.as_mut().unwrap().external_seconds = Some(1.0);
    let one = || threaded(0.97, 2, &[0.97, 0.0]);
    let cases = [
        ("one thread, two cores", one(), "thread-bound", Some("1 busy thread on 2 cores"), Some(0.97)),
        (
            "one of two",
            threaded(1.4, 2, &[0.95, 0.45]),
            "thread-bound",
            Some("1 busy thread on 2 cores"),
            Some(0.95),
        ),
        (
            "three, four cores",
            threaded(2.9, 4, &[0.98, 0.97, 0.92, 0.03]),
            "thread-bound",
            Some("3 busy threads on 4 cores"),
            Some(0.98),
        ),
        ("threads take turns", threaded(0.98, 2, &[0.5, 0.48]), "latency-bound", None, Some(0.5)),
        ("threads that have ended", threaded(1.0, 2, &[0.02]), "latency-bound", None, Some(0.02)),
        ("all cores are busy", threaded(1.9, 2, &[0.96, 0.94]), "server-bound", None, Some(0.96)),
        ("a single core", threaded(0.95, 1, &[0.95]), "server-bound", None, None),
        ("a single core with time left", threaded(0.89, 1, &[0.9]), "latency-bound", None, None),
        ("the tool is busy too", with(one(), busy_tool), "client-bound", None, Some(0.97)),
        ("an old record", with(one(), unknown), "latency-bound", None, None),
        ("an open loop", with(one(), open), "latency-bound", None, Some(0.97)),
        ("an unfair one", with(one(), late), "thread-bound", Some("1 busy thread on 2 cores"), Some(0.97)),
        (
            "a disturbed one",
            with(one(), disturbed),
            "disturbed",
            Some("other work took 33 % of the cores' time"),
            Some(0.97),
        ),
    ];
    for (name, record, expected, reason, utilisation) in cases {
        let verdict = judge_run(&record).unwrap();
        let found = (verdict.bound.to_string(), verdict.reason, verdict.thread_utilisation);
        assert_eq!(found, (expected.to_owned(), reason.map(str::to_owned), utilisation), "{name}");
    }
    // A cell is thread-bound where the medians of its runs' utilisations say so.
    let runs = [one(), threaded(1.2, 2, &[0.7, 0.5]), threaded(0.93, 2, &[0.93])];
    let judged = runs.map(|run| with(run, |run| run.verdict = judge_run(run)));
    let cell = judge_runs(&judged.iter().collect::<Vec<_>>()).unwrap();
    let reason = Some("1 busy thread on 2 cores".to_owned());
    assert_eq!(cell, Verdict { bound: Bound::ThreadBound, reason });
}

#[test]
fn a_wait_of_40_ms_in_a_quiet_closed_loop_looks_like_a_delayed_acknowledgement() {
    // Milliseconds of the median latency, and the shares of both sides.
    let delayed = |milliseconds: f64, server: f64, tool: f64| {
        with(run(server, tool, 0.0), |record| {
            let latency = record.latency.as_mut().unwrap();
            latency.percentiles = [(50, milliseconds / 1e3)].into();
            latency.mean_seconds = None;
            record.verdict = judge_run(record);
        })
    };
    let open = |mut record: Record| {
        record.workload.rate = Some(RateRecord { per_second: Some(24.0), ..RateRecord::default() });
        record
    };
    let unknown = |mut record: Record| {
        record.cpu.as_mut().unwrap().server = None;
        record.verdict = judge_run(&record);
        record
    };
    let disturbed = |mut record: Record| {
        record.verdict.as_mut().unwrap().bound = Bound::Disturbed;
        record
    };
    let without = |mut record: Record| {
        record.latency = None;
        record
    };
    let one = || delayed(44.0, 0.01, 0.02);
    let cases = [
        ("44 ms", vec![one()], true),
        ("40 ms, and a third of the cores' time", vec![delayed(40.0, 0.3, 0.3)], true),
        ("less", vec![delayed(38.0, 0.01, 0.01)], false),
        ("more", vec![delayed(47.0, 0.01, 0.01)], false),
        ("a server at work", vec![delayed(44.0, 0.6, 0.1)], false),
        ("a tool at work", vec![delayed(44.0, 0.1, 0.6)], false),
        ("an open loop", vec![open(one())], false),
        ("a server whose usage is not known", vec![unknown(one())], false),
        ("a disturbed run", vec![disturbed(one())], false),
        ("no latency", vec![without(one())], false),
        ("most runs", vec![one(), one(), delayed(20.0, 0.01, 0.01)], true),
        ("half of the runs", vec![one(), delayed(20.0, 0.01, 0.01)], false),
        ("no run", vec![], false),
    ];
    for (name, runs, expected) in cases {
        assert_eq!(waits_for_acknowledgements(&runs.iter().collect::<Vec<_>>()), expected, "{name}");
    }
}

#[test]
fn a_cell_is_what_most_of_its_runs_are() {
    let run = |bound: Bound, errors: u64| {
        let mut record = run(0.5, 0.5, 0.0);
        if errors > 0 {
            record.load.as_mut().unwrap().errors = [("reset".to_owned(), errors)].into();
        }
        record.verdict = judge_run(&record);
        record.verdict.as_mut().unwrap().bound = bound;
        record
    };
    let (fine, late, bad) = (Bound::LatencyBound, Bound::Disturbed, Bound::Invalid);
    type Case<'a> = (&'a str, &'a [(Bound, u64)], Bound);
    let cases: [Case; 7] = [
        ("all are fine", &[(fine, 0), (fine, 0), (fine, 0)], fine),
        ("one was disturbed", &[(fine, 0), (late, 0), (fine, 0)], fine),
        ("most were disturbed", &[(late, 0), (late, 0), (fine, 0)], late),
        ("most were one or the other", &[(late, 0), (bad, 0), (late, 0), (fine, 0), (fine, 0)], late),
        ("as many were either", &[(late, 0), (bad, 0), (fine, 0)], bad),
        ("half did not hold", &[(bad, 0), (fine, 0)], bad),
        ("one request failed", &[(bad, 1), (fine, 0), (fine, 0)], bad),
    ];
    for (name, runs, expected) in cases {
        let runs: Vec<Record> = runs.iter().map(|(bound, errors)| run(*bound, *errors)).collect();
        let runs: Vec<&Record> = runs.iter().collect();
        assert_eq!(judge_runs(&runs).unwrap().bound, expected, "{name}");
    }
    assert_eq!(judge_runs(&[]), None);
}

#[test]
fn a_run_in_slices_is_disturbed_where_most_of_them_are() {
    for (disturbed, expected) in
        [(vec![], Bound::ServerBound), (vec![0, 1], Bound::ServerBound), (vec![0, 1, 2], Bound::Disturbed)]
    {
        let record = with(run(0.95, 0.5, 0.2), |record| {
            let (answered, disturbed) = (vec![1; 4], disturbed.clone());
            record.slices = Some(SlicesRecord { answered, disturbed, ..SlicesRecord::default() });
        });
        assert_eq!(judge_run(&record).unwrap().bound, expected, "{disturbed:?}");
    }
}

/// In two of five slices, other work took half of the time, and answers took twice as long.
#[test]
fn disturbed_slices_do_not_break_littles_law() {
    let record = with(run(0.5, 0.5, 0.0), |record| {
        let (answered, disturbed) = (vec![300, 300, 300, 150, 150], vec![3, 4]);
        record.slices = Some(SlicesRecord { answered, disturbed, ..SlicesRecord::default() });
        let load = record.load.as_mut().unwrap();
        (load.answered, load.elapsed_seconds, load.claimed_per_second) = (900, 0.6, Some(1200.0));
        record.latency.as_mut().unwrap().mean_seconds = Some(0.008);
    });
    let verdict = judge_run(&record).unwrap();
    assert_eq!((verdict.bound, verdict.reason), (Bound::LatencyBound, None));
    assert!((verdict.concurrency.unwrap() - 0.96).abs() < 1e-9);
}

/// A load host: its name, its machine, its cores, and the seconds of CPU time that its tool and
/// other work used.
type LoadHost<'a> = (&'a str, usize, &'a [usize], f64, Option<f64>);

/// A run of one second under load from these hosts. On the server's core, the server and other work
/// used these seconds of CPU time.
fn hosted(server: f64, others: f64, loads: &[LoadHost]) -> Record {
    let mut record = run(server, 0.0, others);
    let cpu = record.cpu.as_mut().unwrap();
    let usage = cpu.tool;
    let load = |&(name, machine, cores, seconds, external_seconds): &LoadHost| LoadHostRecord {
        name: Some(name.to_owned()),
        machine,
        cores: cores.to_vec(),
        answered: 500,
        began_seconds: 0.0,
        elapsed_seconds: 1.0,
        late_seconds: Some(0.0),
        tool: UsageRecord { seconds, ..usage },
        external_seconds,
        round_trip_seconds: 0.0002,
        round_trip_after_seconds: 0.0002,
        clock_drift_seconds: 0.0,
    };
    let loads: Vec<LoadHostRecord> = loads.iter().map(load).collect();
    cpu.tool.seconds = loads.iter().map(|load| load.tool.seconds).sum();
    cpu.external_seconds = Some(others + loads.iter().filter_map(|load| load.external_seconds).sum::<f64>());
    record.hosts = Some(HostsRecord { server: Some("alpha".into()), loads, overlap: 1.0, network: None });
    record
}

#[test]
fn a_run_over_several_hosts_is_judged_by_each_of_them() {
    const ONE: &[usize] = &[1];
    const FOUR: &[usize] = &[0, 1, 2, 3];
    const QUIET: Option<f64> = Some(0.0);
    let beta = |seconds: f64| ("beta", 0, ONE, seconds, QUIET);
    let gamma = |seconds: f64| ("gamma", 1, ONE, seconds, QUIET);
    let overlapping = |overlap: f64| {
        with(hosted(0.95, 0.0, &[beta(0.5), gamma(0.5)]), |run| run.hosts.as_mut().unwrap().overlap = overlap)
    };
    let counted = |overlap: f64| with(overlapping(overlap), |run| run.workload.requests = Some(1000));
    // Two containers of one machine, with one core each, or with one core together.
    let (one, same) = (("beta", 0, ONE, 0.48, None), ("gamma", 0, ONE, 0.48, None));
    let other: LoadHost = ("gamma", 0, &[2], 0.48, None);
    let both = Some("the tool on beta and gamma");
    let cases = [
        ("both are half busy", hosted(0.5, 0.0, &[beta(0.5), gamma(0.5)]), "latency-bound", None, 0.5),
        ("the server is busy", hosted(0.95, 0.0, &[beta(0.5), gamma(0.6)]), "server-bound", None, 0.6),
        (
            "one of the tools is busy",
            hosted(0.95, 0.0, &[beta(0.2), gamma(0.95)]),
            "client-bound",
            Some("the tool on gamma"),
            0.95,
        ),
        ("the only tool is busy", hosted(0.5, 0.0, &[beta(0.95)]), "client-bound", None, 0.95),
        ("one core of two hosts is busy", hosted(0.5, 0.0, &[one, same]), "client-bound", both, 0.96),
        ("a core for each of two hosts", hosted(0.5, 0.0, &[one, other]), "latency-bound", None, 0.48),
        ("they began together", overlapping(0.9901), "server-bound", None, 0.5),
        (
            "one began later",
            overlapping(0.985),
            "invalid",
            Some("the load hosts made load together for only 98.5 % of the time"),
            0.5,
        ),
        ("one ends its part of a number of requests first", counted(0.91), "server-bound", None, 0.5),
        (
            "one ends it much earlier",
            counted(0.89),
            "invalid",
            Some("the load hosts made load together for only 89.0 % of the time"),
            0.5,
        ),
        (
            "one began later, since others were at work on it",
            with(hosted(0.95, 0.0, &[beta(0.5), ("gamma", 1, ONE, 0.5, Some(0.08))]), |run| {
                run.hosts.as_mut().unwrap().overlap = 0.5;
            }),
            "disturbed",
            Some("other work took 8 % of the cores' time on gamma"),
            0.5,
        ),
        (
            "a quota of one host throttled, whose load has many cores",
            with(hosted(0.5, 0.0, &[("beta", 0, FOUR, 0.5, QUIET)]), |run| {
                run.cpu.as_mut().unwrap().throttled_seconds = Some(0.1);
            }),
            "disturbed",
            Some("the container's quota throttled 10 % of the cores' time"),
            0.125,
        ),
        (
            "others are at work on a host of the load",
            hosted(0.95, 0.0, &[("beta", 0, FOUR, 0.5, QUIET), ("gamma", 1, ONE, 0.5, Some(0.08))]),
            "disturbed",
            Some("other work took 8 % of the cores' time on gamma"),
            0.5,
        ),
        (
            "others are at work on the server's host, which has few of the cores",
            hosted(0.8, 0.1, &[("beta", 0, FOUR, 0.5, QUIET), ("gamma", 1, FOUR, 0.5, QUIET)]),
            "disturbed",
            Some("other work took 10 % of the cores' time on alpha"),
            0.125,
        ),
        (
            "others are at work on hosts of one machine",
            hosted(0.5, 0.2, &[one, same]),
            "disturbed",
            Some("other work took 10 % of the cores' time"),
            0.96,
        ),
    ];
    for (name, record, expected, reason, utilisation) in cases {
        let verdict = judge_run(&record).unwrap();
        let found = (verdict.bound.to_string(), verdict.reason.as_deref());
        assert_eq!(found, (expected.to_owned(), reason), "{name}");
        assert!((verdict.tool_utilisation - utilisation).abs() < 1e-9, "{name}: {verdict:?}");
    }
}

#[test]
fn a_link_that_is_nearly_full_bounds_what_nothing_else_does() {
    let linked = |server: f64, tool: f64, megabytes: [u64; 2], megabits_per_second: Option<u64>| {
        with(hosted(server, 0.0, &[("beta", 0, &[1], tool, Some(0.0))]), |run| {
            run.hosts.as_mut().unwrap().network = Some(NetworkRecord {
                seconds: 1.0,
                megabits_per_second,
                probed_megabits_per_second: None,
                received_bytes: megabytes[0] * 1_000_000,
                sent_bytes: megabytes[1] * 1_000_000,
                received_packets: 1,
                sent_packets: 1,
                dropped: 0,
                retransmitted: 0,
            });
        })
    };
    let probed = |mut run: Record, megabits: f64| {
        let network = run.hosts.as_mut().unwrap().network.as_mut().unwrap();
        network.probed_megabits_per_second = Some(megabits);
        run
    };
    let open = |mut run: Record| {
        run.workload.rate = Some(RateRecord { per_second: Some(1000.0), ..RateRecord::default() });
        run
    };
    let full = Some("the link carried 96 % of its capacity");
    let gigabit = Some(1000);
    let cases = [
        ("sent", linked(0.5, 0.5, [10, 120], gigabit), "network-bound", full),
        ("received", linked(0.5, 0.5, [120, 10], gigabit), "network-bound", full),
        ("both directions together", linked(0.5, 0.5, [60, 60], gigabit), "latency-bound", None),
        ("a little less", linked(0.5, 0.5, [10, 112], gigabit), "latency-bound", None),
        ("a faster link", linked(0.5, 0.5, [10, 120], Some(10_000)), "latency-bound", None),
        ("a link of unknown speed", linked(0.5, 0.5, [10, 12_000], None), "latency-bound", None),
        ("one that was probed", probed(linked(0.5, 0.5, [10, 120], None), 1000.0), "network-bound", full),
        ("one that carries more", probed(linked(0.5, 0.5, [10, 120], None), 2000.0), "latency-bound", None),
        (
            "the probe comes first",
            probed(linked(0.5, 0.5, [10, 120], Some(10_000)), 1000.0),
            "network-bound",
            full,
        ),
        ("a link that says 0", linked(0.5, 0.5, [10, 12_000], Some(0)), "latency-bound", None),
        ("the server is busy", linked(0.95, 0.5, [10, 120], gigabit), "server-bound", None),
        ("the tool is busy", linked(0.5, 0.95, [10, 120], gigabit), "client-bound", None),
        ("an open loop", open(linked(0.5, 0.5, [10, 120], gigabit)), "network-bound", full),
    ];
    for (name, record, expected, reason) in cases {
        let verdict = judge_run(&record).unwrap();
        let found = (verdict.bound.to_string(), verdict.reason.as_deref());
        assert_eq!(found, (expected.to_owned(), reason), "{name}");
    }
    // A cell is network-bound where half of its runs are.
    let cell = |megabytes: &[u64]| {
        let judge =
            |sent: &u64| with(linked(0.5, 0.5, [1, *sent], gigabit), |run| run.verdict = judge_run(run));
        let runs: Vec<Record> = megabytes.iter().map(judge).collect();
        judge_runs(&runs.iter().collect::<Vec<_>>()).unwrap()
    };
    let bound = Verdict { bound: Bound::NetworkBound, reason: full.map(str::to_owned) };
    assert_eq!(cell(&[120, 10, 120]), bound);
    assert_eq!(cell(&[120, 10, 10]), Verdict { bound: Bound::LatencyBound, reason: None });
}
