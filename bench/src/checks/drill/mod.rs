//! Fault drills: a server and clients that misbehave, or a misfortune of its own. Each drill starts the server itself,
//! has it suffer one kind of trouble, and says in a few words how it stood that, or what went wrong.
//!
//! Nothing here measures speed. A drill knows no server: what a server is known to fail stands in its manifest's
//! `[[known_failures]]`, as the name of the drill.

mod client;
mod connect_close;
mod deaf;
mod descriptors;
mod drain_slow;
mod drain_under_load;
mod half_close;
mod idle;
mod kill;
mod large_body;
mod load;
mod mixed;
mod never_read;
mod resets;
mod scene;
mod stored;
mod trouble;

use crate::machine::host::Host;
use crate::servers::server::Server;

use scene::Scene;
pub use scene::Size;
pub use stored::{drill_record, drilled_record};

/// One drill.
pub struct Drill {
    /// `drill/name`, by which manifests refer to it.
    pub name: &'static str,
    /// What it does, for a person.
    pub about: &'static str,
    /// Does it: a figure for the table, or what is wrong.
    run: fn(&Scene) -> anyhow::Result<String>,
}

/// Every drill, in the order they are done.
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

/// What came of one drill with one server.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `drill/name`.
    pub drill: &'static str,
    /// Its figure, or what is wrong.
    pub outcome: Result<String, String>,
    /// Why the server fails it, when its manifest says that it does; nothing when it passes what it fails only at times.
    pub known: Option<String>,
}

impl Drill {
    /// Its name without the subject.
    pub fn short_name(&self) -> &'static str {
        self.name.trim_start_matches("drill/")
    }

    /// Does it with a server that is built.
    pub fn run(&self, host: &Host, server: &Server, size: Size) -> Finding {
        let outcome = (self.run)(&Scene { host, server, size }).map_err(|error| format!("{error:#}"));
        Finding::of(self.name, outcome, server)
    }
}

impl Finding {
    /// What came of the drill of that name with the server.
    pub(crate) fn of(drill: &'static str, outcome: Result<String, String>, server: &Server) -> Self {
        let known_failure =
            server.known_failure(drill).filter(|known_failure| outcome.is_err() || !known_failure.flaky);
        let known = known_failure.map(|known_failure| known_failure.reason.clone());
        Self { drill, outcome, known }
    }

    /// Whether it is as the server's manifest says.
    pub fn is_as_known(&self) -> bool {
        self.outcome.is_err() == self.known.is_some()
    }
}

/// Whether the name of a known failure is that of a drill, be there such a one or not.
pub fn is_drill(known_failure: &str) -> bool {
    known_failure.starts_with("drill/")
}

/// Drills that the server's manifest names and that are not there.
pub fn unknown_names(server: &Server) -> impl Iterator<Item = &str> {
    let is_known = |known_failure: &str| DRILLS.iter().any(|drill| drill.name == known_failure);
    server
        .known_failure_names()
        .filter(move |known_failure| is_drill(known_failure) && !is_known(known_failure))
}
