//! The code that the Rust servers share, a path at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use bench::checkout::Checkout;
use bench::host::{Host, Launch};

use crate::budget::Count;
use crate::callgrind;

/// Time for a build from nothing on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

/// Generous: a run takes a second.
const BOUND: Duration = Duration::from_secs(60);

/// Counts the paths that `budgets` names.
pub(crate) fn count(host: &Host, checkout: &Checkout, budgets: &BTreeMap<String, f64>) -> Vec<Count> {
    let run = |words: &[String], bound| {
        host.run(&Launch { words, folder: &checkout.root, cores: &[], shown: false }, bound).unwrap()
    };
    let build = "cargo build --release --locked --package shared --features testing --example paths";
    let build: Vec<String> = build.split(' ').map(str::to_owned).collect();
    run(&build, BUILD_BOUND);
    let program = checkout.release().join("examples/paths").display().to_string();
    let count = |(name, budget): (&String, &f64)| {
        Count::take(name, *budget, || {
            callgrind::a_request(|words, requests| {
                let path = [program.clone(), name.clone(), requests.to_string()];
                run(&[words, &path].concat(), BOUND);
            })
        })
    };
    budgets.iter().map(count).collect()
}
