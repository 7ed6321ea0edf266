//! The checkout as an archive, which is sent to a host of another architecture and built there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::cache::digest;
use crate::machine::host::Launch;
use crate::machine::host::local::Local;
use crate::machine::host::process::{Operations, Waited};

/// The time to pack some thousand small files.
const PACKING: Duration = Duration::from_secs(60);

/// Packs the files of the checkout that git tracks, and new files that it does not ignore, in their
/// present state. The order and the times of the files are fixed, so that the same checkout gives
/// the same archive.
const PACK: &str = "cd \"$1\" && git ls-files -z --cached --others --exclude-standard | sort -z | \
     tar --create --file=\"$2\" --null --files-from=- --ignore-failed-read --mtime=@0 --owner=0 --group=0";

/// A checkout that was built on another host.
#[derive(Clone, Debug)]
pub struct Source {
    /// The checkout on this machine.
    pub here: PathBuf,
    /// The checkout on the host.
    pub there: PathBuf,
    /// The folder in which the host has built it.
    pub target: PathBuf,
}

/// Returns the digest and the bytes of an archive of the checkout at `root`. Fails if git or tar
/// fails.
pub(super) fn archive(local: &Arc<Local>, root: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let file = folder.path().join("checkout.tar");
    let words = ["sh", "-c", PACK, "pack", &root.to_string_lossy(), &file.to_string_lossy()];
    let words = words.map(str::to_owned);
    let (_, mut pack) = local.start(&Launch::build(&words, Path::new("/")))?;
    let waited = pack.wait(PACKING);
    let ended = pack.end()?;
    let is_packed = waited == Waited::Exited && ended.status.success();
    ensure!(is_packed, "cannot pack the checkout{}", ended.last_words());
    let bytes = fs::read(&file).context("cannot read the archive of the checkout")?;
    Ok((digest(&bytes), bytes))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_archive_is_that_of_the_files_that_git_does_not_ignore() {
        if Command::new("git").arg("--version").output().is_err() {
            return eprintln!("skipped: there is no `git` here");
        }
        let root = tempfile::tempdir().unwrap();
        let git = |words: &[&str]| {
            assert!(Command::new("git").args(words).current_dir(root.path()).status().unwrap().success());
        };
        git(&["init", "--quiet"]);
        for (name, text) in [("known", "1"), ("new", "2"), ("ignored", "3"), (".gitignore", "ignored\n")] {
            fs::write(root.path().join(name), text).unwrap();
        }
        git(&["add", "known"]);
        let local = Arc::new(Local::new(PathBuf::new(), None).unwrap());
        let (first, bytes) = archive(&local, root.path()).unwrap();
        let has = |name: &str| bytes.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(has("known") && has("new") && !has("ignored\0"));
        fs::write(root.path().join("known"), "1").unwrap();
        assert_eq!(archive(&local, root.path()).unwrap().0, first);
        fs::write(root.path().join("known"), "4").unwrap();
        assert_ne!(archive(&local, root.path()).unwrap().0, first);
        let none = archive(&local, Path::new("/no/such/folder")).unwrap_err().to_string();
        assert!(none.starts_with("cannot pack the checkout: "), "{none}");
    }
}
