//! The commands of all tools for a load, and the figures in their output, side by side.
//! `INSTA_UPDATE=always cargo test --package bench tools` writes the snapshots.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{LoadSpec, TOOLS, Tool, find};
use crate::servers::workload::{Amount, Load, Mode, Rate};
use crate::store::record::Protocol;

/// Output of a tool that was captured once, by its path in `tests/captured`.
pub(super) fn captured(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured").join(path)).unwrap()
}

/// Fails unless a program was identified as `expected`, or refused for a reason that contains it.
pub(super) fn assert_identified(got: anyhow::Result<String>, expected: Result<&str, &str>) {
    match (got, expected) {
        (Ok(version), Ok(expected)) => assert_eq!(version, expected),
        (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
        (got, expected) => panic!("{got:?} instead of {expected:?}"),
    }
}

/// The words of each tool for each kind of load, or why it cannot make that load.
#[test]
fn commands_follow_the_load() {
    let seconds = Amount::Time(Duration::from_secs(5));
    let half_a_second = Amount::Time(Duration::from_millis(500));
    let load = |amount, mode| Load::example("tool", amount, mode);
    let keep_alive = || load(seconds, Mode::KeepAlive);
    let long = Load { timeout: Duration::from_secs(20), ..load(Amount::Requests(10_000), Mode::KeepAlive) };
    let open = Load { rate: Some(Rate::PerSecond(500.0)), ..keep_alive() };
    let rate = Some(500.0);
    let encrypted = |resumes| Load { protocol: Protocol::Https, resumes, ..load(seconds, Mode::Close) };
    // The name, the load, the amount if it differs (as in a warm-up), the cores, and the rate.
    let cases = [
        ("requests", load(Amount::Requests(500), Mode::KeepAlive), None, 1, None),
        ("a timeout of 20 s", long, None, 1, None),
        ("seconds", keep_alive(), None, 1, None),
        ("three cores", keep_alive(), None, 3, None),
        ("a warm-up", keep_alive(), Some(half_a_second), 1, None),
        ("half a second", load(half_a_second, Mode::KeepAlive), None, 1, None),
        ("close", load(seconds, Mode::Close), None, 1, None),
        ("pipelined", load(seconds, Mode::Pipelined(16)), None, 1, None),
        ("open loop", open, None, 1, rate),
        ("https", Load { protocol: Protocol::Https, ..keep_alive() }, None, 1, None),
        (
            "https, a warm-up",
            Load { protocol: Protocol::Https, ..keep_alive() },
            Some(half_a_second),
            1,
            None,
        ),
        ("https, close", encrypted(false), None, 1, None),
        ("https, close, resumed", encrypted(true), None, 1, None),
        ("h2, 10 streams", Load { protocol: Protocol::H2, streams: 10, ..keep_alive() }, None, 1, None),
        ("h2c", Load { protocol: Protocol::H2c, ..keep_alive() }, None, 1, None),
    ];
    let mut text = String::new();
    for (name, load, amount, cores, rate) in &cases {
        text += &format!("{name}\n");
        for tool in TOOLS {
            let (answer, url) = ("Hello", "URL");
            let amount = amount.unwrap_or(load.amount);
            let spec =
                LoadSpec { load, amount, rate: *rate, share: None, series: None, answer, cores: *cores, url };
            text += &match tool.refuses(load) {
                Some(why) => format!("  {} {why}\n", tool.name()),
                None => format!("  {}\n", tool.command(&spec).join(" ")),
            };
        }
    }
    insta::assert_snapshot!("commands", text);
}

/// The figures in each captured output. The number of requests in `hey/over-a-million.txt` was
/// 1,100,000: its rounded rate and time give that to within a few.
#[test]
fn figures_of_captured_output() {
    let mut text = String::new();
    for tool in TOOLS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured").join(tool.name());
        let files = folder.read_dir().unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> = files.collect();
        files.sort();
        for file in files {
            let path = format!("{}/{file}", tool.name());
            let figures = tool.parse(&captured(&path)).unwrap();
            text += &format!(
                "{path}\n  {} answered in {} s, {:?} per second claimed\n  errors: {:?}, {} of connections\n  \
                 latency: mean {:?}, largest {:?}, percentiles {:?}\n",
                figures.answered,
                figures.elapsed_seconds,
                figures.claimed_per_second,
                figures.errors,
                figures.failed_connections,
                figures.mean_seconds,
                figures.max_seconds,
                figures.percentiles,
            );
        }
    }
    insta::assert_snapshot!("figures", text);
}

#[test]
fn output_that_is_cut_off_is_an_error() {
    // The tool, its output, the last text that has to be there (all of it if empty), and the error
    // of empty output. Output of `hey` that ends after its last count is complete.
    let cases = [
        ("h2load", "h2load/normal.txt", "", "h2load printed nothing"),
        ("hey", "hey/normal.txt", "200 responses", "hey printed nothing"),
        ("oha", "oha/normal.json", "", "oha printed nothing"),
        ("visit", "visit/some-5xx.json", "", "not the output of visit"),
        // wrk prints nothing when no server listens: the reason is on standard error.
        ("wrk", "wrk/normal.txt", "", "wrk printed nothing"),
        ("zrk", "zrk/normal.json", "", "zrk printed nothing"),
    ];
    for (name, path, last, nothing) in cases {
        let tool = find(name).unwrap();
        let normal = captured(path);
        let end = if last.is_empty() { normal.trim_end().len() } else { normal.find(last).unwrap() + 3 };
        for cut in (1..end).filter(|cut| normal.is_char_boundary(*cut)) {
            assert!(tool.parse(&normal[..cut]).is_err(), "{name}, cut after {cut} bytes");
        }
        assert_fails(tool, "", nothing);
    }
}

#[test]
fn damaged_output_is_an_error() {
    let cases = [
        ("h2load/normal.txt", "200 succeeded", "199 succeeded", "are not its 200 requests"),
        ("h2load/normal.txt", "200 done", "2000 done", "2000 requests took"),
        ("h2load/normal.txt", "status codes", "statuses", "has no line `status codes:`"),
        (
            "h2load/https.txt",
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "agreed on TLS_AES_256_GCM_SHA384, not on TLS_AES_128_GCM_SHA256",
        ),
        ("hey/normal.txt", "50% in", "p50", "hey's line `p50 0.0440 secs` is cut off, or of a version"),
        ("oha/normal.json", "\"200\": 200", "\"200\": 199", "oha counts 199 requests, but its rate says 200"),
        ("oha/normal.json", "\"total\": 0.013933898", "\"total\": 0.0", "but its rate says 0"),
        ("oha/normal.json", "statusCodeDistribution", "statuses", "is not its JSON"),
        ("visit/some-5xx.json", "\"interrupted\":false", "\"interrupted\":true", "it was interrupted"),
        ("wrk/normal.txt", "\"status\":0", "\"status\":20454", "wrk's summary is impossible: 20454 bad"),
        (
            "wrk/normal.txt",
            "\"duration_us\":1000994",
            "\"duration_us\":0",
            "wrk's summary is impossible: 0 bad",
        ),
        ("wrk/normal.txt", "\"depth\"", "\"width\"", "is not the summary of its script"),
        ("wrk/normal.txt", "\"read\":0", "\"read\":-1", "is not the summary of its script"),
        ("zrk/normal.json", "\"requests\"", "\"interrupted\": true, \"requests\"", "it was interrupted"),
        (
            "zrk/normal.json",
            "\"2xx\": 200",
            "\"2xx\": 199",
            "zrk's statuses are 199, and not its 200 requests",
        ),
        (
            "zrk/normal.json",
            "\"achieved_rate\": 199.94",
            "\"achieved_rate\": 1999.4",
            "but its rate says 1999",
        ),
        ("zrk/normal.json", "\"duration_s\": 1.000,\n", "\"duration_s\": 0.0,\n", "but its rate says 0"),
        ("zrk/normal.json", "status_codes", "statuses", "is not its JSON"),
    ];
    for (path, from, to, expected) in cases {
        let normal = captured(path);
        assert!(normal.contains(from), "{path}: {from}");
        let tool = find(path.split('/').next().unwrap()).unwrap();
        assert_fails(tool, &normal.replace(from, to), expected);
    }
}

fn assert_fails(tool: &dyn Tool, output: &str, expected: &str) {
    let error = tool.parse(output).unwrap_err().to_string();
    assert!(error.contains(expected), "{}: {error} instead of {expected}", tool.name());
}
