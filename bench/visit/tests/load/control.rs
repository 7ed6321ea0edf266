//! `visit --control`: slices of load by commands.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::socket;
use visit_output::{Errors, Report, Slice};

use super::Ran;
use super::controlled::{Controlled, close, count, wait_for, wait_for_delivery};
use super::server::{ScriptedServer, right, with_field};

#[test]
fn slices_are_made_on_connections_that_stay_open() {
    for arguments in ["--threads 1", "--threads 2", "--threads 3 --mode pipelined-4", "--threads 1 --path /b"]
    {
        let server = ScriptedServer::start(|client| client.answer_all(right));
        let mut visit = Controlled::start(&server, &format!("{arguments} --connections 6"));
        assert_eq!((visit.open, count(&server.requests)), (Some(6), 0), "{arguments}");
        let mut slices = Vec::new();
        for (command, time) in
            [("warm 0.03", 0.03), ("run 0.05", 0.05), ("warm 0.02", 0.02), ("run 0.1", 0.1)]
        {
            let before = count(&server.requests);
            let slice = visit.slice(command);
            // Every request was answered, so the server has read it.
            assert_eq!(count(&server.requests) - before, slice.sent, "{arguments}: {command}");
            assert!(slice.sent > 0 && slice.answered == slice.sent, "{arguments}: {slice:?}");
            assert_eq!(slice.statuses, [(200, slice.sent)].into(), "{arguments}");
            assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None), "{arguments}");
            assert_eq!(slice.connections_open, Some(6), "{arguments}");
            assert!(slice.elapsed_seconds >= time && slice.mean_seconds.unwrap() > 0.0, "{slice:?}");
            slices.push(slice);
        }
        // The last answers have been read, so any further request would be counted here.
        sleep(Duration::from_millis(150));
        let sent: u64 = slices.iter().map(|slice| slice.sent).sum();
        assert_eq!(count(&server.requests), sent, "{arguments}: it is silent");
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((count(&server.connections), code), (6, 0), "{arguments}: {complaint}");
        adds_up(&report, &[&slices[1], &slices[3]]);
        assert_eq!((report.load.seconds, report.load.requests), (Some(0.15), None), "{arguments}");
        assert_eq!(report.load.warm_up_seconds, 0.05, "{arguments}");
        assert_eq!((report.connections_open, report.interrupted), (Some(6), false), "{arguments}");
        assert_eq!(report.connect.unwrap().count, 6, "{arguments}");
        assert!(complaint.contains("answered"), "there is a summary: {complaint}");
    }
}

#[test]
fn silence_uses_no_cpu_time() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let mut visit = Controlled::start(&server, "--connections 4 --threads 2 --quiet");
    for _ in 0..2 {
        // Half a second is far longer than any tick.
        wait_for("no thread runs for half a second", || {
            let before = visit.switches();
            sleep(Duration::from_millis(500));
            visit.switches() == before
        });
        visit.slice("run 0.02");
    }
    visit.finish();
}

#[test]
fn in_mode_close_every_request_has_a_connection() {
    let server = ScriptedServer::start(|client| {
        client.answer_one(|path| with_field(path, "Connection: close\r\n"));
    });
    let mut visit = Controlled::start(&server, "--connections 2 --mode close --quiet");
    let slices = [visit.slice("run 0.05"), visit.slice("warm 0.02"), visit.slice("run 0.05")];
    for slice in &slices {
        assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None));
        assert!(slice.answered > 0 && slice.connections_open.is_none(), "{slice:?}");
    }
    assert_eq!(visit.open, None);
    let Ran { report, code, complaint } = visit.finish();
    adds_up(&report, &[&slices[0], &slices[2]]);
    assert_eq!((report.connections_open, code, complaint.as_str()), (None, 0, ""));
}

#[test]
fn connections_that_the_server_closes_in_the_silence_are_reopened() {
    let idle: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let streams = Arc::clone(&idle);
    let server = ScriptedServer::start(move |client| {
        streams.lock().unwrap().push(client.stream.try_clone().unwrap());
        client.answer_all(right);
    });
    let mut visit = Controlled::start(&server, "--connections 4 --threads 2");
    let mut sent = 0;
    for round in 1..=3 {
        wait_for("all are accepted", || idle.lock().unwrap().len() == 4);
        for stream in idle.lock().unwrap().drain(..) {
            close(&stream);
        }
        let slice = visit.slice("run 0.05");
        assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None), "{round}");
        assert_eq!((slice.answered, slice.connections_open), (slice.sent, Some(4)), "{round}");
        assert_eq!(count(&server.connections), 4 * (round + 1));
        sent += slice.sent;
    }
    let report = visit.finish().report;
    assert_eq!((report.sent, report.errors), (sent, Errors::default()));
    assert_eq!(report.connect.unwrap().count, 16);
}

#[test]
fn a_connection_that_cannot_be_reopened_is_an_error_of_the_slice() {
    // This listener accepts only one connection, and then stops.
    let listener = TcpListener::bind("127.1.2.3:0").unwrap();
    let mut server = ScriptedServer::start(|_| {});
    server.address = listener.local_addr().unwrap();
    let accept = std::thread::spawn(move || {
        let accepted = listener.accept().unwrap().0;
        socket::shutdown(listener.as_raw_fd(), socket::Shutdown::Both).unwrap();
        accepted
    });
    let mut visit = Controlled::start(&server, "--connections 1 --quiet");
    close(&accept.join().unwrap());
    for command in ["warm 0.02", "run 0.02"] {
        let slice = visit.slice(command);
        assert!(slice.errors.refused > 0, "{command}: {slice:?}");
        let others = Errors { refused: 0, ..slice.errors };
        assert_eq!(
            (others, slice.sent, slice.connections_open),
            (Errors::default(), 0, Some(0)),
            "{command}"
        );
        assert_eq!(slice.mean_seconds, None, "{command}");
    }
    let Ran { report, code, .. } = visit.finish();
    assert!(report.errors.refused > 0 && code == 1, "{report:?}");
}

#[test]
fn a_wrong_answer_is_in_its_slice_and_in_the_report() {
    for command in ["warm 0.02", "run 0.02"] {
        let is_wrong = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_wrong);
        let server = ScriptedServer::start(move |client| {
            while let Some((path, _)) = client.request() {
                let wrong = flag.load(Ordering::SeqCst);
                client.send(&if wrong { right(&path).replace("visitor", "visitoR") } else { right(&path) });
            }
        });
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        assert_eq!(visit.slice("run 0.02").mismatch, None);
        is_wrong.store(true, Ordering::SeqCst);
        let slice = visit.slice(command);
        let mismatch = slice.mismatch.unwrap();
        assert!(mismatch.contains("the body differs"), "{command}: {mismatch}");
        assert!(slice.errors.wrong > 0, "{command}: {:?}", slice.errors);
        is_wrong.store(false, Ordering::SeqCst);
        let slice = visit.slice("run 0.02");
        assert_eq!(
            (slice.mismatch, slice.errors, slice.connections_open),
            (None, Errors::default(), Some(2))
        );
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((report.mismatch.as_ref(), code), (Some(&mismatch), 1), "{command}");
        assert_eq!(report.errors.wrong > 0, command == "run 0.02");
        assert!(complaint.contains(&mismatch), "{complaint}");
    }
}

#[test]
fn bytes_that_arrive_in_the_silence_are_a_wrong_answer() {
    for is_last in [false, true] {
        let idle: Arc<Mutex<Option<TcpStream>>> = Arc::default();
        let stream = Arc::clone(&idle);
        let server = ScriptedServer::start(move |client| {
            *stream.lock().unwrap() = Some(client.stream.try_clone().unwrap());
            client.answer_all(right);
        });
        let mut visit = Controlled::start(&server, "--connections 1 --quiet");
        assert_eq!(visit.slice("run 0.02").mismatch, None);
        let mut stream = idle.lock().unwrap().take().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        wait_for_delivery(&stream);
        if !is_last {
            let slice = visit.slice("run 0.02");
            assert!(slice.mismatch.unwrap().contains("answer no request"));
            assert_eq!((slice.errors, slice.connections_open), (Errors::default(), Some(1)));
            assert!(slice.answered > 0 && count(&server.connections) == 2, "it was reopened");
        }
        let Ran { report, code, .. } = visit.finish();
        assert!(report.mismatch.unwrap().contains("answer no request") && code == 1, "{is_last}");
    }
}

#[test]
fn without_a_run_the_report_is_empty() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for commands in [&[][..], &["warm 0.02"]] {
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        for command in commands {
            assert!(visit.slice(command).answered > 0);
        }
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((report.sent, report.elapsed_seconds, report.load.seconds), (0, 0.0, Some(0.0)));
        assert_eq!((report.connections_open, report.cpu_seconds, code), (Some(2), 0.0, 1));
        assert_eq!(complaint, "error: no request was answered with a 2xx status\n");
    }
}

#[test]
fn a_wrong_command_ends_the_run() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for (command, expected) in [
        ("walk 1", "it is unknown"),
        ("", "it is unknown"),
        ("run", "it is unknown"),
        ("run 0", "it must be more than 0"),
        ("warm 1e9", "it must be from 0 to 86400"),
    ] {
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        let answered = visit.slice("run 0.02").answered;
        visit.command(command);
        let Ran { report, code, complaint } = visit.finish();
        assert_eq!((report.answered, report.interrupted, code), (answered, false, 2), "{command}");
        let start = format!("error: the command \"{command}\": {expected}");
        assert!(complaint.starts_with(&start) && complaint.lines().count() == 1, "{complaint}");
        assert!(complaint.contains("`warm SECONDS` and `run SECONDS`"), "{complaint}");
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_command() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for runs in [0, 1] {
        let mut visit = Controlled::start(&server, "--connections 2 --quiet");
        let answered = (0..runs).map(|_| visit.slice("run 0.02").answered).sum::<u64>();
        visit.signal();
        // The input is still open.
        let report = Report::parse(&visit.line()).unwrap();
        assert_eq!((report.answered, report.interrupted), (answered, true), "{runs}");
        assert_eq!(visit.child.wait().unwrap().code(), Some(130), "{runs}");
    }
}

#[test]
fn a_signal_ends_a_slice() {
    for command in ["run 600", "warm 600"] {
        let server = ScriptedServer::start(|client| client.answer_all(right));
        let mut visit = Controlled::start(&server, "--connections 2 --threads 2 --quiet");
        visit.command(command);
        wait_for("requests come", || count(&server.requests) > 20);
        visit.command("run 600");
        visit.signal();
        let slice = Slice::parse(&visit.line()).unwrap();
        assert!(slice.answered > 15 && slice.elapsed_seconds < 500.0, "{command}: {slice:?}");
        let report = Report::parse(&visit.line()).unwrap();
        let answered = if command == "run 600" { slice.answered } else { 0 };
        assert_eq!((report.answered, report.interrupted), (answered, true), "{command}");
        assert_eq!(visit.child.wait().unwrap().code(), Some(130), "{command}");
    }
}

#[test]
fn the_last_command_needs_no_line_feed() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    let mut visit = Controlled::start(&server, "--connections 1 --quiet");
    visit.write("warm 0.02\nrun 0.02\nrun 0.03");
    visit.commands = None;
    let slices: Vec<Slice> = (0..3).map(|_| Slice::parse(&visit.line()).unwrap()).collect();
    adds_up(&visit.finish().report, &[&slices[1], &slices[2]]);
}

/// Asserts that the report is the sum of these slices.
fn adds_up(report: &Report, slices: &[&Slice]) {
    let counts = slices.iter().fold((0, 0), |sum, slice| (sum.0 + slice.sent, sum.1 + slice.answered));
    assert_eq!((report.sent, report.answered), counts);
    let number = |count: u64| f64::from(u32::try_from(count).unwrap());
    let latencies = |answered, mean: Option<f64>| number(answered) * mean.unwrap_or_default();
    let latency = report.latency.as_ref().map(|times| times.mean_seconds);
    let sum = |value: &dyn Fn(&Slice) -> f64| slices.iter().map(|slice| value(slice)).sum::<f64>();
    for (name, got, expected) in [
        ("elapsed", report.elapsed_seconds, sum(&|slice| slice.elapsed_seconds)),
        ("CPU time", report.cpu_seconds, sum(&|slice| slice.cpu_seconds)),
        (
            "latencies",
            latencies(counts.1, latency),
            sum(&|slice| latencies(slice.answered, slice.mean_seconds)),
        ),
    ] {
        assert!((got - expected).abs() <= 1e-6 * expected, "{name}: {got} and not {expected}");
    }
}
