//! Microbenchmarks: what the parts of a request cost. Criterion measures them; here it is run, and what it found is read and held
//! against what it found before.

mod criterion;
mod difference;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use crate::machine;
use crate::machine::host::{Host, Launch};
use crate::servers::checkout::Checkout;
use crate::servers::server::{Costs, Server};
use crate::store::microbench::{CodeRecord, CostsRecord, SCHEMA};

use criterion::Stamps;
pub use difference::{Difference, NOISE, Ratio};

/// Time for a build from nothing on a slow machine, and for every benchmark, each of which takes three seconds.
const BOUND: Duration = Duration::from_secs(60 * 60);

/// Time for the compiler to say its version.
const VERSION_BOUND: Duration = Duration::from_secs(20);

/// Runs the benchmarks whose names match `filter`, or all. What criterion says goes to standard error as it comes.
pub fn run(host: &Host, checkout: &Checkout, filter: Option<&str>) -> anyhow::Result<CodeRecord> {
    let started = machine::now();
    let folder = checkout.criterion();
    let before = Stamps::read(&folder)?;
    let words = ["cargo", "bench", "--package", "bench", "--bench", "costs", "--"];
    let mut words = words.map(str::to_owned).to_vec();
    words.extend(filter.map(str::to_owned));
    host.run(&Launch { words: &words, folder: &checkout.root, cores: &[], shown: true }, BOUND)?;
    let made = Stamps::read(&folder)?.made_since(&before);
    if made.is_empty() {
        bail!(
            "nothing new is in {}: no benchmark has `{}` in its name",
            folder.display(),
            filter.unwrap_or("bench")
        );
    }
    let pages = folder.join("report/index.html");
    let benches = made.iter().map(|folder| criterion::read(folder)).collect::<anyhow::Result<_>>()?;
    Ok(CodeRecord {
        schema: SCHEMA,
        started,
        rustc: compiler(host, checkout),
        pages: pages.is_file().then(|| pages.display().to_string()),
        benches,
        costs: checkout.servers.iter().filter_map(costs).collect(),
    })
}

/// The full names of the benchmarks that have ever been run here, as far as criterion's folder can be read.
pub fn known(folder: &Path) -> Vec<String> {
    let Ok(stamps) = Stamps::read(folder) else { return Vec::new() };
    let benches = stamps.folders().filter_map(|folder| criterion::read(folder).ok());
    benches.map(|bench| bench.full_name()).collect()
}

/// What the compiler that builds here says to `--version`; `None` when it cannot be asked.
pub fn compiler(host: &Host, checkout: &Checkout) -> Option<String> {
    let words = ["rustc", "--version"].map(str::to_owned);
    let launch = Launch { words: &words, folder: &checkout.root, cores: &[], shown: false };
    Some(host.run(&launch, VERSION_BOUND).ok()?.trim().to_owned())
}

/// The benchmarks that make up one of the server's requests; `None` where its manifest names none.
fn costs(server: &Server) -> Option<CostsRecord> {
    let Costs { framework, own } = server.costs.clone()?;
    Some(CostsRecord { server: server.name.clone(), framework, own })
}
