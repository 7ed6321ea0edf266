//! `visit --rate`: requests that are due at fixed times.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use visit_output::Errors;

use super::server::right;
use super::visit;

/// The server stops for one second of three. In an open loop a third of the requests is due in that
/// second, so the 99th percentile is nearly one second, although few requests were on their way.
#[test]
fn an_open_loop_counts_from_when_a_request_was_due() {
    let until: &Mutex<Option<Instant>> = Box::leak(Box::default());
    let ran = visit("--connections 2 --rate 200 --seconds 3", |client| {
        while let Some((path, number)) = client.request() {
            if number == 200 {
                *until.lock().unwrap() = Some(Instant::now() + Duration::from_secs(1));
            }
            let stopped = *until.lock().unwrap();
            if let Some(left) = stopped.map(|until| until.saturating_duration_since(Instant::now())) {
                sleep(left);
            }
            client.send(&right(&path));
        }
    });
    let report = ran.report;
    assert_eq!((report.sent, report.answered, report.errors), (600, 600, Errors::default()));
    assert!(report.latency.unwrap().p99_seconds >= 0.8);
    let rate = report.rate.unwrap();
    assert!(!rate.held && rate.waited > 100, "{rate:?}");
}

#[test]
fn a_request_that_waits_too_long_for_a_connection_is_not_sent() {
    let arguments = "--connections 1 --rate 100 --requests 50 --timeout 0.2";
    let ran = visit(arguments, |client| while client.request().is_some() {});
    let Errors { timeout, unsent, .. } = ran.report.errors;
    assert_eq!((timeout, timeout + unsent), (ran.report.sent, 50), "{:?}", ran.report.errors);
    assert!(unsent > 0, "{:?}", ran.report.errors);
}

#[test]
fn arrivals_can_be_random() {
    for (seed, expected) in [("--seed 7", Some(7)), ("", None)] {
        let arguments = format!("--rate 1000 --requests 300 --warm-up 0.1 --arrivals poisson {seed}");
        let ran = visit(&format!("{arguments} --threads 2"), |client| client.answer_all(right));
        assert_eq!((ran.report.answered, ran.report.errors, ran.code), (300, Errors::default(), 0), "{seed}");
        let found = ran.report.load.seed.unwrap();
        assert_eq!(ran.report.load.arrivals.as_deref(), Some("poisson"));
        assert!(expected.is_none_or(|expected| expected == found), "{seed}: {found}");
        assert!(ran.complaint.contains(&format!("poisson arrivals (seed {found})")), "{}", ran.complaint);
    }
    for (arguments, arrivals) in
        [("--rate 1000", Some("even")), ("--rate 1000 --arrivals even", Some("even")), ("", None)]
    {
        let ran = visit(&format!("--requests 10 {arguments}"), |client| client.answer_all(right));
        assert_eq!(
            (ran.report.load.arrivals.as_deref(), ran.report.load.seed),
            (arrivals, None),
            "{arguments}"
        );
    }
}
