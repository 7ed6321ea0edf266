//! `bench record`: what README.md shows comes from a measurement.

use std::path::Path;

use super::Outcome;
use crate::cli;
use crate::report::recorded;
use crate::servers::checkout::Checkout;
use crate::store::results;

pub(super) fn run(root: Option<&Path>, arguments: &cli::Record) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    recorded::refresh(&checkout.root, &results::load(&arguments.folder)?)?;
    anstream::eprintln!("README.md and {} are of {}", recorded::FOLDER, arguments.folder.display());
    Ok(Outcome::Fine)
}
