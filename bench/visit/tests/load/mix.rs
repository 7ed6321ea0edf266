//! `visit --mix`: requests of several kinds.

use std::io::Read;

use visit_output::{Errors, Kind, Report};

use super::controlled::Controlled;
use super::server::{Client, ScriptedServer, right, with_field};
use super::{Ran, finish, start, visit};

/// The server refuses heads with more bytes than this.
const LONG: usize = 8000;

const WRONG_METHOD: &str = "--mix name=wrong-method,share=0.2,method=DELETE,path=/d,status=405";
const NO_HOST: &str = "--mix name=no-host,share=0.1,malformed=no-host,status=400";
const SPACE: &str = "--mix name=space,share=0.1,malformed=space-in-name,status=400";
const LONG_HEAD: &str = "--mix name=long,share=0.1,head=20000,status=431";
const POST: &str = "--mix name=post,share=0.1,method=POST,status=405";

/// Refuses requests like a careful server: closes the connection if the end of a request is in
/// doubt.
fn serve(client: &mut Client) {
    while let Some((path, _)) = client.request() {
        let head = &client.head;
        let refusal = if head.len() > LONG {
            Some(("431 Too Long", true))
        } else if !head.contains("\r\nHost: ") || head.contains("\r\nMalformed Name: ") {
            Some(("400 Bad Request", true))
        } else if !head.starts_with("GET ") {
            Some(("405 Not Allowed", false))
        } else {
            None
        };
        let closes = refusal.is_some_and(|(_, closes)| closes) || head.contains("\r\nConnection: close\r\n");
        let close = if closes { "Connection: close\r\n" } else { "" };
        client.send(&match refusal {
            Some((status, _)) => format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n{close}\r\nno"),
            None => with_field(&path, close),
        });
        if closes {
            return;
        }
    }
}

fn kinds(report: &Report) -> Vec<(&str, u64, u64)> {
    let kinds = report.kinds.iter().flatten();
    kinds.map(|kind| (kind.name.as_str(), kind.sent, kind.expected)).collect()
}

#[test]
fn each_kind_has_its_share_and_its_answers() {
    let mix = [WRONG_METHOD, NO_HOST, SPACE, LONG_HEAD, POST].join(" ");
    let expected = [
        ("plain", 80, 80),
        ("wrong-method", 40, 40),
        ("no-host", 20, 20),
        ("space", 20, 20),
        ("long", 20, 20),
        ("post", 20, 20),
    ];
    for loops in ["", "--rate 2000", "--threads 2", "--rate 2000 --threads 2 --warm-up 0.05"] {
        for mode in ["keep-alive", "close", "close-after-3"] {
            let name = format!("--mode {mode} {loops}");
            let arguments = format!("{name} --connections 4 --requests 200 --path /b {mix}");
            let Ran { report, complaint, code } = visit(&arguments, serve);
            assert_eq!((report.sent, report.answered, code), (200, 80, 0), "{name}: {complaint}");
            assert_eq!((report.errors, &report.mismatch), (Errors::default(), &None), "{name}");
            assert_eq!(report.statuses, [(200, 80), (400, 40), (405, 60), (431, 20)].into(), "{name}");
            // After a warm-up the measured requests are a window of the order, on each thread.
            if !name.contains("warm-up") && !name.contains("threads") {
                assert_eq!(kinds(&report), expected, "{name}");
            }
            for (kind, (_, share, _)) in report.kinds.iter().flatten().zip(expected) {
                assert!(kind.sent.abs_diff(share) <= 4, "{name}: {kind:?}");
                assert_eq!((kind.sent, kind.statuses.get(&kind.status)), (kind.expected, Some(&kind.sent)));
                assert_eq!(kind.latency.as_ref().map(|times| times.count), Some(kind.sent), "{name}");
            }
            let shares: f64 = report.kinds.iter().flatten().map(|kind| kind.share).sum();
            assert!((shares - 1.0).abs() < 1e-9, "{name}");
            assert_eq!((report.load.mix.len(), report.load.paths.len()), (5, 2), "{name}");
            assert!(complaint.contains("kind  wrong-method 20.00 %: "), "{complaint}");
        }
    }
}

#[test]
fn a_rate_is_held_by_expected_answers() {
    let ran = visit(&format!("--rate 500 --requests 250 --timeout 2 {WRONG_METHOD}"), serve);
    let rate = ran.report.rate.unwrap();
    // This holds even when the machine was too slow for the rate.
    let enough = ran.report.sent as f64 / ran.report.elapsed_seconds;
    assert_eq!(rate.achieved_per_second, Some(enough), "{rate:?}");
}

#[test]
fn another_status_than_the_expected_one_is_counted() {
    let Ran { report, complaint, code } =
        visit(&format!("--requests 100 --connections 1 {WRONG_METHOD}"), |client| client.answer_all(right));
    assert_eq!((report.answered, report.mismatch, code), (100, None, 0), "{complaint}");
    let [plain, wrong_method]: [Kind; 2] = report.kinds.unwrap().try_into().unwrap();
    assert_eq!((plain.sent, plain.expected), (80, 80));
    assert_eq!(
        (wrong_method.sent, wrong_method.expected, wrong_method.statuses),
        (20, 0, [(200, 20)].into())
    );
    assert!(complaint.contains("0 × 405, 20 × 200 of 20"), "{complaint}");
    // A run that expects nothing but refusals is valid when they come.
    for (status, code) in [("405", 0), ("404", 1)] {
        let kind = format!("--mix name=all,share=1,method=DELETE,status={status}");
        let ran = visit(&format!("--requests 10 --connections 1 {kind}"), serve);
        assert_eq!((ran.report.answered, ran.code), (0, code), "{status}: {}", ran.complaint);
        assert_eq!(ran.complaint.contains("status that is expected of its kind"), code == 1);
    }
}

#[test]
fn a_kind_of_which_200_is_expected_is_checked() {
    let kind = "--mix name=b,share=0.5,path=/b,status=200 --requests 10 --connections 1";
    let ran = visit(kind, |client| client.answer_all(right));
    assert_eq!((kinds(&ran.report), ran.code), (vec![("plain", 5, 5), ("b", 5, 5)], 0));
    let ran = visit(kind, |client| client.answer_all(|_| right("/abc")));
    assert!(ran.report.mismatch.unwrap().starts_with("GET /b: "));
    let wrong = "HTTP/1.1 405 No\r\nContent-Length: 2, 3\r\n\r\nno";
    let ran = visit(&format!("--requests 10 --connections 1 {WRONG_METHOD}"), |client| {
        while let Some((path, _)) = client.request() {
            client.send(&if client.head.starts_with("GET") { right(&path) } else { wrong.into() });
        }
    });
    assert!(ran.report.mismatch.unwrap().starts_with("DELETE /d: "));
}

#[test]
fn a_server_may_refuse_before_it_has_read_all() {
    let kind = "--mix name=long,share=1,head=1048576,status=431 --connections 1 --requests 20";
    for loops in ["", "--rate 1000"] {
        let ran = visit(&format!("{kind} {loops}"), |client| {
            let _ = client.stream.read(&mut [0; 1000]);
            client.send("HTTP/1.1 431 Too Long\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        });
        // The reset of the server may be faster than its answer.
        let [kind]: [Kind; 1] =
            ran.report.kinds.unwrap().into_iter().skip(1).collect::<Vec<_>>().try_into().unwrap();
        let Errors { reset, closed, .. } = ran.report.errors;
        assert_eq!((kind.sent, kind.expected + reset + closed), (20, 20), "{loops}: {:?}", ran.report.errors);
        assert_eq!(ran.report.errors.failed_connections(), 0, "{loops}");
    }
}

#[test]
fn kinds_of_slices_and_shares_add_up() {
    let server = ScriptedServer::start(serve);
    let mut controlled =
        Controlled::start(&server, &format!("--connections 2 --quiet {WRONG_METHOD} {NO_HOST}"));
    let slices = [controlled.slice("run 0.05"), controlled.slice("warm 0.02"), controlled.slice("run 0.05")];
    let report = controlled.finish().report;
    let sent: u64 = report.kinds.iter().flatten().map(|kind| kind.sent).sum();
    assert_eq!((sent, report.sent), (slices[0].sent + slices[2].sent, sent));
    let shares = ["1/3", "2/3", "3/3"].map(|share| {
        let arguments = format!("--connections 6 --threads 2 --requests 600 --share {share} {WRONG_METHOD}");
        finish(start(&server, &arguments)).report
    });
    let all = Report::merge(&shares, 1.0).unwrap();
    // Each thread has 100 requests, which is a multiple of the period.
    assert_eq!(kinds(&all), [("plain", 480, 480), ("wrong-method", 120, 120)]);
    assert_eq!(all.kinds.unwrap()[1].latency.as_ref().unwrap().count, 120);
}
