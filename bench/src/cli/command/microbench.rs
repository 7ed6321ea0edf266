//! `bench microbench`: what do the parts of a request cost?

use std::path::Path;

use anyhow::Context;

use super::report::rewrite_report;
use super::{Outcome, print};
use crate::cli::Microbench;
use crate::machine::host::Host;
use crate::measure::microbench;
use crate::report;
use crate::servers::checkout::Checkout;
use crate::store::results::{self, CodeFile};

pub(super) fn run(root: Option<&Path>, arguments: &Microbench) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    let vacant = arguments.keep.as_deref().map(CodeFile::vacant).transpose().context("--keep")?;
    let saved = checkout.saved();
    let unsaved = arguments.save.as_deref().map(|name| CodeFile::unsaved(&saved, name));
    let unsaved = unsaved.transpose().context("--save")?;
    let load = |name| anyhow::Ok((name, results::load_saved(&saved, name)?));
    let other = arguments.against.as_deref().map(load).transpose().context("--against")?;
    let host = Host::this_machine(checkout.tools())?;
    let made = microbench::run(&host, &checkout, arguments.filter.as_deref());
    if host.interrupted() {
        return Ok(Outcome::Interrupted);
    }
    let made = made?;
    let width = report::terminal_width();
    print(&match &other {
        Some((name, saved)) => report::code_comparison(&made, saved, name, width),
        None => report::code(&made, width),
    })?;
    if let Some(pages) = &made.pages {
        anstream::eprintln!("\npages:  {pages}");
    }
    if let Some(file) = unsaved {
        anstream::eprintln!("saved:  {}", file.write(&made)?.display());
    }
    if let (Some(file), Some(folder)) = (vacant, &arguments.keep) {
        anstream::eprintln!("kept:   {}", file.write(&made)?.display());
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(Outcome::Fine)
}
