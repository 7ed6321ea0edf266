//! The code that the Rust servers share, a path at a time.

use std::collections::BTreeMap;

use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::text::numbers::as_f64;
use shared::testing::REQUESTS;

use crate::budget::Count;
use crate::gungraun;

/// Counts all paths: each has a budget, and each budget its path.
pub(crate) fn count(host: &Host, checkout: &Checkout, budgets: &BTreeMap<String, f64>) -> Vec<Count> {
    let benchmarks =
        gungraun::run(host, checkout, "--package shared --features testing --bench paths").into_iter();
    let mut paths: BTreeMap<String, u64> = benchmarks
        .map(|benchmark| {
            let id = benchmark.id.map(|id| format!("/{id}")).unwrap_or_default();
            (benchmark.function + &id, benchmark.instructions)
        })
        .collect();
    let count = |(name, budget): (&String, &f64)| Count {
        file: crate::FILE.to_owned(),
        key: format!("{name:?}"),
        budget: *budget,
        counted: {
            let instructions = paths.remove(name).unwrap_or_else(|| panic!("there is no path `{name}`"));
            as_f64(instructions) / as_f64(REQUESTS as u64)
        },
    };
    let counts = budgets.iter().map(count).collect();
    assert!(paths.is_empty(), "{} has no budget for {:?}", crate::FILE, paths.keys());
    counts
}
