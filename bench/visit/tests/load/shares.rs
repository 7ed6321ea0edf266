//! `visit --share` and `visit --start-at`: several processes that make one load.

use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use visit_output::{Errors, Report, Share, TimesReport};

use super::controlled::{Controlled, close, count, wait_for};
use super::server::{ScriptedServer, right, with_field};
use super::{Ran, finish, start};

/// The value of `CLOCK_MONOTONIC`, in nanoseconds.
fn now() -> u64 {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap());
    u64::try_from(now.as_nanos()).unwrap()
}

/// An instant that is far enough ahead to tell it to all processes.
fn soon() -> u64 {
    now() + 200_000_000
}

/// The tolerance in nanoseconds: more than reading the clock takes.
const INEXACT: u64 = 1_000_000;

#[test]
fn shares_make_one_load_together() {
    let cases = [
        ("--requests 1000 --threads 1", 1000),
        ("--requests 1001 --threads 2 --path /b", 1001),
        ("--requests 1000 --threads 2 --mode pipelined-4", 1000),
        ("--requests 200 --threads 2 --rate 1000", 200),
        ("--requests 100 --threads 1 --rate 1000 --mode close", 100),
        ("--requests 200 --threads 2 --rate 1000 --arrivals poisson --seed 5", 200),
        ("--requests 200 --threads 2 --rate 1000 --series 0.05", 200),
    ];
    for (arguments, requests) in cases {
        let is_close = arguments.contains("close");
        let server = ScriptedServer::start(move |client| match is_close {
            true => client.answer_one(|path| with_field(path, "Connection: close\r\n")),
            false => client.answer_all(right),
        });
        let shares = ["1/3", "2/3", "3/3"];
        let begin = |share| {
            let arguments = format!("{arguments} --connections 8 --share {share} --start-at -");
            Controlled::with(&server, &arguments)
        };
        let mut waiting = shares.map(begin);
        let open = [Some(3), Some(3), Some(2)].map(|open| open.filter(|_| !is_close));
        assert_eq!(waiting.each_ref().map(|visit| visit.open), open, "{arguments}");
        assert_eq!(count(&server.requests), 0, "{arguments}: nothing is sent before");
        let told = soon();
        waiting.iter_mut().for_each(|visit| visit.command(&told.to_string()));
        let reports = waiting.map(|visit| {
            let Ran { report, complaint, code } = visit.finish();
            assert_eq!((code, report.errors, &report.mismatch), (0, Errors::default(), &None), "{complaint}");
            report
        });
        for (share, report) in shares.into_iter().zip(&reports) {
            let share: Share = share.parse().unwrap();
            assert_eq!((report.share, report.sent), (Some(share), share.part_of(requests)), "{arguments}");
            assert_eq!((report.load.connections, report.load.requests), (8, Some(requests)), "{arguments}");
            assert!(report.began_nanoseconds.unwrap() + INEXACT >= told, "{arguments}: {report:?}");
            assert!(report.late_seconds.is_some(), "{arguments}");
            let target = report.rate.as_ref().map(|rate| rate.target_per_second);
            assert_eq!(target, arguments.contains("rate").then_some(1000.0 / 3.0), "{arguments}");
        }
        assert_eq!(count(&server.requests), requests, "{arguments}: each request is in one share");
        merges(&reports, requests);
    }
}

/// Asserts that the merged report has the sum of the counts of all shares.
fn merges(shares: &[Report; 3], requests: u64) {
    let all = Report::merge(shares, 2.0).unwrap();
    assert_eq!((all.sent, all.answered, all.elapsed_seconds), (requests, requests, 2.0));
    assert_eq!(
        (all.statuses.get(&200), all.per_second()),
        (Some(&requests), Some(all.answered as f64 / 2.0))
    );
    assert_eq!((all.share, all.began_nanoseconds, all.queue), (None, None, None));
    let sum = |count: fn(&Report) -> u64| shares.iter().map(count).sum::<u64>();
    assert_eq!(all.bytes_read, sum(|report| report.bytes_read));
    assert_eq!(all.bytes_written, sum(|report| report.bytes_written));
    assert_eq!(all.load.threads, shares.iter().map(|report| report.load.threads).sum::<u32>());
    assert!(shares.iter().all(|share| share.late_seconds <= all.late_seconds));
    assert!(shares.iter().all(|share| share.cpu_seconds <= all.cpu_seconds));
    let latency = TimesReport::merge(shares.iter().flat_map(|share| &share.latency)).unwrap();
    assert_eq!((latency.as_ref().map(|times| times.count), latency), (Some(requests), all.latency.clone()));
    assert_eq!(all.schedule_lag.is_some(), all.rate.is_some());
    let series = all.series.as_ref().map(|series| series.iter().map(|interval| interval.answered).sum());
    assert_eq!(series, all.load.series_seconds.map(|_| requests));
    if let Some(rate) = &all.rate {
        // Two seconds are far longer than the load, so that the whole rate is not held.
        assert_eq!((rate.target_per_second, rate.held), (1000.0, false));
    }
    assert_eq!(Report::parse(&serde_json::to_string(&all).unwrap()).unwrap(), all);
}

#[test]
fn an_instant_that_has_passed_is_late() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let told = now() - 500_000_000;
    for (loops, begins_anew) in [("", true), ("--rate 100", false)] {
        let arguments = format!("--connections 2 --requests 10 {loops} --start-at {told}");
        let Ran { report, complaint, code } = finish(start(&server, &arguments));
        assert_eq!((report.answered, report.errors, code), (10, Errors::default(), 0), "{complaint}");
        assert!(report.late_seconds.unwrap() >= 0.49, "{loops}: {:?}", report.late_seconds);
        assert!(complaint.contains("ms later than told"), "{complaint}");
        // An open loop counts from when its requests were due, the last one 0.1 s after the start.
        let began = report.began_nanoseconds.unwrap();
        assert_eq!(began >= told + 490_000_000, begins_anew, "{loops}: {began} and {told}");
        let least = report.latency.unwrap().histogram_nanoseconds[0].0;
        assert!(begins_anew || least >= 390_000_000, "{loops}: {least}");
    }
}

#[test]
fn a_warm_up_begins_at_the_instant() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for loops in ["", "--rate 100"] {
        let told = soon();
        let arguments = format!("--connections 2 --warm-up 0.1 --requests 10 {loops} --start-at {told}");
        let report = finish(start(&server, &arguments)).report;
        assert_eq!((report.answered, report.errors), (10, Errors::default()), "{loops}");
        let began = report.began_nanoseconds.unwrap();
        assert!(began + INEXACT >= told + 100_000_000, "{loops}: {began} and {told}");
    }
}

#[test]
fn a_wrong_start_or_share_exits_with_two() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let number = "is not a number of nanoseconds";
    for (line, expected) in [("", "ended before the instant"), ("soon\n", number), ("-5\n", number)] {
        let mut visit = Controlled::with(&server, "--start-at - --quiet");
        visit.write(line);
        let Ran { report, complaint, code } = visit.finish();
        assert_eq!((code, report.sent, report.late_seconds), (2, 0, None), "{line:?}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.starts_with("error: ") && complaint.contains(expected), "{complaint}");
    }
    for arguments in
        ["--share 3/2", "--share 0/2", "--share 1/11", "--start-at soon", "--start-at - --control"]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_visit"));
        let output = command.arg("http://127.0.0.1:1/").args(arguments.split(' ')).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments}");
    }
    assert_eq!(count(&server.requests), 0);
}

#[test]
fn a_signal_ends_the_wait() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for line in ["", &format!("{}\n", now() + 3600 * 1_000_000_000)] {
        let mut visit = Controlled::with(&server, "--start-at - --rate 1000 --quiet");
        visit.write(line);
        visit.signal();
        let Ran { report, code, .. } = visit.finish();
        assert_eq!((report.interrupted, report.sent, code), (true, 0, 130), "{line:?}");
        assert_eq!((report.began_nanoseconds, report.late_seconds), (None, None), "{line:?}");
        assert_eq!((report.errors, report.elapsed_seconds), (Errors::default(), 0.0), "{line:?}");
    }
    assert_eq!(count(&server.requests), 0);
}

#[test]
fn connections_that_the_server_closes_before_the_start_are_reopened() {
    let idle: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let streams = Arc::clone(&idle);
    let server = ScriptedServer::start(move |client| {
        streams.lock().unwrap().push(client.stream.try_clone().unwrap());
        client.answer_all(right);
    });
    for is_told_first in [false, true] {
        let mut visit = Controlled::with(&server, "--connections 2 --requests 20 --start-at -");
        wait_for("all are accepted", || idle.lock().unwrap().len() == 2);
        let told = (now() + 1_000_000_000).to_string();
        if is_told_first {
            visit.command(&told);
        }
        for stream in idle.lock().unwrap().drain(..) {
            // A `visit` that waits for the start reads the end at once, and closes the connection.
            if is_told_first { stream.shutdown(Shutdown::Both).unwrap() } else { close(&stream) }
        }
        if !is_told_first {
            visit.command(&told);
        }
        let Ran { report, complaint, .. } = visit.finish();
        assert_eq!((report.answered, report.errors), (20, Errors::default()), "{is_told_first}: {complaint}");
        assert_eq!(report.connect.unwrap().count, 4, "{is_told_first}");
        idle.lock().unwrap().clear();
    }
}

#[test]
fn slices_are_made_on_the_connections_of_the_share() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let mut shares =
        ["1/2", "2/2"].map(|share| Controlled::start(&server, &format!("--connections 5 --share {share}")));
    assert_eq!(shares.each_ref().map(|visit| visit.open), [Some(3), Some(2)]);
    let sent: u64 = shares.iter_mut().map(|visit| visit.slice("run 0.05").sent).sum();
    let reports = shares.map(|visit| visit.finish().report);
    assert_eq!(Report::merge(&reports, 0.05).unwrap().sent, sent);
    assert!(reports.iter().all(|report| report.began_nanoseconds.is_some() && report.late_seconds.is_none()));
}
