//! The summary for people on standard error.

use std::fmt::Write;

use visit_output::{Http2, Kind, Queue, Rate, Report, TimesReport, Tls, as_f64};

/// The delay from which the summary says that a load began late. Waking a thread takes less.
const LATE_SECONDS: f64 = 0.001;

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:>14}  {}", value.trim_end());
    };
    let load = &report.load;
    let share = report.share.map_or_else(String::new, |share| format!(", share {share}"));
    let streams = match load.protocol.as_str() {
        "h2" | "h2c" => format!(" of {} streams", load.streams),
        _ => String::new(),
    };
    let connections = format!("{} connections{streams}", load.connections);
    line("load", &format!("{}, {connections}, {}{share}", load.url, load.mode));
    if let Some(late) = report.late_seconds.filter(|late| *late >= LATE_SECONDS) {
        line("begin", &format!("{:.3} ms later than told", late * 1e3));
    }
    let per_second = report.per_second().map_or_else(|| "–".into(), |rate| format!("{rate:.0}"));
    let seconds = report.elapsed_seconds;
    line("answered", &format!("{} in {seconds:.2} s: {per_second} per second", report.answered));
    for (status, count) in report.statuses.iter().filter(|(status, _)| **status >= 300) {
        line("status", &format!("{count} × {status}"));
    }
    for (kind, count) in report.errors.occurred() {
        line("error", &format!("{count} × {kind}"));
    }
    if let Some(counts) = report.http2.filter(|counts| *counts != Http2::default()) {
        line("HTTP/2", &http2_line(&counts));
    }
    if let Some(why) = &report.handshake_failure {
        line("handshake", &format!("the first that failed: {why}"));
    }
    for advice in advice(report) {
        line("advice", &advice);
    }
    let start = if report.rate.is_some() { "from when it was due" } else { "from its sending" };
    let Report { latency, connect, handshake, schedule_lag, .. } = report;
    let tls = report.tls.as_ref().map(tls_line).unwrap_or_default();
    let times = [
        ("latency", latency, start),
        ("connect", connect, ""),
        ("handshake", handshake, &tls),
        ("schedule lag", schedule_lag, ""),
    ];
    for (name, times, start) in times {
        if let Some(times) = times {
            line(name, &format!("{}  {start}", figures(times)));
        }
    }
    for kind in report.kinds.iter().flatten() {
        line("kind", &kind_line(kind));
    }
    if let Some(Rate { target_per_second, held, waited, .. }) = report.rate {
        let held = if held { "held" } else { "NOT held" };
        let waited = format!("{waited} requests waited for a connection");
        let poisson = load.seed.map_or_else(String::new, |seed| format!(", poisson arrivals (seed {seed})"));
        line("rate", &format!("{target_per_second:.0} per second {held}, {waited}{poisson}"));
    }
    if report.answered > 0 {
        let each = report.cpu_seconds * 1e6 / as_f64(report.answered);
        line("own CPU", &format!("{:.2} s, {each:.1} µs per answer", report.cpu_seconds));
    }
    text
}

fn tls_line(tls: &Tls) -> String {
    let Tls { version, suite, group, full, resumed, .. } = tls;
    format!("{full} full, {resumed} resumed: {version} {suite} {group}")
}

fn http2_line(counts: &Http2) -> String {
    let Http2 { goaway, rst_stream, refused_stream, asked_again } = counts;
    format!(
        "{goaway} × GOAWAY, {asked_again} requests asked again; {rst_stream} × RST_STREAM, \
         {refused_stream} of them refused"
    )
}

fn kind_line(kind: &Kind) -> String {
    let Kind { name, share, status, sent, expected, latency, .. } = kind;
    let others = kind.statuses.iter().filter(|(other, _)| *other != status);
    let others: String = others.map(|(status, count)| format!(", {count} × {status}")).collect();
    let latency = latency.as_ref().map_or_else(String::new, |times| format!("  {}", figures(times)));
    format!("{name} {:.2} %: {expected} × {status}{others} of {sent}{latency}", share * 100.0)
}

/// What to do about connections that could not be opened.
fn advice(report: &Report) -> Vec<String> {
    let mut advice = Vec::new();
    if report.errors.no_port > 0 {
        advice.push(
            "this side has no port left: take fewer connections, wait a minute for closed ones, or raise the \
             limit (sysctl net.ipv4.ip_local_port_range)"
                .to_owned(),
        );
    }
    if report.errors.unreachable > 0 {
        advice.push(
            "the network is unreachable: it is down (`ip link set lo up` in a container), or has no route"
                .to_owned(),
        );
    }
    if let Some(Queue { overflows, .. }) = report.queue.filter(|queue| queue.overflows > 0) {
        advice.push(format!(
            "{overflows} connections found the queue of a server on this machine full: raise the server's \
             backlog and sysctl net.core.somaxconn"
        ));
    }
    advice
}

fn figures(times: &TimesReport) -> String {
    let percentiles = [
        ("50 %", times.p50_seconds),
        ("90 %", times.p90_seconds),
        ("99 %", times.p99_seconds),
        ("99.9 %", times.p99_9_seconds),
    ];
    let percentiles = percentiles.map(|(name, seconds)| format!("{name} {:.3}  ", seconds * 1e3));
    format!("{}max {:.3} ms", percentiles.concat(), times.max_seconds * 1e3)
}
