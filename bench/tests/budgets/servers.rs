//! Instructions of whole servers that answer the same request again and again.

use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use bench::text::numbers::as_f64;

use crate::budget::Count;
use crate::gungraun::{self, Benchmark};

/// Counts the servers whose manifests have a budget, with one worker each: the instructions per
/// request for /abc on one connection, each sent when the one before it is answered.
pub(crate) fn count(host: &Host, checkout: &Checkout) -> Vec<Count> {
    // The servers are built as their manifests say. The client is not counted, so a debug build will do.
    let benchmarks = gungraun::run(host, checkout, "--profile dev --package bench --bench servers");
    let mut counts = Vec::new();
    for server in &checkout.servers {
        let Some(budget) = server.instructions else { continue };
        if let Some(why) = launch::unavailable(host, server) {
            crate::say(&format!("{} is skipped: {why}", server.name));
            continue;
        }
        let file = server.folder.join("server.toml");
        counts.push(Count {
            file: file.strip_prefix(&checkout.root).unwrap().display().to_string(),
            key: "instructions".to_owned(),
            budget,
            counted: per_request(server, &benchmarks),
        });
    }
    counts
}

/// The difference of the server's two benchmarks, divided by that of their numbers of requests.
fn per_request(server: &Server, benchmarks: &[Benchmark]) -> f64 {
    // Names in gungraun have no hyphens.
    let function = server.name.replace('-', "_");
    let own = benchmarks.iter().filter(|benchmark| benchmark.function == function);
    let own: Vec<(u64, u64)> = own.map(|benchmark| (requests(benchmark), benchmark.instructions)).collect();
    let [fewer, more] = own[..] else { panic!("{function} was counted as {own:?}") };
    as_f64(more.1.saturating_sub(fewer.1)) / as_f64(more.0 - fewer.0)
}

fn requests(benchmark: &Benchmark) -> u64 {
    let requests = benchmark.id.as_deref().and_then(|id| id.strip_prefix("requests_")?.parse().ok());
    requests.unwrap_or_else(|| panic!("{benchmark:?} does not say how many requests it makes"))
}
