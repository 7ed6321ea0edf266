//! The files that criterion leaves in the target folder. Each benchmark has a folder, and in its
//! `new` are `benchmark.json`, which says what was measured, and `estimates.json`, in nanoseconds
//! per iteration.
//!
//! The files of a benchmark stay when it is not run again. Each run writes `benchmark.json` last,
//! so the time of that file says whether a run has made it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::store::microbench::{BenchRecord, TimeRecord};

const BENCHMARK: &str = "benchmark.json";
const ESTIMATES: &str = "estimates.json";

/// The fields of `benchmark.json` that are read.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    /// `null` for a benchmark that has only a parameter.
    function_id: Option<String>,
    /// The parameter; `null` for a benchmark without one.
    value_str: Option<String>,
    throughput: Option<Throughput>,
}

/// The work of an iteration, in one of these units, or in a unit that no benchmark here uses.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Throughput {
    elements: Option<u64>,
    bytes: Option<u64>,
}

/// The fields of `estimates.json` that are read.
#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
    median: Estimate,
}

/// Nanoseconds per iteration.
#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// The folders of the benchmarks that have run since `start`, in the order of their runs. Criterion's
/// folder may be absent. Fails when it cannot be listed.
pub(super) fn run_since(folder: &Path, start: SystemTime) -> anyhow::Result<Vec<PathBuf>> {
    let mut stamped = Vec::new();
    match find(folder, &mut stamped) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot list {}", folder.display()));
        }
        _ => stamped.retain(|(stamp, _)| *stamp >= start),
    }
    stamped.sort();
    Ok(stamped.into_iter().map(|(_, folder)| folder).collect())
}

/// Reads a benchmark's two files. Fails when one is absent or not in criterion's form.
pub(super) fn read(folder: &Path) -> anyhow::Result<BenchRecord> {
    let Benchmark { group_id, function_id, value_str, throughput } = json(&folder.join(BENCHMARK))?;
    let Estimates { mean, median } = json(&folder.join(ESTIMATES))?;
    let name: Vec<String> = [function_id, value_str].into_iter().flatten().collect();
    Ok(BenchRecord {
        group: group_id,
        name: name.join("/"),
        mean: mean.time(),
        median: median.time(),
        elements: throughput.as_ref().and_then(|throughput| throughput.elements),
        bytes: throughput.and_then(|throughput| throughput.bytes),
    })
}

impl Estimate {
    fn time(&self) -> TimeRecord {
        let seconds = |nanoseconds: f64| nanoseconds / 1e9;
        TimeRecord {
            seconds: seconds(self.point_estimate),
            low_seconds: seconds(self.confidence_interval.lower_bound),
            high_seconds: seconds(self.confidence_interval.upper_bound),
        }
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not in criterion's form", path.display()))
}

/// Adds the folder of each benchmark's files, and when it was last run.
fn find(folder: &Path, stamped: &mut Vec<(SystemTime, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, stamped)?;
        } else if path.ends_with(Path::new("new").join(BENCHMARK)) {
            stamped.push((path.metadata()?.modified()?, folder.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CAPTURED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captured/criterion");

    #[test]
    fn reads_what_criterion_wrote() {
        let cases = [
            ("connection/pipelined/16", "connection", "pipelined/16", Some(16), None),
            ("request/parse/browser", "request", "parse/browser", None, Some(667)),
            ("request/refuse_two framings", "request", "refuse/two framings", None, Some(85)),
        ];
        for (folder, group, name, elements, bytes) in cases {
            let bench = read(&Path::new(CAPTURED).join(folder).join("new")).unwrap();
            assert_eq!((bench.group.as_str(), bench.name.as_str()), (group, name));
            assert_eq!((bench.elements, bench.bytes), (elements, bytes), "{folder}");
            for time in [bench.mean, bench.median] {
                assert!(1e-6 < time.low_seconds && time.low_seconds < time.seconds, "{folder}: {time:?}");
                assert!(time.seconds < time.high_seconds && time.high_seconds < 1e-3, "{folder}: {time:?}");
            }
        }
    }

    #[test]
    fn benchmarks_of_an_earlier_run_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let start = SystemTime::now();
        assert!(run_since(&folder.path().join("absent"), start).unwrap().is_empty());
        let before = start - Duration::from_secs(1);
        let after = start + Duration::from_secs(1);
        let files = [
            ("a/stale/new", before),
            ("a/again/new", after),
            ("b/first/new", start),
            // A baseline, which criterion keeps beside `new`.
            ("b/first/base", after),
        ];
        for (name, stamp) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            fs::File::create(path.join(BENCHMARK)).unwrap().set_modified(stamp).unwrap();
        }
        let made = run_since(folder.path(), start).unwrap();
        assert_eq!(made, ["b/first/new", "a/again/new"].map(|name| folder.path().join(name)));
    }
}
