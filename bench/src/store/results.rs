//! A result folder: `machine.json`, `measurements.jsonl`, `raw/` and `report/`, and the results of
//! drills and microbenchmarks that were kept.

mod disk;
mod drills;
mod lines;
mod microbench;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::machine::Machine;
use crate::store::drills::DrillRecord;
use crate::store::microbench::MicrobenchRecord;
use crate::store::record::{OLDEST_SCHEMA, Record, SCHEMA};

use disk::Synced;
use lines::{Appender, Lines};

pub use drills::DrillsFile;
pub use microbench::MicrobenchFile;

const MACHINE: &str = "machine.json";
const MEASUREMENTS: &str = "measurements.jsonl";
const RAW: &str = "raw";
const REPORT: &str = "report";

/// A result folder that a measurement writes to. Nothing in it is ever overwritten.
pub struct Results {
    folder: PathBuf,
    measurements: Appender,
    raw_files: u32,
    /// Whether `machine.json` has reached the disk.
    synced: Synced,
}

/// The contents of a result folder.
#[derive(Debug)]
pub struct Loaded {
    /// The machine and the command.
    pub machine: Machine,
    /// The records in the order in which they were made, without the histograms of closed loops: no
    /// report shows them, and they would take most of the memory.
    pub records: Vec<Record>,
    /// A sentence about an incomplete last line.
    pub torn: Option<String>,
    /// The results of drills that were kept; the later result where a server was drilled twice.
    pub drills: Vec<DrillRecord>,
    /// A sentence about an incomplete last line of the drills' results.
    pub drills_torn: Option<String>,
    /// The microbenchmarks, when they were kept.
    pub microbench: Option<MicrobenchRecord>,
}

impl Results {
    /// Makes the folder and writes `machine.json`. Fails if the folder exists.
    pub fn create(folder: &Path, machine: &Machine) -> anyhow::Result<Self> {
        let parent = folder.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let folder = folder.display();
                bail!("{folder} is there already, and results are never overwritten: name another")
            }
            outcome => outcome.with_context(|| format!("cannot make {}", folder.display()))?,
        }
        let make = || {
            std::fs::create_dir(folder.join(RAW))?;
            let measurements = Appender::open(folder.join(MEASUREMENTS), false)?;
            // This file is written last, and whole or not at all: with it, a measurement can be
            // resumed.
            let synced = disk::write_whole(&folder.join(MACHINE), machine)?;
            anyhow::Ok((measurements, synced))
        };
        let made = make().inspect_err(|_| {
            // The folder holds nothing yet. Because of it, the same command would fail once there
            // is room.
            let _ = std::fs::remove_dir_all(folder);
        });
        let (measurements, synced) = made.with_context(|| format!("cannot write to {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned(), measurements, raw_files: 0, synced })
    }

    /// Opens the folder of an interrupted measurement to continue it. Also returns its contents. An
    /// incomplete last line is moved to a separate file. Fails like [`load`], or if the folder is
    /// read-only.
    pub fn resume(folder: &Path) -> anyhow::Result<(Self, Loaded)> {
        let loaded = load(folder)?;
        let measurements = Appender::open(folder.join(MEASUREMENTS), loaded.torn.is_some())?;
        let raw_files = last_raw_file(&folder.join(RAW))?;
        let synced = Synced::Yes;
        Ok((Self { folder: folder.to_owned(), measurements, raw_files, synced }, loaded))
    }

    /// The folder's path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a warning for the user if the folder's file system refused to sync.
    pub fn warning(&self) -> Option<String> {
        self.synced.and(self.measurements.synced).warning(&self.folder)
    }

    /// Appends a record as one line, and waits for the disk. Fails if it cannot be written.
    pub fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        self.measurements.append(record)
    }

    /// Keeps a tool's output in `raw/`, and returns the file's name. Fails if it cannot be written.
    pub fn keep_raw(&mut self, label: &str, output: &str) -> anyhow::Result<String> {
        self.raw_files += 1;
        let name = format!("{:04}-{label}.txt", self.raw_files);
        let path = self.folder.join(RAW).join(&name);
        let write = || File::create_new(&path)?.write_all(output.as_bytes());
        write().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(name)
    }
}

/// Writes or replaces a result folder, without the output of tools. Fails if it cannot be written.
pub fn write_copy(folder: &Path, machine: &Machine, records: &[Record]) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(MACHINE), serde_json::to_string_pretty(machine)? + "\n")?;
        let mut lines = String::new();
        for record in records {
            lines += &(serde_json::to_string(record)? + "\n");
        }
        std::fs::write(folder.join(MEASUREMENTS), lines)
    };
    write().with_context(|| format!("cannot write to {}", folder.display()))
}

/// Whether a folder has the file that makes it a result folder.
pub fn is_one(folder: &Path) -> bool {
    folder.join(MACHINE).is_file()
}

/// Reads `machine.json`. Fails if the folder is no result folder, or the file is damaged.
pub fn machine(folder: &Path) -> anyhow::Result<Machine> {
    if !folder.is_dir() {
        bail!("{} is not a folder of results, as `bench measure` makes them", folder.display());
    }
    let path = folder.join(MACHINE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let damaged =
        |error: serde_json::Error| anyhow!("{}:{}: it is damaged: {error}", path.display(), error.line());
    serde_json::from_str(&text).map_err(damaged)
}

/// Reads the contents of a folder. An incomplete last line is left out and reported. Fails if any
/// other line cannot be read; the error names the file and the line.
pub fn load(folder: &Path) -> anyhow::Result<Loaded> {
    let machine = machine(folder)?;
    let Lines { lines: records, torn } = lines::read(&folder.join(MEASUREMENTS), measurement)?;
    let (drills, drills_torn) = drills::load(folder)?;
    let microbench = microbench::load(folder)?;
    Ok(Loaded { machine, records, torn, drills, drills_torn, microbench })
}

fn measurement(line: &[u8]) -> anyhow::Result<Record> {
    let mut record: Record = lines::parse_since(line, OLDEST_SCHEMA, SCHEMA)?;
    if let Some(latency) = record.latency.as_mut().filter(|_| record.workload.rate.is_none()) {
        latency.histogram = None;
    }
    Ok(record)
}

/// The path of a file in the folder's `report/`.
pub fn report_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(REPORT).join(name)
}

/// Writes or replaces a file in the folder's `report/`, whole or not at all. Fails if it cannot be
/// written.
pub fn write_report(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = report_path(folder, name);
    let write = || {
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)?;
        let mut file = disk::new_file(parent)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Returns the highest number of a file in `raw/`. The file may belong to a run that left no
/// record.
fn last_raw_file(folder: &Path) -> anyhow::Result<u32> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let number = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        name.to_str()?.split('-').next()?.parse::<u32>().ok()
    };
    Ok(entries.filter_map(|entry| number(entry.ok()?)).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Bound, RateRecord};

    fn line(record: &Record) -> String {
        serde_json::to_string(record).unwrap()
    }

    fn record() -> Record {
        let mut record = Record::example("one", 1);
        record.latency.as_mut().unwrap().histogram = Some("packed".into());
        record
    }

    #[test]
    fn what_is_loaded_is_what_was_stored_but_for_the_histograms_of_closed_loops() {
        let mut open = record();
        open.workload.rate = Some(RateRecord { per_second: Some(1.0), ..RateRecord::default() });
        for stored in [record(), open] {
            let mut expected = stored.clone();
            if expected.workload.rate.is_none() {
                expected.latency.as_mut().unwrap().histogram = None;
            }
            assert_eq!(line(&measurement(line(&stored).as_bytes()).unwrap()), line(&expected));
        }
    }

    /// Lines as earlier versions wrote them: fields had other names, and some did not exist yet.
    #[test]
    fn lines_of_earlier_schemas_are_read() {
        let cases = [
            (3, include_str!("../../tests/folder/schema-3.json"), Some("hyper"), Bound::ClientBound),
            (4, include_str!("../../tests/folder/schema-4.json"), Some("compio"), Bound::ServerBound),
            (5, include_str!("../../tests/folder/schema-5.json"), Some("compio"), Bound::ServerBound),
            (7, include_str!("../../tests/folder/schema-7.json"), Some("epoll"), Bound::ClientBound),
            (9, include_str!("../../tests/folder/schema-9.json"), None, Bound::ServerBound),
            (10, include_str!("../../tests/folder/schema-10.json"), None, Bound::ServerBound),
        ];
        for (schema, text, duplicate_of, bound) in cases {
            let record = measurement(text.as_bytes()).unwrap();
            let (verdict, cpu) = (record.verdict.unwrap(), record.cpu.unwrap());
            assert_eq!((record.schema, verdict.bound, record.server.is_attached), (schema, bound, false));
            assert_eq!(record.server.duplicate_of.as_deref(), duplicate_of);
            assert!(verdict.external_share.is_some() && verdict.server_utilisation.is_some(), "{schema}");
            assert!(cpu.external_seconds.is_some() && cpu.steal_seconds.is_some(), "{schema}");
            assert_eq!(cpu.throttled_seconds, Some(0.0), "{schema}");
        }
    }

    #[test]
    fn damage_is_an_error_that_says_what_is_wrong() {
        let whole = line(&record());
        let cases = [
            ("an unknown field", whole.replacen("attempt", "attempts", 1), "unknown field `attempts`"),
            ("an unknown field in a part", whole.replacen("title", "titles", 1), "unknown field `titles`"),
            ("a missing field", whole.replacen("\"attempt\":1,", "", 1), "missing field `attempt`"),
            ("an early end", whole[..whole.len() - 1].to_owned(), "EOF"),
            ("another schema", whole.replacen("\"schema\":6", "\"schema\":99", 1), "written with schema 99"),
        ];
        for (name, text, expected) in cases {
            let error = format!("{:#}", measurement(text.as_bytes()).unwrap_err());
            assert!(error.contains(expected), "{name}: {error}");
        }
        assert!(measurement(b"{\"started\":\"\xff\"}\n").is_err());
    }
}
