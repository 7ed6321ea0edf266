//! The endpoint on ntex and its own runtime.

mod handler;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::program!("ntex", "ntex-rt").run(serve::run)
}
