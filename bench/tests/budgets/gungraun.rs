//! Instructions, as gungraun reports them of a program of benchmarks.

use std::time::Duration;

use bench::machine::host::{Host, Launch};
use bench::servers::checkout::Checkout;
use serde_json::Value;

/// The limit of a build from nothing on a slow machine, the servers included.
const BOUND: Duration = Duration::from_secs(60 * 60);

/// One benchmark.
#[derive(Debug, PartialEq)]
pub(crate) struct Benchmark {
    pub(crate) function: String,
    /// The benchmark among those of the same function.
    pub(crate) id: Option<String>,
    /// In all threads.
    pub(crate) instructions: u64,
}

/// Runs the program that `cargo bench` builds from `target`.
pub(crate) fn run(host: &Host, checkout: &Checkout, target: &str) -> Vec<Benchmark> {
    let words = format!("cargo bench --locked {target} -- --output-format=json");
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let launch = Launch::build(&words, &checkout.root);
    let ended = host.output(&launch, BOUND).unwrap();
    assert!(ended.status.success(), "`{}` failed: {}", words.join(" "), ended.complaint);
    ended.output.lines().map(read).collect()
}

/// Reads a line, which is the summary of a benchmark.
fn read(line: &str) -> Benchmark {
    let summary: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let instructions = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new");
    Benchmark {
        function: summary["function_name"].as_str().unwrap().to_owned(),
        id: summary["id"].as_str().map(str::to_owned),
        instructions: instructions.and_then(Value::as_u64).unwrap_or_else(|| panic!("no count: {line}")),
    }
}

#[test]
fn reads_summaries() {
    let profiles =
        r#""profiles":[{"data":{"parts":[],"total":{"metrics":{"Ir":{"values":{"new":12,"old":7}}},"#;
    let rest = r#""regressions":[]}},"tool":"Callgrind"}],"version":"7""#;
    let cases = [
        (r#""function_name":"date","#, "date", None),
        (r#""function_name":"answer","group":"paths","id":"bytes_4","#, "answer", Some("bytes_4")),
    ];
    for (names, function, id) in cases {
        let benchmark = read(&format!("{{{names}{profiles}{rest}}}"));
        let (function, id) = (function.to_owned(), id.map(str::to_owned));
        assert_eq!(benchmark, Benchmark { function, id, instructions: 12 });
    }
}
