//! Folders for the time of a run.

use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

/// A folder of this machine with these files: their names and texts.
pub(super) fn make(files: &[(impl AsRef<str>, impl AsRef<str>)]) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir().with_context(|| {
        format!("cannot make a folder in {}; TMPDIR names another", std::env::temp_dir().display())
    })?;
    fill(folder, files)
}

/// A folder of the same kind in `parent`, which is made if it is missing.
pub(super) fn make_in(
    parent: &Path,
    files: &[(impl AsRef<str>, impl AsRef<str>)],
) -> anyhow::Result<TempDir> {
    let folder = std::fs::create_dir_all(parent).and_then(|()| tempfile::tempdir_in(parent));
    fill(folder.with_context(|| format!("cannot make a folder in {}", parent.display()))?, files)
}

fn fill(folder: TempDir, files: &[(impl AsRef<str>, impl AsRef<str>)]) -> anyhow::Result<TempDir> {
    for (name, text) in files {
        std::fs::write(folder.path().join(name.as_ref()), text.as_ref())
            .with_context(|| format!("cannot write {} into {}", name.as_ref(), folder.path().display()))?;
    }
    Ok(folder)
}
