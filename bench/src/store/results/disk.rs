//! Writes files that survive a power failure, as far as their file system allows. A FUSE file
//! system, or a folder that is shared into a virtual machine, may refuse to sync a folder or to
//! link a file. It is used all the same, and the user is warned.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::errno::Errno;
use serde::Serialize;
use tempfile::{Builder, NamedTempFile};

/// Whether written data has reached the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Synced {
    Yes,
    /// The file system refuses to sync.
    Refused,
}

impl Synced {
    /// Returns the worse of two outcomes.
    pub(super) fn and(self, other: Self) -> Self {
        if self == Self::Yes { other } else { self }
    }

    /// Returns a warning for the user about results in `folder`, if the file system refused to
    /// sync.
    pub(super) fn warning(self, folder: &Path) -> Option<String> {
        let warning = || {
            format!(
                "{}: its file system does not say when a file is on the disk, so a power failure may lose results",
                folder.display()
            )
        };
        (self == Self::Refused).then(warning)
    }
}

/// Waits until the data and the length of a file are on the disk.
pub(super) fn sync(file: &File) -> io::Result<Synced> {
    accept_refusal(file.sync_data())
}

/// Waits until the names of files in a folder are on the disk, so that a new file survives.
pub(super) fn sync_folder(folder: &Path) -> io::Result<Synced> {
    accept_refusal(File::open(folder).and_then(|folder| folder.sync_all()))
}

/// Writes a new file as JSON, whole or not at all. Fails if the file exists.
pub(super) fn write_whole(path: &Path, value: &impl Serialize) -> anyhow::Result<Synced> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = new_file(folder)?;
    file.write_all((serde_json::to_string_pretty(value)? + "\n").as_bytes())?;
    let synced = sync(file.as_file())?;
    if let Err(refused) = file.persist_noclobber(path) {
        if !is_refusal(&refused.error) {
            return Err(refused.error.into());
        }
        rename(refused.file, path)?;
    }
    Ok(synced.and(sync_folder(folder)?))
}

/// Creates a file in the folder, which is removed unless it is given a name. The user's `umask`
/// decides who may read it; by default, the library makes files for one user alone.
pub(super) fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)
}

/// Gives the file its name on a file system without an operation that does so only if the name is
/// free. Fails if the name is taken.
fn rename(file: NamedTempFile, path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    file.persist(path)?;
    Ok(())
}

fn accept_refusal(outcome: io::Result<()>) -> io::Result<Synced> {
    match outcome {
        Err(error) if is_refusal(&error) => Ok(Synced::Refused),
        outcome => outcome.map(|()| Synced::Yes),
    }
}

/// Whether the file system lacks an operation, rather than fails at it.
fn is_refusal(error: &io::Error) -> bool {
    let lacks = [Errno::EINVAL, Errno::ENOSYS, Errno::EOPNOTSUPP, Errno::EPERM, Errno::EACCES, Errno::EBADF];
    error.raw_os_error().is_some_and(|number| lacks.contains(&Errno::from_raw(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_less_than_a_failure() {
        let cases = [
            (None, Some(Synced::Yes)),
            (Some(Errno::EINVAL), Some(Synced::Refused)),
            (Some(Errno::ENOTSUP), Some(Synced::Refused)),
            (Some(Errno::EPERM), Some(Synced::Refused)),
            (Some(Errno::EIO), None),
            (Some(Errno::ENOSPC), None),
            (Some(Errno::EDQUOT), None),
        ];
        for (errno, expected) in cases {
            let outcome = errno.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno as i32)));
            assert_eq!(accept_refusal(outcome).ok(), expected, "{errno:?}");
        }
    }

    #[test]
    fn a_file_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.json");
        assert_eq!(write_whole(&path, &1).unwrap(), Synced::Yes);
        assert!(write_whole(&path, &2).is_err());
        let other = NamedTempFile::new_in(folder.path()).unwrap();
        assert_eq!(rename(other, &path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
