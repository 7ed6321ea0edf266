//! `bench`: see `bench --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    bench::command::run(&bench::cli::Arguments::parse())
}
