//! Fault drills: does a server survive clients that misbehave, and faults of its own?
//!
//! A drill starts the server, injects one kind of fault (a reset, a client that never reads, `kill
//! -9`, no descriptors left, SIGTERM under load), and then checks that the server answers and has
//! freed everything. The result is a figure for the table or the reason of the failure. Nothing
//! here measures speed.
//!
//! A drill knows no server by name. Known failures are in manifests, as `drill/NAME`.

mod connect_close;
mod context;
mod definition;
mod descriptors;
mod drain_slow;
mod drain_under_load;
mod half_close;
mod idle;
mod kill;
mod large_body;
mod load;
mod misbehaving;
mod mixed;
mod never_read;
mod non_reading;
mod resets;

use crate::servers::server::Server;

pub use definition::{Drill, known_reason};

/// All drills, in the order in which they run.
pub const DRILLS: [Drill; 11] = [
    idle::DRILL,
    connect_close::DRILL,
    resets::DRILL,
    descriptors::DRILL,
    half_close::DRILL,
    never_read::DRILL,
    large_body::DRILL,
    kill::DRILL,
    drain_under_load::DRILL,
    drain_slow::DRILL,
    mixed::DRILL,
];

/// Whether the name of a known failure is in the `drill/` namespace.
pub fn is_drill(name: &str) -> bool {
    name.starts_with("drill/")
}

/// Known failures of the server that name a drill that does not exist.
pub fn unknown_names(server: &Server) -> impl Iterator<Item = &str> {
    let exists = |name: &str| DRILLS.iter().any(|drill| drill.name == name);
    server.known_failure_names().filter(move |name| is_drill(name) && !exists(name))
}
