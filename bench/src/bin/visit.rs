//! `visit`: see `visit --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    bench::visit::run(&bench::visit::Arguments::parse())
}
