//! The folder in which cargo builds. Environment variables and configuration files decide where it
//! is, so cargo is asked.
//!
//! ```text
//! /target/tools            what `scripts/setup` has installed
//! /target/release/visit    programs
//! /target/TRIPLE/release   programs, where cargo is told to build for a target triple
//! ```

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{AccessFlags, User, access, geteuid};
use serde::Deserialize;

/// The file by which cargo marks a target folder.
const MARK: &str = "CACHEDIR.TAG";

/// Cargo's target folder of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The folder.
    folder: PathBuf,
    /// The target triple that cargo is told to build for, whose programs have a folder of their
    /// own.
    triple: Option<String>,
}

impl Target {
    /// Finds the target folder of the checkout at `root`. If cargo does not answer, for example
    /// because the user does not have it, this is the target folder that contains this program.
    pub fn find(root: &Path) -> Self {
        // The mock checkouts of tests are no workspaces of cargo.
        let is_workspace = root.join("Cargo.toml").is_file();
        let program = env::current_exe().ok().filter(|_| is_workspace);
        let own = program.as_deref().and_then(Self::around);
        let named = variable("CARGO_BUILD_TARGET");
        let Some(folder) = is_workspace.then(|| asked(root)).flatten() else {
            return own.unwrap_or_else(|| Self { folder: by_variable(root), triple: named });
        };
        // Cargo does not say which triple its configuration names, but this program's path does.
        let triple = own.filter(|own| is_same(&own.folder, &folder)).and_then(|own| own.triple);
        Self { triple: triple.or(named), folder }
    }

    /// The target folder that cargo has built `program` in; `None` if it lies elsewhere.
    fn around(program: &Path) -> Option<Self> {
        let mut profile = program.parent()?;
        if profile.ends_with("deps") || profile.ends_with("examples") {
            profile = profile.parent()?;
        }
        let programs = profile.parent()?;
        let outer = programs.parent()?;
        let is_target = |folder: &Path| folder.join(MARK).is_file();
        if is_target(outer) {
            let triple = programs.file_name()?.to_str()?.to_owned();
            return Some(Self { folder: outer.to_owned(), triple: Some(triple) });
        }
        is_target(programs).then(|| Self { folder: programs.to_owned(), triple: None })
    }

    /// The target folder of another checkout, below this one. It is the same each time for the same
    /// name.
    pub fn for_checkout(&self, name: &str) -> Self {
        Self { folder: self.other(name).join("target"), triple: self.triple.clone() }
    }

    /// The folder in which another checkout of this name is unpacked and built.
    pub fn other(&self, name: &str) -> PathBuf {
        self.folder.join("versus").join(name)
    }

    /// The folder of the programs of each profile, which `{target}` in a manifest stands for.
    pub fn programs(&self) -> PathBuf {
        self.triple.as_ref().map_or_else(|| self.folder.clone(), |triple| self.folder.join(triple))
    }

    /// Where `scripts/setup` puts programs.
    pub fn tools(&self) -> PathBuf {
        self.folder.join("tools/bin")
    }

    /// Where criterion writes its figures and pages.
    pub fn criterion(&self) -> PathBuf {
        self.folder.join("criterion")
    }

    /// The variables by which cargo puts programs into [`Target::programs`], whatever folder it runs
    /// in, as `NAME=value`.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        let folder = format!("CARGO_TARGET_DIR={}", self.folder.display());
        let triple = self.triple.as_ref().map(|triple| format!("CARGO_BUILD_TARGET={triple}"));
        std::iter::once(folder).chain(triple)
    }

    /// The variable, as `NAME=value`, that gives a build a folder for files of its own, as Go and
    /// pip need. `None` if the user has such a folder: a service or a cron job may not have one.
    pub fn home(&self) -> Option<String> {
        let is_folder = |path: &PathBuf| path.is_dir();
        let home = variable("HOME").map(PathBuf::from).filter(is_folder);
        let Some(home) = home else {
            let known = User::from_uid(geteuid()).ok().flatten().map(|user| user.dir).filter(is_folder);
            return Some(format!("HOME={}", known.unwrap_or_else(|| self.folder.join("home")).display()));
        };
        let needs_cache = !is_writable(&home) && variable("XDG_CACHE_HOME").is_none();
        needs_cache.then(|| format!("XDG_CACHE_HOME={}", self.folder.join("cache").display()))
    }
}

/// Whether this user can make files in the folder.
pub fn is_writable(folder: &Path) -> bool {
    access(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

/// The value of a variable that is set and not empty.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The target folder by cargo's answer; `None` if there is no cargo, or it fails.
fn asked(root: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let mut command = Command::new("cargo");
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = command.current_dir(root).stdin(Stdio::null()).output().ok()?;
    serde_json::from_slice(&output.stdout).ok().map(|metadata: Metadata| metadata.target_directory)
}

/// The target folder that cargo would use if no configuration file names another.
fn by_variable(root: &Path) -> PathBuf {
    root.join(variable("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

#[cfg(test)]
impl Target {
    /// A target folder that does not exist.
    pub(crate) fn example() -> Self {
        Self { folder: "/t".into(), triple: None }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_lies_in_the_folder_that_cargo_has_marked() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join(MARK), "").unwrap();
        let found =
            |triple: Option<&str>| Some(Target { folder: target.clone(), triple: triple.map(str::to_owned) });
        let cases = [
            ("out/harness/bench", found(None)),
            ("out/debug/deps/target-0123", found(None)),
            ("out/debug/examples/syscalls", found(None)),
            ("out/x86_64-unknown-linux-musl/release/bench", found(Some("x86_64-unknown-linux-musl"))),
            ("out/x86_64-unknown-linux-musl/debug/deps/new-0123", found(Some("x86_64-unknown-linux-musl"))),
            ("bin/bench", None),
        ];
        for (program, expected) in cases {
            assert_eq!(Target::around(&folder.path().join(program)), expected, "{program}");
        }
    }

    #[test]
    fn programs_of_a_triple_have_a_folder_of_their_own() {
        let cases = [
            (None, "/t", ["CARGO_TARGET_DIR=/t"].as_slice()),
            (Some("musl"), "/t/musl", &["CARGO_TARGET_DIR=/t", "CARGO_BUILD_TARGET=musl"]),
        ];
        for (triple, programs, variables) in cases {
            let target = Target { folder: "/t".into(), triple: triple.map(str::to_owned) };
            assert_eq!(target.programs(), Path::new(programs));
            assert_eq!(target.variables().collect::<Vec<_>>(), variables);
            assert_eq!(target.tools(), Path::new("/t/tools/bin"));
        }
    }
}
