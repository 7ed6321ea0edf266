//! What the `main` of every server does: read the flags, run, and exit as the contract says.

use std::process::ExitCode;

use clap::{Args, Command};

use super::flags::matches;
use super::inherited::reset_signals;

/// A server as a program. [`program!`](crate::program) makes it from the server's `Cargo.toml`.
pub struct Program {
    /// Its name, such as `server-epoll`.
    pub name: &'static str,
    /// What `--help` says of it.
    pub about: &'static str,
    /// What `--version` says after the name.
    pub version: String,
}

impl Program {
    /// Reads the flags, which are those of the contract or more, and runs the server. What `run`
    /// fails with is one line on standard error and exit code 1.
    pub fn run<F: Args>(self, run: impl FnOnce(&F) -> anyhow::Result<()>) -> ExitCode {
        let command = F::augment_args(Command::new(self.name).about(self.about).version(self.version));
        // An error is one of the usage, which ends the process with 2.
        let flags = F::from_arg_matches(&matches(command)).unwrap_or_else(|error| error.exit());
        match reset_signals().and_then(|()| run(&flags)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

/// The [`Program`] of the calling crate, with the crates that are its runtime.
#[macro_export]
macro_rules! program {
    ($($runtime:literal),+) => {
        $crate::process::Program {
            name: env!("CARGO_PKG_NAME"),
            about: env!("CARGO_PKG_DESCRIPTION"),
            version: $crate::process::version(env!("CARGO_PKG_VERSION"), &[$($runtime),+]),
        }
    };
}
