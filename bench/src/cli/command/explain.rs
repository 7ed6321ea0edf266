//! `bench explain`: shows where a request's CPU time goes. It reads only the records of a
//! measurement and of its microbenchmarks.

use anyhow::bail;

use super::Outcome;
use super::report::put;
use crate::cli::Explain;
use crate::report;
use crate::store::results;

pub(super) fn run(arguments: &Explain) -> anyhow::Result<Outcome> {
    let loaded = results::load(&arguments.folder)?;
    let folder = arguments.folder.display();
    if loaded.microbench.is_none() {
        bail!(
            "{folder} has no microbenchmarks, which measure the cost of code: run `bench microbench --keep {folder}`"
        );
    }
    let Some(document) = report::explanation(&loaded) else {
        bail!(
            "{folder} has no workload in which both the floor and a server were measured in a closed loop with \
             keep-alive: measure both, as `bench measure quick` does, and keep microbenchmarks in that folder"
        );
    };
    put(&document, arguments.printed.format, arguments.printed.output.as_deref())
}
