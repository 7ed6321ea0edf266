//! The files that criterion leaves in the target folder. Each benchmark has a folder, and in its
//! `new` are `benchmark.json`, which says what was measured, and `estimates.json`, in nanoseconds
//! per iteration.
//!
//! What has to be known of it: the files of a benchmark stay when it is not run again. Each run
//! writes `benchmark.json` last, so the time of that file says whether a run has made it.

use std::collections::BTreeMap;
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

/// When each benchmark was last run, by the folder of its files.
pub(super) struct Stamps(BTreeMap<PathBuf, SystemTime>);

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

/// The work of an iteration, in one of these units or one that no benchmark here has.
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

impl Stamps {
    /// Reads criterion's folder, which may be absent. Fails when it cannot be listed.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut stamps = BTreeMap::new();
        match find(folder, &mut stamps) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot list {}", folder.display()))
            }
            _ => Ok(Self(stamps)),
        }
    }

    /// The folders of all benchmarks.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// The folders of the benchmarks that have run since `before` was read, in the order of their
    /// runs.
    pub(super) fn newer_than(self, before: &Self) -> Vec<PathBuf> {
        let mut made: Vec<(PathBuf, SystemTime)> = self.0.into_iter().collect();
        made.retain(|(folder, stamp)| before.0.get(folder) != Some(stamp));
        made.sort_by_key(|(_, stamp)| *stamp);
        made.into_iter().map(|(folder, _)| folder).collect()
    }
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

fn find(folder: &Path, stamps: &mut BTreeMap<PathBuf, SystemTime>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, stamps)?;
        } else if path.ends_with(Path::new("new").join(BENCHMARK)) {
            stamps.insert(folder.to_owned(), path.metadata()?.modified()?);
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
        let write = |name: &str, seconds: u64| {
            let new = folder.path().join(name).join("new");
            fs::create_dir_all(&new).unwrap();
            let file = fs::File::create(new.join(BENCHMARK)).unwrap();
            file.set_modified(start + Duration::from_secs(seconds)).unwrap();
        };
        assert!(Stamps::read(&folder.path().join("absent")).unwrap().0.is_empty());
        write("a/stale", 1);
        write("a/again", 2);
        let before = Stamps::read(folder.path()).unwrap();
        write("b/first", 3);
        write("a/again", 4);
        // A baseline, which criterion keeps beside `new`.
        fs::create_dir_all(folder.path().join("b/first/base")).unwrap();
        fs::write(folder.path().join("b/first/base").join(BENCHMARK), "").unwrap();
        let made = Stamps::read(folder.path()).unwrap().newer_than(&before);
        let expected = ["b/first/new", "a/again/new"].map(|name| folder.path().join(name));
        assert_eq!(made, expected);
    }
}
