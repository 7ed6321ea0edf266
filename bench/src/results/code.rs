//! What a result folder keeps of microbenchmarks: `code.json`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::lines;
use crate::microbench::{CodeRecord, SCHEMA};

const CODE: &str = "code.json";

/// The place for microbenchmarks in a result folder that has none yet.
pub struct CodeFile {
    path: PathBuf,
}

impl CodeFile {
    /// That of a folder which a measurement has made; an error when it is taken, since nothing is ever overwritten.
    pub fn vacant(folder: &Path) -> anyhow::Result<Self> {
        super::machine(folder)?;
        let path = folder.join(CODE);
        if path.exists() {
            bail!("{} is there already, and results are never overwritten: move it away", path.display());
        }
        Ok(Self { path })
    }

    /// Writes it, whole or not at all; its path.
    pub fn write(self, record: &CodeRecord) -> anyhow::Result<PathBuf> {
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all((serde_json::to_string_pretty(record)? + "\n").as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(&self.path)?;
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(self.path)
    }
}

/// The microbenchmarks that a folder holds; `None` when none were kept.
pub(super) fn load(folder: &Path) -> anyhow::Result<Option<CodeRecord>> {
    let path = folder.join(CODE);
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        Ok(text) => lines::parse(&text, SCHEMA).with_context(|| path.display().to_string()).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_stored_is_what_is_loaded_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("machine.json"), include_str!("../../tests/folder/machine.json")).unwrap();
        assert_eq!(load(path).unwrap(), None);
        let record = CodeRecord::example();
        let written = CodeFile::vacant(path).unwrap().write(&record).unwrap();
        assert_eq!(load(path).unwrap(), Some(record));
        let message = CodeFile::vacant(path).err().unwrap().to_string();
        assert!(message.contains("code.json is there already"), "{message}");

        for (text, expected) in [
            ("{}", "code.json: it is damaged: missing field `schema`"),
            (r#"{"schema": 1}"#, "code.json: it is damaged: missing field"),
            (r#"{"schema": 7}"#, "code.json: written with schema 7"),
        ] {
            fs::write(&written, text).unwrap();
            let message = format!("{:#}", load(path).unwrap_err());
            assert!(message.contains(expected), "{message}");
        }
    }
}
