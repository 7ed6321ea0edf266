//! `bench microbench`: what do the parts of a request cost?

use std::path::Path;

use anyhow::Context;

use super::report::rewrite_report;
use super::{Outcome, note, print};
use crate::cli::Microbench;
use crate::machine::host::Host;
use crate::measure::microbench;
use crate::report;
use crate::servers::checkout::Checkout;
use crate::store::results::MicrobenchFile;

pub(super) fn run(root: Option<&Path>, arguments: &Microbench) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    let vacant = arguments.keep.as_deref().map(MicrobenchFile::vacant).transpose().context("--keep")?;
    let host = Host::this_machine(checkout.tools())?;
    let made = microbench::run(&host, &checkout, arguments.filter.as_deref(), &arguments.criterion);
    if host.interrupted() {
        return Ok(Outcome::Interrupted);
    }
    let made = made?;
    print(&report::microbenchmarks(&made, report::terminal_width()))?;
    if let Some(pages) = &made.pages {
        anstream::eprintln!("\npages:  {pages}");
    }
    if let (Some(file), Some(folder)) = (vacant, &arguments.keep) {
        let (path, warning) = file.write(&made)?;
        warning.iter().for_each(|warning| note(warning));
        anstream::eprintln!("kept:   {}", path.display());
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(Outcome::Fine)
}
