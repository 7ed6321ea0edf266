//! The summary for people.

use std::fmt::Write;

use super::report::Report;
use super::times::TimesReport;

/// A few lines of text.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:>14}  {value}");
    };
    let asked = &report.asked;
    line("asked", &format!("{}, {} connections, {}", asked.url, asked.connections, asked.mode));
    let per_second = report.per_second().map_or_else(|| "–".into(), |rate| format!("{rate:.0}"));
    line(
        "answered",
        &format!("{} in {:.2} s: {per_second} a second", report.answered, report.elapsed_seconds),
    );
    for (status, count) in report.statuses.iter().filter(|(status, _)| **status >= 300) {
        line("status", &format!("{count} × {status}"));
    }
    for (kind, count) in report.errors.occurred() {
        line("error", &format!("{count} × {kind}"));
    }
    let meaning = if report.rate.is_some() { "from when it was due" } else { "from its sending" };
    let times = [
        ("latency", &report.latency, meaning),
        ("connect", &report.connect, ""),
        ("schedule lag", &report.schedule_lag, ""),
    ];
    for (name, times, meaning) in times {
        if let Some(times) = times {
            line(name, &format!("{}  {meaning}", figures(times)));
        }
    }
    if let Some(rate) = &report.rate {
        let held = if rate.held { "held" } else { "NOT held" };
        let value = format!(
            "{:.0} a second {held}, {} requests waited for a connection",
            rate.asked_per_second, rate.waited
        );
        line("rate", &value);
    }
    if report.answered > 0 {
        let each = report.cpu_seconds * 1e6 / crate::numbers::as_f64(report.answered);
        line("own CPU", &format!("{:.2} s, {each:.1} µs an answer", report.cpu_seconds));
    }
    text
}

fn figures(times: &TimesReport) -> String {
    let milliseconds = |seconds: f64| format!("{:.3}", seconds * 1e3);
    let TimesReport { p50_seconds, p90_seconds, p99_seconds, p99_9_seconds, max_seconds, .. } = times;
    let all =
        [("50 %", p50_seconds), ("90 %", p90_seconds), ("99 %", p99_seconds), ("99.9 %", p99_9_seconds)];
    let mut text = String::new();
    for (name, seconds) in all {
        let _ = write!(text, "{name} {}  ", milliseconds(*seconds));
    }
    text + &format!("most {} ms", milliseconds(*max_seconds))
}
