//! The instructions that gungraun reports for a program of benchmarks.

use std::collections::BTreeMap;
use std::time::Duration;

use bench::machine::host::{Host, Launch};
use bench::servers::checkout::Checkout;
use serde_json::Value;

/// The timeout of a build from nothing on a slow machine, including the servers.
const BOUND: Duration = Duration::from_secs(60 * 60);

/// The instructions of each benchmark, in all threads, by its name: `function`, or `function/id` where a
/// function has several.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Runs the program that `cargo bench` builds from `target`.
pub(crate) fn run(host: &Host, checkout: &Checkout, target: &str) -> Counts {
    let words = format!("cargo bench --locked {target} -- --output-format=json");
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let launch = Launch::build(&words, &checkout.root);
    let ended = host.output(&launch, BOUND).unwrap();
    assert!(ended.status.success(), "`{}` failed: {}", words.join(" "), ended.complaint);
    ended.output.lines().map(read).collect()
}

/// Reads a line, which is the summary of a benchmark.
fn read(line: &str) -> (String, u64) {
    let summary: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let names = [&summary["function_name"], &summary["id"]].into_iter().filter_map(Value::as_str);
    let count = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new").and_then(Value::as_u64);
    (names.collect::<Vec<_>>().join("/"), count.unwrap_or_else(|| panic!("no count: {line}")))
}

#[test]
fn reads_summaries() {
    let profiles =
        r#""profiles":[{"data":{"parts":[],"total":{"metrics":{"Ir":{"values":{"new":12,"old":7}}},"#;
    let rest = r#""regressions":[]}},"tool":"Callgrind"}],"version":"7""#;
    let cases = [
        (r#""function_name":"date","#, "date"),
        (r#""function_name":"answer","group":"paths","id":"bytes_4","#, "answer/bytes_4"),
    ];
    for (names, expected) in cases {
        assert_eq!(read(&format!("{{{names}{profiles}{rest}}}")), (expected.to_owned(), 12));
    }
}
