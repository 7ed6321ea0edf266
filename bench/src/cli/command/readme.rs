//! `bench readme`: writes the figures of a measurement into README.md.

use std::path::Path;

use super::Outcome;
use crate::report::readme;
use crate::servers::checkout::Checkout;
use crate::store::results;

pub(super) fn run(root: Option<&Path>, folder: &Path) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    readme::refresh(&checkout.root, &results::load(folder)?)?;
    anstream::eprintln!("README.md and {} now show {}", readme::FOLDER, folder.display());
    Ok(Outcome::Fine)
}
