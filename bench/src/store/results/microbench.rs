//! The microbenchmarks of a result folder: its `microbench.json`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{disk, lines};
use crate::store::microbench::{MicrobenchRecord, SCHEMA};

const NAME: &str = "microbench.json";

/// The name of the file up to schema 2 of a measurement. Its form was the same.
const FORMER_NAME: &str = "code.json";

/// The first schema that is read: later ones have only added fields.
const OLDEST: u32 = 1;

/// The place for microbenchmarks in a folder that has none yet.
pub struct MicrobenchFile(PathBuf);

impl MicrobenchFile {
    /// Returns the place in a result folder. Fails when the folder has microbenchmarks already.
    pub fn vacant(folder: &Path) -> anyhow::Result<Self> {
        super::machine(folder)?;
        for name in [NAME, FORMER_NAME] {
            let path = folder.join(name);
            if path.exists() {
                bail!("{} is there already, and results are never overwritten: move it away", path.display());
            }
        }
        Ok(Self(folder.join(NAME)))
    }

    /// Writes the file, whole or not at all. Returns its path, and a warning for the user if the
    /// file system refused to sync.
    pub fn write(self, record: &MicrobenchRecord) -> anyhow::Result<(PathBuf, Option<String>)> {
        let written = disk::write_whole(&self.0, record);
        let synced = written.with_context(|| format!("cannot write {}", self.0.display()))?;
        let warning = synced.warning(&self.0);
        Ok((self.0, warning))
    }
}

/// The microbenchmarks of a folder; `None` when none were kept. Fails on a damaged file.
pub(super) fn load(folder: &Path) -> anyhow::Result<Option<MicrobenchRecord>> {
    for path in [folder.join(NAME), folder.join(FORMER_NAME)] {
        match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(text) => {
                let record = lines::parse_since(&text, OLDEST, SCHEMA);
                return record.with_context(|| path.display().to_string()).map(Some);
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MACHINE: &str = include_str!("../../../tests/folder/machine.json");

    #[test]
    fn what_was_stored_is_what_is_loaded_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("machine.json"), MACHINE).unwrap();
        assert_eq!(load(path).unwrap(), None);
        let record = MicrobenchRecord::example();
        let (written, _) = MicrobenchFile::vacant(path).unwrap().write(&record).unwrap();
        assert_eq!(load(path).unwrap(), Some(record));
        let message = MicrobenchFile::vacant(path).err().unwrap().to_string();
        assert!(message.contains("microbench.json is there already"), "{message}");

        for (text, expected) in [
            ("{}", "microbench.json: it is damaged: missing field `schema`"),
            (r#"{"schema": 1}"#, "microbench.json: it is damaged: missing field"),
            (r#"{"schema": 7}"#, "microbench.json: written with schema 7"),
        ] {
            fs::write(&written, text).unwrap();
            let message = format!("{:#}", load(path).unwrap_err());
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn what_an_older_bench_stored_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"schema": 1, "started": "2026-01-01T12:00:00Z", "rustc": null, "benches": []}"#;
        fs::write(folder.path().join(FORMER_NAME), text).unwrap();
        let expected = MicrobenchRecord {
            schema: 1,
            started: "2026-01-01T12:00:00Z".into(),
            rustc: None,
            pages: None,
            benches: Vec::new(),
            costs: Vec::new(),
        };
        assert_eq!(load(folder.path()).unwrap(), Some(expected));
        fs::write(folder.path().join("machine.json"), MACHINE).unwrap();
        let message = MicrobenchFile::vacant(folder.path()).err().unwrap().to_string();
        assert!(message.contains("code.json is there already"), "{message}");
    }
}
