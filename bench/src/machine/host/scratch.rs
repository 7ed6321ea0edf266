//! Folders that exist for one run. They may contain a key, so only their user can enter them,
//! whatever the umask is.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

/// The permissions of a folder that only its user can enter.
const OWN: u32 = 0o700;

/// Makes a temporary folder on this machine with these files, each given by name and text.
pub(super) fn make(files: &[(impl AsRef<str>, impl AsRef<str>)]) -> anyhow::Result<TempDir> {
    let parent = std::env::temp_dir();
    let folder = make_own(&parent)
        .with_context(|| format!("cannot make a folder in {}; TMPDIR names another", parent.display()))?;
    fill(folder, files)
}

/// Makes a folder of the same kind in `parent`, which is made if it is missing.
pub(super) fn make_in(
    parent: &Path,
    files: &[(impl AsRef<str>, impl AsRef<str>)],
) -> anyhow::Result<TempDir> {
    let folder = std::fs::create_dir_all(parent).and_then(|()| make_own(parent));
    fill(folder.with_context(|| format!("cannot make a folder in {}", parent.display()))?, files)
}

fn make_own(parent: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new().permissions(Permissions::from_mode(OWN)).tempdir_in(parent)
}

fn fill(folder: TempDir, files: &[(impl AsRef<str>, impl AsRef<str>)]) -> anyhow::Result<TempDir> {
    for (name, text) in files {
        std::fs::write(folder.path().join(name.as_ref()), text.as_ref())
            .with_context(|| format!("cannot write {} into {}", name.as_ref(), folder.path().display()))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_its_user_alone() {
        let parent = tempfile::tempdir().unwrap();
        let files = [("key.pem", "secret")];
        for folder in [make(&files).unwrap(), make_in(&parent.path().join("run"), &files).unwrap()] {
            let mode = folder.path().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, OWN, "{mode:o}");
            assert_eq!(std::fs::read_to_string(folder.path().join("key.pem")).unwrap(), "secret");
        }
    }
}
