//! `visit` against servers in this process that follow a script. No test asserts a time, except
//! that an answer that was delayed took at least as long as the delay.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic fails a test")]

mod close_after;
mod control;
mod controlled;
mod frames;
mod http2;
mod mix;
mod open_loop;
mod series;
mod server;
mod shares;
mod tls;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use visit_output::{Errors, Report};

use server::{BUSY, Client, ScriptedServer, chunked, right, with_field};

struct Ran {
    report: Report,
    complaint: String,
    code: i32,
}

fn start(server: &ScriptedServer, arguments: &str) -> Child {
    let mut command = command(server);
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// A command that runs `visit` against this server.
fn command(server: &ScriptedServer) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visit"));
    command.arg(format!("{}://{}/abc", server.scheme, server.address));
    command
}

fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    ran(std::str::from_utf8(&output.stdout).unwrap(), complaint, output.status.code().unwrap())
}

fn ran(output: &str, complaint: String, code: i32) -> Ran {
    let report = Report::parse(output).expect(&complaint);
    let again = serde_json::to_string(&report).unwrap();
    assert_eq!(Report::parse(&again).unwrap(), report, "what is printed is read without loss");
    let Errors { reset, closed, timeout, wrong, cut_off, .. } = report.errors;
    let outcomes = report.statuses.values().sum::<u64>() + reset + closed + timeout + wrong + cut_off;
    assert_eq!(report.sent, outcomes, "every request has an outcome: {report:?}");
    assert_eq!(report.latency.as_ref().map_or(0, |times| times.count), report.statuses.values().sum::<u64>());
    Ran { report, complaint, code }
}

fn visit(arguments: &str, script: impl Fn(&mut Client) + Send + Sync + 'static) -> Ran {
    finish(start(&ScriptedServer::start(script), arguments))
}

#[test]
fn right_answers_are_counted() {
    for mode in ["--mode keep-alive --threads 2", "--mode pipelined-3", "--rate 2000"] {
        let arguments = format!("{mode} --connections 4 --requests 50 --path /d --path /e");
        let Ran { report, complaint, code } = visit(&arguments, |client| match client.number % 2 {
            0 => client.answer_all(right),
            _ => client.answer_all(chunked),
        });
        assert_eq!((report.sent, report.answered, code), (50, 50, 0), "{mode}: {complaint}");
        assert_eq!((report.errors, report.mismatch), (Errors::default(), None), "{mode}");
        assert_eq!(report.load.paths, ["/abc", "/d", "/e"]);
        assert_eq!(report.connections_open, Some(4));
        assert_eq!(report.connect.map(|times| times.count), Some(4));
        let begun = report.schedule_lag.map(|times| times.count);
        assert_eq!(begun, mode.contains("rate").then_some(50), "{mode}");
        assert!(report.bytes_read > 50 * 100 && report.bytes_written > 50 * 20, "{mode}");
    }
}

#[test]
fn a_connection_that_closes_after_its_answer_is_followed_by_another() {
    for mode in ["--mode close", "--mode close --rate 2000", "--mode keep-alive"] {
        let ran = visit(&format!("{mode} --connections 2 --requests 20 --path /b"), |client| {
            client.answer_one(|path| with_field(path, "Connection: close\r\n"));
        });
        let report = ran.report;
        assert_eq!((report.answered, ran.code), (20, 0), "{mode}: {}", ran.complaint);
        assert_eq!((report.errors, report.mismatch), (Errors::default(), None), "{mode}");
        assert!(report.connect.unwrap().count >= 20, "{mode}");
        assert_eq!(report.connections_open, mode.contains("keep-alive").then_some(2));
    }
}

#[test]
fn a_wrong_answer_makes_the_run_invalid() {
    /// Returns the answer to a request, from its path and its number.
    type Answer = fn(&str, u64) -> String;
    let tenth: Answer = |path, number| right(path).replace("abc", if number == 10 { "abd" } else { "abc" });
    let fourth_twice: Answer = |path, number| right(path).repeat(if number == 4 { 2 } else { 1 });
    let quoted = "the body differs at byte 13; got \"HTTP/1.1 200 OK\\r";
    let extra = "there are bytes that answer no request";
    let unclosed = "the connection was not closed after the answer";
    let (one, batch) = ("--requests 1", "--requests 4 --mode pipelined-4");
    let close = "--requests 1 --mode close --timeout 0.2";
    let close_after = "--requests 2 --mode close-after-2 --timeout 0.2";
    let several = "--requests 20 --path /b";
    let cases: [(&str, &str, Answer, &str); 10] = [
        ("a wrong byte", one, |path, _| right(path).replace("visitor", "visitoR"), quoted),
        ("a wrong byte in the tenth answer", "--requests 20", tenth, "the body differs at byte 37"),
        ("the answer to another request", several, |_, _| right("/b"), "Content-Length is 37, not 39"),
        ("a wrong length", one, |path, _| right(path).replace("39", "38"), "Content-Length is 38, not 39"),
        ("another status", one, |path, _| right(path).replace("200 OK", "206 A"), "the status is 206, not"),
        ("two answers to one request", one, |path, _| right(path).repeat(2), extra),
        ("two answers to the last pipelined request", batch, fourth_twice, extra),
        ("more behind a last answer", one, |path, _| with_field(path, "Connection: close\r\n") + "x", extra),
        ("a connection that stays open after it had to be closed", close, |path, _| right(path), unclosed),
        ("one that stays open after its last request", close_after, |path, _| right(path), unclosed),
    ];
    let check = |name: &str, ran: Ran, expected: &str| {
        let mismatch = ran.report.mismatch.unwrap_or_default();
        assert!(mismatch.starts_with("GET /") && mismatch.contains(expected), "{name}: {mismatch}");
        assert!(ran.complaint.contains(&mismatch), "{name}: {}", ran.complaint);
        assert_eq!(ran.code, 1, "{name}");
    };
    for (name, arguments, answer, expected) in cases {
        let ran = visit(&format!("{arguments} --connections 1 --quiet"), move |client| {
            while let Some((path, number)) = client.request() {
                client.send(&answer(&path, number));
            }
        });
        check(name, ran, expected);
    }
    let ran = visit("--requests 1 --rate 1 --connections 1 --quiet", |client| {
        client.send(&right("/abc"));
        client.answer_all(right);
    });
    check("an answer before the request", ran, extra);
}

#[test]
fn failures_are_counted_by_kind() {
    type Serve = fn(&mut Client);
    let none = Errors::default();
    let (closed, timeout) = (|closed| Errors { closed, ..none }, |timeout| Errors { timeout, ..none });
    // Closing a connection with unread bytes resets it.
    let unread: Serve = |client| drop(client.stream.peek(&mut [0]));
    let unanswered: Serve = |client| drop(client.request());
    let second_unanswered: Serve = |client| {
        client.answer_one(right);
        client.request();
    };
    let silent: Serve = |client| while client.request().is_some() {};
    let short: Serve = |client| client.answer_one(|path| right(path).replace("/abc\n", ""));
    let unended: Serve = |client| client.answer_all(|path| right(path).replace("\n", ""));
    let pipelined: Serve = |client| {
        let paths: Vec<String> = (0..4).map_while(|_| client.request()).map(|(path, _)| path).collect();
        if let [first, second, ..] = paths.as_slice() {
            client.send(&(right(first) + &with_field(second, "Connection: close\r\n")));
        }
    };
    let cases: [(&str, u64, &str, Serve, Errors); 9] = [
        ("a short body and an end", 3, "", short, closed(3)),
        ("an end within the head", 3, "", |client| client.answer_one(|_| "HTTP/1.1 200 O".into()), closed(3)),
        ("an end without an answer", 3, "--mode close", unanswered, closed(3)),
        ("an end in place of the second answer", 4, "--mode close-after-3", second_unanswered, closed(2)),
        ("an end without an answer in an open loop", 3, "--rate 100", unanswered, closed(3)),
        ("a reset", 3, "", unread, Errors { reset: 3, ..none }),
        ("silence", 3, "--timeout 0.1", silent, timeout(3)),
        ("silence within the body", 2, "--timeout 0.1", unended, timeout(2)),
        ("a pipelined answer that is the last", 4, "--mode pipelined-4", pipelined, closed(2)),
    ];
    for (name, requests, arguments, script, expected) in cases {
        let ran = visit(&format!("--requests {requests} {arguments} --connections 1"), script);
        assert_eq!((ran.report.errors, ran.report.mismatch), (expected, None), "{name}");
        assert_eq!(ran.code, i32::from(ran.report.answered == 0), "{name}");
    }
}

#[test]
fn a_port_without_a_server_refuses_connections() {
    let mut server = ScriptedServer::start(|_| {});
    // The server has this port on 127.0.0.1, so no other process can listen on it on all addresses.
    server.address.set_ip([127, 1, 2, 3].into());
    for arguments in ["--requests 4", "--requests 4 --mode close", "--requests 4 --mode close --rate 100"] {
        let ran = finish(start(&server, &format!("{arguments} --connections 2")));
        assert_eq!((ran.report.sent, ran.report.latency, ran.code), (0, None, 1), "{arguments}");
        assert_eq!(ran.report.errors, Errors { refused: 4, ..Errors::default() }, "{arguments}");
    }
}

#[test]
fn refusals_are_counted_by_status() {
    let ran = visit("--connections 1 --requests 9", |client| {
        while let Some((path, number)) = client.request() {
            client.send(&if number % 3 == 0 { BUSY.to_owned() } else { right(&path) });
        }
    });
    assert_eq!((ran.report.answered, ran.report.mismatch, ran.code), (6, None, 0));
    assert_eq!(ran.report.statuses, [(200, 6), (503, 3)].into());
    let ran = visit("--connections 1 --requests 9", |client| client.answer_all(|_| BUSY.to_owned()));
    assert_eq!((ran.report.answered, ran.report.mismatch, ran.code), (0, None, 1));
    // The body of this answer ends with its connection.
    let ran = visit("--connections 1 --requests 3", |client| {
        client.answer_one(|_| "HTTP/1.1 500 Oops\r\n\r\nsorry".into());
    });
    assert_eq!((ran.report.statuses, ran.report.errors), ([(500, 3)].into(), Errors::default()));
}

#[test]
fn an_answer_may_arrive_byte_by_byte() {
    for mode in ["--requests 3", "--requests 6 --mode pipelined-2"] {
        let ran = visit(&format!("--connections 1 --path /b {mode}"), |client| {
            while let Some((path, number)) = client.request() {
                let answer = if number == 2 { chunked(&path) } else { right(&path) };
                for byte in answer.split("").filter(|byte| !byte.is_empty()) {
                    client.send(byte);
                    sleep(Duration::from_micros(100));
                }
            }
        });
        let Report { sent, answered, mismatch, .. } = ran.report;
        assert_eq!((sent, mismatch, ran.code), (answered, None, 0), "{mode}");
    }
}

#[test]
fn a_batch_may_be_more_than_a_socket_takes() {
    let path = format!("/{}", "a".repeat(8000));
    let arguments = format!("--connections 1 --mode pipelined-1000 --requests 2000 --path {path}");
    let ran = visit(&arguments, |client| {
        sleep(Duration::from_millis(100));
        client.answer_all(right);
    });
    assert_eq!((ran.report.answered, ran.report.mismatch, ran.code), (2000, None, 0));
    assert!(ran.report.bytes_written > 8_000_000);
}

#[test]
fn latency_is_at_least_the_delay() {
    let delay = Duration::from_millis(30);
    for mode in ["keep-alive", "close", "pipelined-2"] {
        let ran = visit(&format!("--connections 2 --requests 12 --mode {mode}"), move |client| {
            client.answer_one(|path| {
                sleep(delay);
                with_field(path, "Connection: close\r\n")
            });
        });
        let times = ran.report.latency.unwrap();
        assert!(times.histogram_nanoseconds[0].0 >= 30_000_000, "{mode}: {times:?}");
        assert!(times.mean_seconds >= 0.03 && times.p50_seconds >= 0.03, "{mode}: {times:?}");
    }
}

#[test]
fn a_warm_up_is_not_measured() {
    let server = ScriptedServer::start(|client| client.answer_all(right));
    for loops in ["--rate 100", ""] {
        let before = server.requests.load(Ordering::SeqCst);
        let ran = finish(start(&server, &format!("--connections 2 --warm-up 0.3 --requests 10 {loops}")));
        assert_eq!((ran.report.sent, ran.report.answered), (10, 10), "{loops}");
        assert!(server.requests.load(Ordering::SeqCst) - before > 10, "{loops}");
    }
}

#[test]
fn an_interrupted_run_prints_what_it_has() {
    for (loops, is_silent) in [("", false), ("--rate 500", false), ("", true)] {
        static SILENT: AtomicBool = AtomicBool::new(false);
        SILENT.store(is_silent, Ordering::SeqCst);
        let server = ScriptedServer::start(|client| {
            while let Some((path, number)) = client.request() {
                if number < 20 || !SILENT.load(Ordering::SeqCst) {
                    client.send(&right(&path));
                }
            }
        });
        let child = start(&server, &format!("--connections 2 --seconds 600 --timeout 500 {loops}"));
        while server.requests.load(Ordering::SeqCst) < 20 {
            sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
        let Ran { report, code, .. } = finish(child);
        assert!(report.interrupted && report.answered >= 15, "{loops}: {report:?}");
        assert_eq!((code, report.errors.cut_off > 0), (130, is_silent), "{loops}");
        assert!(report.elapsed_seconds < 500.0);
    }
}

#[test]
fn the_expected_body_can_be_given() {
    let server = ScriptedServer::start(|client| client.answer_all(|_| right("/fixed")));
    let url = format!("http://{}/", server.address);
    for (body, code) in [("Hello, visitor! You've requested: /fixed\n", 0), ("Hello", 1)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_visit"));
        let status = command.args([&url, "--requests", "20", "--expect", body]).output().unwrap().status;
        assert_eq!(status.code(), Some(code), "{body:?}");
    }
}

#[test]
fn every_request_has_the_fields_that_were_given() {
    for mode in ["keep-alive", "close", "pipelined-2", "close-after-2"] {
        let server = ScriptedServer::start(|client| {
            while let Some((path, _)) = client.request() {
                let (_, fields) = client.head.split_once("Host: ").unwrap();
                let (_, fields) = fields.split_once("\r\n").unwrap();
                let is_last = client.head.contains("Connection: close");
                let close = if is_last { "Connection: close\r\n" } else { "" };
                if fields == format!("Accept: */*\r\nCookie: a=b; c\r\n{close}\r\n") {
                    client.send(&with_field(&path, close));
                }
                if is_last {
                    return;
                }
            }
        });
        let url = format!("http://{}/abc", server.address);
        let fields = ["--header", "Accept: */*", "--header", "Cookie:a=b; c"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_visit"));
        command.args([&url, "--requests", "20", "--mode", mode]).args(fields);
        let output = command.output().unwrap();
        let report = Report::parse(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
        assert_eq!((report.answered, report.errors), (20, Errors::default()), "{mode}");
        assert_eq!(report.load.headers, ["Accept: */*", "Cookie: a=b; c"]);
    }
}

#[test]
fn a_wrong_argument_exits_with_two() {
    for arguments in [
        "",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:1/ --connections 0",
        "http://127.0.0.1:1/ --what",
        "http://127.0.0.1:1/ --header Host:a",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_visit"));
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("error: "), "{arguments}");
    }
}
