//! `bench`: see `bench --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    bench::cli::command::run(&bench::cli::Arguments::parse())
}
