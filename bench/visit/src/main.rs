//! `visit`: see `visit --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    visit::run(&visit::Arguments::parse())
}
