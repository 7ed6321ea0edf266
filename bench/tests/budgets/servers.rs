//! Instructions of whole servers that answer the same request again and again.

use bench::machine::host::Host;
use bench::servers::checkout::Checkout;
use bench::servers::launch;
use bench::servers::server::Server;
use bench::text::numbers::as_f64;

use crate::budget::Count;
use crate::gungraun::{self, Counts};

/// Counts the servers whose manifests have a budget, with one worker each: the instructions per
/// request for /abc on one connection, each sent when the one before it is answered.
pub(crate) fn count(host: &Host, checkout: &Checkout) -> Vec<Count> {
    // The servers are built as their manifests say. The client is not counted, so a debug build is
    // enough. It is built with the workspace, so that it is the build of `cargo test --workspace`.
    let counted = gungraun::run(host, checkout, "--profile dev --workspace --bench servers");
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
            counted: per_request(server, &counted),
        });
    }
    counts
}

/// The difference between the counts of the server's two benchmarks, divided by the difference
/// between their numbers of requests.
fn per_request(server: &Server, counts: &Counts) -> f64 {
    // Names in gungraun have no hyphens.
    let start = format!("{}/requests_", server.name.replace('-', "_"));
    let own = counts.iter().filter_map(|(name, count)| Some((name.strip_prefix(&start)?, *count)));
    let mut own: Vec<(u64, u64)> = own.map(|(requests, count)| (requests.parse().unwrap(), count)).collect();
    own.sort_unstable();
    let [fewer, more] = own[..] else { panic!("{start} was counted as {own:?}") };
    as_f64(more.1.saturating_sub(fewer.1)) / as_f64(more.0 - fewer.0)
}
