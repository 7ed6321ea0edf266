//! What is kept of microbenchmarks: a result folder's `code.json`, and what was saved by a name, to be compared with.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::lines;
use crate::store::microbench::{CodeRecord, SCHEMA};
use crate::text::names;

const CODE: &str = "code.json";

/// What the file of a saved one ends with, after its name.
const SAVED: &str = ".json";

/// The first form that is read: later ones have added what may be absent.
const OLDEST: u32 = 1;

/// The place for microbenchmarks where there are none yet.
pub struct CodeFile {
    path: PathBuf,
}

impl CodeFile {
    /// That of a folder which a measurement has made; an error when it is taken, since nothing is ever overwritten.
    pub fn vacant(folder: &Path) -> anyhow::Result<Self> {
        super::machine(folder)?;
        Self::at(folder.join(CODE))
    }

    /// That of a name among those that are saved in a folder, which need not be there yet; an error when it is taken, or leads
    /// elsewhere.
    pub fn unsaved(folder: &Path, name: &str) -> anyhow::Result<Self> {
        if name.is_empty() || name.contains(std::path::is_separator) {
            bail!("`{name}` is no name of a file");
        }
        Self::at(saved_path(folder, name))
    }

    fn at(path: PathBuf) -> anyhow::Result<Self> {
        if path.exists() {
            bail!("{} is there already, and results are never overwritten: move it away", path.display());
        }
        Ok(Self { path })
    }

    /// Writes it, whole or not at all; its path.
    pub fn write(self, record: &CodeRecord) -> anyhow::Result<PathBuf> {
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)?;
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

/// The microbenchmarks that were saved in a folder by this name; an error that tells of the others when there are none.
pub fn load_saved(folder: &Path, name: &str) -> anyhow::Result<CodeRecord> {
    read(&saved_path(folder, name))?.ok_or_else(|| {
        let known = saved_names(folder);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        anyhow!("nothing is saved as `{name}`: {}", names::suggest(name, &known))
    })
}

/// The microbenchmarks that a folder holds; `None` when none were kept.
pub(super) fn load(folder: &Path) -> anyhow::Result<Option<CodeRecord>> {
    read(&folder.join(CODE))
}

fn read(path: &Path) -> anyhow::Result<Option<CodeRecord>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        Ok(text) => {
            lines::parse_since(&text, OLDEST, SCHEMA).with_context(|| path.display().to_string()).map(Some)
        }
    }
}

fn saved_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{SAVED}"))
}

/// In order. None where the folder is not there.
fn saved_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let name = |entry: std::fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(SAVED)?.to_owned());
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?)).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_stored_is_what_is_loaded_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("machine.json"), include_str!("../../../tests/folder/machine.json")).unwrap();
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

    #[test]
    fn what_an_older_bench_stored_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"schema": 1, "started": "2026-01-01T12:00:00Z", "rustc": null, "benches": []}"#;
        fs::write(folder.path().join(CODE), text).unwrap();
        let expected = CodeRecord {
            schema: 1,
            started: "2026-01-01T12:00:00Z".into(),
            rustc: None,
            pages: None,
            benches: Vec::new(),
            costs: Vec::new(),
        };
        assert_eq!(load(folder.path()).unwrap(), Some(expected));
    }

    #[test]
    fn a_name_that_nothing_was_saved_by_is_told_from_those_that_are_there() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("saved");
        let wrong = |name: &str| load_saved(&folder, name).unwrap_err().to_string();
        assert_eq!(wrong("first"), "nothing is saved as `first`: there is none");
        let record = CodeRecord::example();
        for name in ["first", "other"] {
            CodeFile::unsaved(&folder, name).unwrap().write(&record).unwrap();
        }
        assert_eq!(load_saved(&folder, "first").unwrap(), record);
        assert_eq!(wrong("frist"), "nothing is saved as `frist`: did you mean `first`?");
        assert_eq!(wrong("zzz"), "nothing is saved as `zzz`: there are first, other");
        for (name, expected) in [
            ("other", "other.json is there already"),
            ("../other", "`../other` is no name of a file"),
            ("", "`` is no name of a file"),
        ] {
            let message = CodeFile::unsaved(&folder, name).err().unwrap().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
