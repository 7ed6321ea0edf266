//! The `main` of every server: reads the flags, runs the server, and exits as the contract says.

use std::io::Write;
use std::process::{ExitCode, Termination};

use super::arguments::{self, Asked, FlagSet};
use super::inherited::reset_signals;

/// The exit code for a flag that is wrong.
const USAGE: u8 = 2;

/// A server as a program. [`program!`](crate::program) makes it from the server's `Cargo.toml`.
pub struct Program {
    /// Its name, such as `server-epoll`.
    pub name: &'static str,
    /// Its description in `--help`.
    pub about: &'static str,
    /// Returns the text that `--version` prints after the name.
    pub version: fn() -> anyhow::Result<String>,
}

impl Program {
    /// Reads the flags and runs the server. An error of `run` is one line on standard error and
    /// exit code 1; a wrong flag is exit code 2.
    pub fn run<F: FlagSet, T: Termination>(self, run: impl FnOnce(&F) -> anyhow::Result<T>) -> ExitCode {
        let list = F::list();
        let ran = match arguments::read(&list, lexopt::Parser::from_env()) {
            Ok(Asked::Help) => print(&arguments::help(self.name, self.about, &list)),
            Ok(Asked::Version) => (self.version)().and_then(|it| print(&format!("{} {it}\n", self.name))),
            Ok(Asked::Run(values)) => match F::read(&values) {
                Ok(flags) => reset_signals().and_then(|()| run(&flags)).map(Termination::report),
                Err(error) => return failed(&error, USAGE),
            },
            Err(error) => return failed(&error, USAGE),
        };
        ran.unwrap_or_else(|error| failed(&error, 1))
    }
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(code)
}

/// Makes the [`Program`] of the calling crate from the names of the crates that are its runtime.
#[macro_export]
macro_rules! program {
    ($($runtime:literal),+) => {
        $crate::process::Program {
            name: env!("CARGO_PKG_NAME"),
            about: env!("CARGO_PKG_DESCRIPTION"),
            version: || Ok($crate::process::version(env!("CARGO_PKG_VERSION"), &[$($runtime),+])),
        }
    };
}
