//! The results of drills in a result folder: `drills.jsonl`.

use std::collections::BTreeMap;
use std::path::Path;

use super::lines::{self, Appender, Lines};
use crate::store::drills::{DrillRecord, SCHEMA};

const DRILLS: &str = "drills.jsonl";

/// The file to which results of drills are appended. Nothing in it is ever overwritten.
pub struct DrillsFile(Appender);

impl DrillsFile {
    /// Opens the file of a folder. Also returns a sentence about an incomplete last line, which is
    /// moved to a separate file. Fails if the folder is not a result folder, or a line cannot be
    /// read.
    pub fn open(folder: &Path) -> anyhow::Result<(Self, Option<String>)> {
        super::machine(folder)?;
        let Lines { torn, .. } = read(folder)?;
        Ok((Self(Appender::open(folder.join(DRILLS), torn.is_some())?), torn))
    }

    /// Returns a warning for the user if the folder's file system refused to sync.
    pub fn warning(&self, folder: &Path) -> Option<String> {
        self.0.synced.warning(folder)
    }

    /// Appends a result as one line, and waits for the disk. Fails if it cannot be written.
    pub fn append(&mut self, record: &DrillRecord) -> anyhow::Result<()> {
        self.0.append(record)
    }
}

/// Returns the results of a folder, and a sentence about an incomplete last line. Where a server
/// was drilled twice, the later result counts.
pub(super) fn load(folder: &Path) -> anyhow::Result<(Vec<DrillRecord>, Option<String>)> {
    let Lines { lines, torn } = read(folder)?;
    Ok((latest(lines), torn))
}

fn read(folder: &Path) -> anyhow::Result<Lines<DrillRecord>> {
    let path = folder.join(DRILLS);
    if path.exists() {
        lines::read(&path, |line| lines::parse(line, SCHEMA))
    } else {
        Ok(Lines { lines: Vec::new(), torn: None })
    }
}

/// The last result of each server, drill and protocol, at the place of the first one.
fn latest(records: Vec<DrillRecord>) -> Vec<DrillRecord> {
    let mut places = BTreeMap::new();
    let mut kept: Vec<DrillRecord> = Vec::with_capacity(records.len());
    for record in records {
        let key = (record.server.name.clone(), record.drill.clone(), record.protocol);
        match places.get(&key) {
            Some(place) => kept[*place] = record,
            None => {
                places.insert(key, kept.len());
                kept.push(record);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::record::Protocol;

    /// A result folder in which nothing was measured yet.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let machine = include_str!("../../../tests/folder/machine.json");
        fs::write(folder.path().join("machine.json"), machine).unwrap();
        fs::write(folder.path().join("measurements.jsonl"), "").unwrap();
        folder
    }

    fn append(folder: &Path, records: &[DrillRecord]) {
        let (mut file, torn) = DrillsFile::open(folder).unwrap();
        assert_eq!(torn, None);
        records.iter().for_each(|record| file.append(record).unwrap());
    }

    #[test]
    fn what_was_stored_is_loaded_and_the_later_result_counts() {
        let folder = folder();
        assert_eq!(crate::store::results::load(folder.path()).unwrap().drills, []);
        let example = DrillRecord::example;
        let path = folder.path();
        append(path, &[example("one", "kill", Err("no luck")), example("one", "idle", Ok("1 B each"))]);
        append(path, &[example("two", "kill", Ok("up in 3 ms")), example("one", "kill", Ok("up in 2 ms"))]);
        let over_tls = |outcome| DrillRecord { protocol: Protocol::Https, ..example("one", "kill", outcome) };
        append(path, &[over_tls(Err("no end")), over_tls(Ok("up in 4 ms"))]);
        let expected = [
            example("one", "kill", Ok("up in 2 ms")),
            example("one", "idle", Ok("1 B each")),
            example("two", "kill", Ok("up in 3 ms")),
            over_tls(Ok("up in 4 ms")),
        ];
        assert_eq!(crate::store::results::load(folder.path()).unwrap().drills, expected);
    }

    #[test]
    fn an_incomplete_last_line_is_moved_away_and_reported() {
        let folder = folder();
        let record = DrillRecord::example("one", "kill", Ok("up in 3 ms"));
        append(folder.path(), std::slice::from_ref(&record));
        let path = folder.path().join(DRILLS);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{{\"schema\":1,\"sta")).unwrap();

        let told = crate::store::results::load(folder.path()).unwrap().drills_torn.unwrap();
        assert!(told.contains("drills.jsonl:2: the last line is only half written"), "{told}");
        let (mut file, torn) = DrillsFile::open(folder.path()).unwrap();
        assert_eq!(torn, Some(told));
        file.append(&record).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), whole.repeat(2));
        assert_eq!(fs::read_to_string(folder.path().join("drills.torn")).unwrap(), "{\"schema\":1,\"sta\n");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let line = serde_json::to_string(&DrillRecord::example("one", "kill", Ok("up"))).unwrap();
        let other = "written with schema 9, and this is a bench of schema 1";
        let cases = [
            ("damage", line.replace("\"about\"", "\"abuot\""), "it is damaged: unknown field `abuot`"),
            ("noise", "what?".into(), "it is damaged"),
            ("another version", line.replace("\"schema\":1", "\"schema\":9"), other),
        ];
        for (name, second, expected) in cases {
            let folder = folder();
            fs::write(folder.path().join(DRILLS), format!("{line}\n{second}\n{line}\n")).unwrap();
            let errors =
                [crate::store::results::load(folder.path()).err(), DrillsFile::open(folder.path()).err()];
            for error in errors {
                let message = format!("{:#}", error.unwrap());
                assert!(message.contains(&format!("drills.jsonl:2: {expected}")), "{name}: {message}");
            }
        }
        let absent = Path::new("/absent");
        let message = DrillsFile::open(absent).err().unwrap().to_string();
        assert_eq!(message, "/absent is not a folder of results, as `bench measure` makes them");
    }
}
