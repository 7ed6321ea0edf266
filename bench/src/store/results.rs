//! A result folder: `machine.json`, `measurements.jsonl`, `raw/` and `report/`, and what was kept of drills and microbenchmarks.

mod code;
mod drills;
mod lines;
mod measurement;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::machine::Machine;
use crate::store::drills::DrillRecord;
use crate::store::microbench::CodeRecord;
use crate::store::record::Record;

use lines::Lines;
use measurement::Known;

pub use code::{CodeFile, load_saved};
pub use drills::DrillsFile;

const MACHINE: &str = "machine.json";
const MEASUREMENTS: &str = "measurements.jsonl";
/// Where a last line goes that was only half written, when a measurement is resumed.
const TORN: &str = "measurements.torn";
const RAW: &str = "raw";
const REPORT: &str = "report";

/// A result folder that a measurement writes to. Nothing in it is ever overwritten.
pub struct Results {
    folder: PathBuf,
    measurements: File,
    raw_files: u32,
}

/// What a result folder holds.
#[derive(Debug)]
pub struct Loaded {
    /// The machine and the command.
    pub machine: Machine,
    /// The records in the order they were made, less what no report shows and most of the memory would go to: the histograms
    /// of closed loops, and the server's port in a tool's command, for which `PORT` stands.
    pub records: Vec<Record>,
    /// A sentence about a last line that was only half written.
    pub torn: Option<String>,
    /// The findings of drills that were kept; of a server that was drilled twice the later one.
    pub drills: Vec<DrillRecord>,
    /// A sentence about a last finding that was only half written.
    pub drills_torn: Option<String>,
    /// The microbenchmarks, when they were kept.
    pub code: Option<CodeRecord>,
}

impl Results {
    /// Makes the folder, which must not be there yet, and writes `machine.json`.
    pub fn create(folder: &Path, machine: &Machine) -> anyhow::Result<Self> {
        let parent = folder.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                bail!(
                    "{} is there already, and results are never overwritten: name another",
                    folder.display()
                )
            }
            outcome => outcome.with_context(|| format!("cannot make {}", folder.display()))?,
        }
        let make = || {
            std::fs::create_dir(folder.join(RAW))?;
            let measurements =
                OpenOptions::new().append(true).create_new(true).open(folder.join(MEASUREMENTS))?;
            // Last, and whole or not at all: with it a measurement can be resumed, whenever the power goes.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all((serde_json::to_string_pretty(machine)? + "\n").as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(folder.join(MACHINE))?;
            File::open(folder)?.sync_all()?;
            std::io::Result::Ok(measurements)
        };
        let measurements = make().with_context(|| format!("cannot write to {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned(), measurements, raw_files: 0 })
    }

    /// Opens a folder that a measurement has left, to go on with it; what it holds. A last line that is only half written is
    /// set aside.
    pub fn resume(folder: &Path) -> anyhow::Result<(Self, Loaded)> {
        let loaded = load(folder)?;
        let path = folder.join(MEASUREMENTS);
        let open = || {
            if loaded.torn.is_some() {
                lines::set_aside_the_torn(&path, &folder.join(TORN))?;
            }
            OpenOptions::new().append(true).open(&path)
        };
        let measurements = open().with_context(|| format!("cannot write to {}", path.display()))?;
        let raw_files = last_raw_file(&folder.join(RAW))?;
        Ok((Self { folder: folder.to_owned(), measurements, raw_files }, loaded))
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a record as one line, in one write, and has it on the disk before it returns.
    pub fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        lines::append(&mut self.measurements, record)
            .with_context(|| format!("cannot write to {}", self.folder.join(MEASUREMENTS).display()))
    }

    /// Keeps what a tool printed; the name of its file in `raw/`.
    pub fn keep_raw(&mut self, label: &str, output: &str) -> anyhow::Result<String> {
        self.raw_files += 1;
        let name = format!("{:04}-{label}.txt", self.raw_files);
        let path = self.folder.join(RAW).join(&name);
        let write = || File::create_new(&path)?.write_all(output.as_bytes());
        write().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(name)
    }
}

/// Writes a result folder anew, with these records and without what tools printed.
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

/// Whether a folder is one of results, as far as can be seen from outside.
pub fn is_one(folder: &Path) -> bool {
    folder.join(MACHINE).is_file()
}

/// Reads what stands at the folder's beginning: the machine and the command.
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

/// Reads what the folder holds. A last line without its end was being written when somebody pulled the plug: it is
/// set aside and told of. Any other line that cannot be read is an error that names it.
pub fn load(folder: &Path) -> anyhow::Result<Loaded> {
    let machine = machine(folder)?;
    let known = Known::default();
    let Lines { lines: records, torn } =
        lines::read(&folder.join(MEASUREMENTS), |line| measurement::parse(line, &known))?;
    let (drills, drills_torn) = drills::load(folder)?;
    let code = code::load(folder)?;
    Ok(Loaded { machine, records, torn, drills, drills_torn, code })
}

/// Where a part of the report lies, by its path in the folder's `report/`.
pub fn report_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(REPORT).join(name)
}

/// Writes a part of the report.
pub fn write_report(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = report_path(folder, name);
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(&path, text)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The highest number of a file in `raw/`, of which one may belong to no record.
fn last_raw_file(folder: &Path) -> anyhow::Result<u32> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let number = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        name.to_str()?.split('-').next()?.parse::<u32>().ok()
    };
    Ok(entries.filter_map(|entry| number(entry.ok()?)).max().unwrap_or(0))
}
