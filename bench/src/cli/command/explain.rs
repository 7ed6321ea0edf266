//! `bench explain`: where does a request's CPU time go? From a measurement's records and its microbenchmarks alone.

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
            "{folder} has no microbenchmarks, which tell what code costs: run `bench microbench --keep {folder}`"
        );
    }
    let Some(document) = report::explanation(&loaded) else {
        bail!(
            "{folder} has no server beside the floor in a closed loop over connections that are kept: \
             measure both, as `bench measure quick` does, and keep microbenchmarks in that folder"
        );
    };
    put(&document, &arguments.printed)
}
