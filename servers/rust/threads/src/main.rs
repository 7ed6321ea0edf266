//! skeleton
use std::process::ExitCode;
use clap::Parser;

#[derive(Parser)]
#[command(version = shared::process::version(env!("CARGO_PKG_VERSION"), &["std"]))]
struct Flags { #[command(flatten)] contract: shared::process::Flags }

fn main() -> ExitCode { shared::process::exit(run(&Flags::parse())) }

fn run(flags: &Flags) -> anyhow::Result<()> {
    let l = shared::process::bind(flags.contract.address()?)?;
    println!("{}", flags.contract.connections()?);
    shared::process::announce(l.local_addr()?)
}
