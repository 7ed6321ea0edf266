//! `bench record`: what README.md shows comes from a measurement.

use std::path::Path;

use super::Outcome;
use crate::checkout::Checkout;
use crate::cli;
use crate::{recorded, results};

pub(super) fn run(root: Option<&Path>, arguments: &cli::Record) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    recorded::refresh(&checkout.root, &results::load(&arguments.folder)?)?;
    anstream::eprintln!("README.md and {} are of {}", recorded::FOLDER, arguments.folder.display());
    Ok(Outcome::Fine)
}
