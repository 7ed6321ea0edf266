//! Folders for the time of a run.

use anyhow::Context;
use tempfile::TempDir;

/// A folder of this machine with these files: their names and texts.
pub(super) fn make(files: &[(impl AsRef<str>, impl AsRef<str>)]) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir().with_context(|| {
        format!("cannot make a folder in {}; TMPDIR names another", std::env::temp_dir().display())
    })?;
    for (name, text) in files {
        std::fs::write(folder.path().join(name.as_ref()), text.as_ref())
            .with_context(|| format!("cannot write {} into {}", name.as_ref(), folder.path().display()))?;
    }
    Ok(folder)
}
