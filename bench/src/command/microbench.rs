//! `bench microbench`: what does the code that the Rust servers share cost?

use std::path::Path;

use anyhow::Context;

use super::report::rewrite_report;
use super::{Outcome, print};
use crate::checkout::Checkout;
use crate::cli::Microbench;
use crate::host::Host;
use crate::results::CodeFile;
use crate::{microbench, report};

pub(super) fn run(root: Option<&Path>, arguments: &Microbench) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    let vacant = arguments.keep.as_deref().map(CodeFile::vacant).transpose().context("--keep")?;
    let host = Host::this_machine(checkout.tools())?;
    let made = microbench::run(&host, &checkout, arguments.filter.as_deref());
    if host.interrupted() {
        return Ok(Outcome::Interrupted);
    }
    let made = made?;
    print(&report::code(&made, report::terminal_width()))?;
    anstream::eprintln!("\npages:  {}", checkout.criterion().join("report/index.html").display());
    if let (Some(file), Some(folder)) = (vacant, &arguments.keep) {
        anstream::eprintln!("kept:   {}", file.write(&made)?.display());
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(Outcome::Fine)
}
