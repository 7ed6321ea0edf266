//! Files that a host keeps from one measurement to the next: the helper, `visit`, and servers, in
//! folders that are named after their content.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::channel::Channel;
use super::protocol::Ask;

/// The bytes of a file that one line carries.
const CHUNK: usize = 1024 * 1024;

/// The time to read and write files.
const TO_COPY: Duration = Duration::from_secs(60);

/// Returns the name of the folder, within the cache, in which the helper with this `mark` has the
/// files of a run. If a helper cannot end by itself, the second ssh that ends it also removes the
/// folder.
pub(super) fn scratch_name(mark: &str) -> String {
    format!("run-{mark}")
}

/// A file to copy.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The path of the file on this machine.
    pub from: PathBuf,
    /// The path of the file below the folder that it is copied to.
    pub to: PathBuf,
}

/// Returns a digest that identifies the content of a file.
pub(super) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Copies files to a folder of the cache at `root`, and returns their paths there.
pub(super) fn deploy(channel: &Channel, root: &Path, files: &[Deployed]) -> anyhow::Result<Vec<PathBuf>> {
    let read = files.iter().map(|file| {
        let bytes = fs::read(&file.from).with_context(|| format!("cannot read {}", file.from.display()))?;
        Ok((file, digest(&bytes), bytes))
    });
    let files = read.collect::<anyhow::Result<Vec<_>>>()?;
    let names = files.iter().map(|(file, digest, _)| format!("{}\0{digest}\n", file.to.display()));
    let folder = PathBuf::from(digest(names.collect::<String>().as_bytes()));
    let listed = files.iter().map(|(file, digest, _)| (folder.join(&file.to), digest.clone())).collect();
    let missing: Vec<usize> = channel.ask(Ask::Missing { files: listed }, TO_COPY)?;
    for (file, _, bytes) in missing.into_iter().filter_map(|index| files.get(index)) {
        send(channel, &folder.join(&file.to), bytes, is_program(&file.from))?;
    }
    Ok(files.iter().map(|(file, ..)| root.join(&folder).join(&file.to)).collect())
}

/// Copies a program to this path of the cache.
pub(super) fn put(channel: &Channel, from: &Path, to: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let files = vec![(to.to_owned(), digest(&bytes))];
    let missing: Vec<usize> = channel.ask(Ask::Missing { files }, TO_COPY)?;
    if missing.is_empty() { Ok(()) } else { send(channel, to, &bytes, true) }
}

fn send(channel: &Channel, path: &Path, bytes: &[u8], is_program: bool) -> anyhow::Result<()> {
    let count = bytes.len().div_ceil(CHUNK).max(1);
    for at in 0..count {
        let chunk = bytes.get(at * CHUNK..bytes.len().min((at + 1) * CHUNK)).unwrap_or_default();
        let (bytes, completes) = (STANDARD.encode(chunk), at + 1 == count);
        let ask = Ask::Write { path: path.to_owned(), bytes, completes, is_program };
        channel.ask::<()>(ask, TO_COPY).with_context(|| format!("cannot copy {}", path.display()))?;
    }
    Ok(())
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

/// The helper's side of the cache: files below a folder.
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the positions of the files that are not in the cache with this content.
    pub(super) fn missing(&self, files: &[(PathBuf, String)]) -> Vec<usize> {
        let is_there = |path: &Path, wanted: &String| {
            fs::read(self.root.join(path)).is_ok_and(|bytes| digest(&bytes) == *wanted)
        };
        let missing = files.iter().enumerate().filter(|(_, (path, wanted))| !is_there(path, wanted));
        missing.map(|(index, _)| index).collect()
    }

    /// Appends to a file, which gets its name once it is complete: a program that runs cannot be
    /// written to. Fails if the path leaves the cache, or the disk is full.
    pub(super) fn write(
        &self,
        path: &Path,
        bytes: &str,
        completes: bool,
        is_program: bool,
    ) -> anyhow::Result<()> {
        let is_within = path.components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(is_within, "{} is not a path within the cache", path.display());
        let bytes = STANDARD.decode(bytes).context("the bytes are not base64")?;
        let path = self.root.join(path);
        let folder = path.parent().unwrap_or(&self.root);
        // The name contains this process's PID, so that two measurements at once do not mix their
        // files.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let new = folder.join(format!("{name}.{}.new", std::process::id()));
        let write = || {
            fs::create_dir_all(folder)?;
            OpenOptions::new().create(true).append(true).open(&new)?.write_all(&bytes)?;
            if completes {
                fs::set_permissions(&new, Permissions::from_mode(if is_program { 0o700 } else { 0o600 }))?;
                fs::rename(&new, &path)?;
            }
            std::io::Result::Ok(())
        };
        write().with_context(|| {
            let _ = fs::remove_file(&new);
            format!("cannot write {}", path.display())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_once_it_is_complete() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().to_owned());
        let (path, whole) = (PathBuf::from("abc/program"), b"first second".as_slice());
        let files = [(path.clone(), digest(whole))];
        assert_eq!(cache.missing(&files), [0]);
        cache.write(&path, &STANDARD.encode("first "), false, true).unwrap();
        assert_eq!(cache.missing(&files), [0]);
        cache.write(&path, &STANDARD.encode("second"), true, true).unwrap();
        assert!(cache.missing(&files).is_empty() && is_program(&root.path().join(&path)));
        fs::write(root.path().join(&path), "damaged").unwrap();
        assert_eq!(cache.missing(&files), [0]);
    }

    #[test]
    fn no_path_leaves_the_cache() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::new(root.path().join("cache"));
        for path in ["../outside", "/tmp/outside", "a/../../outside", ""] {
            assert!(cache.write(Path::new(path), "", true, false).is_err(), "{path}");
        }
        assert!(!root.path().join("outside").exists());
    }
}
