//! Microbenchmarks of the parts of a request. Criterion measures them, and compares them with an
//! earlier run. This module runs criterion and reads the files that it leaves.

mod criterion;

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::bail;

use crate::machine;
use crate::machine::host::{Host, Launch};
use crate::servers::checkout::Checkout;
use crate::servers::server::{Costs, Server};
use crate::store::microbench::{CostsRecord, MicrobenchRecord, SCHEMA};

/// Time for a build from nothing on a slow machine, and for every benchmark, each of which takes
/// three seconds.
const BOUND: Duration = Duration::from_secs(60 * 60);

/// Time for the compiler to print its version.
const VERSION_BOUND: Duration = Duration::from_secs(20);

/// Runs the benchmarks whose names contain `filter`, or all, with further flags for criterion.
/// Criterion's output goes to standard error as it comes. Fails when a benchmark fails, or none has
/// run.
pub fn run(
    host: &Host,
    checkout: &Checkout,
    filter: Option<&str>,
    flags: &[String],
) -> anyhow::Result<MicrobenchRecord> {
    let (started, start) = (machine::now(), SystemTime::now());
    let folder = checkout.target.criterion();
    let mut words = vec!["env".to_owned(), format!("CRITERION_HOME={}", folder.display())];
    words.extend(checkout.target.variables());
    words.extend(["cargo", "bench", "--package", "bench", "--bench", "costs", "--"].map(str::to_owned));
    words.extend(filter.map(str::to_owned));
    words.extend_from_slice(flags);
    host.run(&Launch::build(&words, &checkout.root).shown(true), BOUND)?;
    let made = criterion::run_since(&folder, start)?;
    if made.is_empty() {
        bail!(
            "{} has no new figures: no benchmark has `{}` in its name",
            folder.display(),
            filter.unwrap_or_default()
        );
    }
    let pages = folder.join("report/index.html");
    let benches = made.iter().map(|folder| criterion::read(folder)).collect::<anyhow::Result<_>>()?;
    Ok(MicrobenchRecord {
        schema: SCHEMA,
        started,
        rustc: compiler(host, checkout),
        pages: pages.is_file().then(|| pages.display().to_string()),
        benches,
        costs: checkout.servers.iter().filter_map(costs).collect(),
    })
}

/// The full names of all benchmarks for which criterion's folder has figures; empty if it cannot be
/// read.
pub fn known(folder: &Path) -> Vec<String> {
    let folders = criterion::run_since(folder, SystemTime::UNIX_EPOCH).unwrap_or_default();
    let benches = folders.iter().filter_map(|folder| criterion::read(folder).ok());
    benches.map(|bench| bench.full_name()).collect()
}

/// The version of the compiler that builds here; `None` where it cannot be started.
pub fn compiler(host: &Host, checkout: &Checkout) -> Option<String> {
    let words = ["rustc", "--version"].map(str::to_owned);
    let launch = Launch::build(&words, &checkout.root);
    Some(host.run(&launch, VERSION_BOUND).ok()?.trim().to_owned())
}

/// The benchmarks whose times add up to one request of a server; `None` where its manifest names
/// none.
fn costs(server: &Server) -> Option<CostsRecord> {
    let Costs { framework, own } = server.costs.clone()?;
    Some(CostsRecord { server: server.name.clone(), framework, own })
}
