//! Instructions of the code that the Rust servers share, path by path.

use std::collections::BTreeMap;

use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::text::numbers::as_f64;
use shared::testing::REQUESTS;

use crate::budget::Count;
use crate::gungraun;

/// Counts all paths: each has a budget, and each budget has a path.
pub(crate) fn count(host: &Host, checkout: &Checkout, budgets: &BTreeMap<String, f64>) -> Vec<Count> {
    let mut paths = gungraun::run(host, checkout, "--package shared --features testing --bench paths");
    let count = |(name, budget): (&String, &f64)| {
        let instructions = paths.remove(name).unwrap_or_else(|| panic!("there is no path `{name}`"));
        let counted = as_f64(instructions) / as_f64(REQUESTS as u64);
        Count { file: crate::FILE.to_owned(), key: format!("{name:?}"), budget: *budget, counted }
    };
    let counts = budgets.iter().map(count).collect();
    assert!(paths.is_empty(), "{} has no budget for {:?}", crate::FILE, paths.keys());
    counts
}
