//! The variables of the user's environment that a process gets.
//!
//! Variables of a shell would affect results unseen: `WORKERS`, `GOMAXPROCS`, `NODE_OPTIONS`,
//! `PYTHONPATH`, `MIMALLOC_…`, `LD_PRELOAD`, or a proxy. So programs that are measured get only
//! the variables that say where files are. A variable that a server needs is set in its manifest,
//! as `run = ["env", "GOMAXPROCS=2", …]`. METHODOLOGY.md lists the variables.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The variables that servers and load tools inherit if the user has them, besides `PATH`. Without
/// `LD_LIBRARY_PATH` some programs do not start; interpreters find in `HOME` what the user
/// installed. There is no variable for the language: all programs print as in the C locale.
const KEPT: [&str; 5] = ["HOME", "LD_LIBRARY_PATH", "LOGNAME", "TMPDIR", "USER"];

/// The variables of a process.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) enum Environment {
    /// The variables of [`kept`], for programs that are measured, verified or asked for their
    /// version.
    Clean,
    /// The user's variables without [those of cargo](is_of_package), for programs that build and
    /// install.
    Users,
}

impl Environment {
    pub(super) fn apply(self, command: &mut Command) {
        match self {
            Self::Clean => {
                command.env_clear().envs(present());
            }
            Self::Users => {
                for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_package)) {
                    command.env_remove(name);
                }
            }
        }
    }
}

/// Whether cargo sets this variable for a program of a package that it runs, such as the harness.
/// If the harness passed it on to a build, build scripts that depend on it, as ring's does, would
/// run again in that build, and once more in the user's next build, and everything that depends on
/// them would be built again.
fn is_of_package(name: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.starts_with(prefix))
}

/// The variables that servers and load tools get from the user's environment, without `PATH`.
pub fn kept() -> BTreeMap<String, String> {
    let text = |(name, value): (&str, OsString)| (name.to_owned(), value.to_string_lossy().into_owned());
    present().map(text).collect()
}

/// The variables of [`KEPT`] that are set. An empty variable counts as unset.
fn present() -> impl Iterator<Item = (&'static str, OsString)> {
    let value = |name| Some((name, env::var_os(name).filter(|value| !value.is_empty())?));
    KEPT.into_iter().filter_map(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::*;
    use crate::machine::host::{Host, Launch};

    /// Far more time than a program takes to print some lines.
    const BOUND: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_measured_gets_what_is_kept_and_a_build_what_the_user_has() {
        let host = Host::this_machine(PathBuf::new()).unwrap();
        let words = ["env".to_owned()];
        let names = |launch: &Launch| -> BTreeSet<String> {
            let output = host.run(launch, BOUND).unwrap();
            output.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
        };
        let own = ["BENCH_STARTED_BY", "PATH"].map(str::to_owned);
        let expected = kept().into_keys().chain(own).collect();
        assert_eq!(names(&Launch::new(&words, Path::new("/"))), expected);
        // cargo sets both for tests.
        let build = names(&Launch::build(&words, Path::new("/")));
        let [cargo, package] = ["CARGO", "CARGO_MANIFEST_DIR"];
        assert!(env::var_os(package).is_some() && !expected.contains(cargo));
        assert!(build.contains(cargo) && !build.contains(package), "{build:?}");
    }
}
