//! Fault drills: does a server survive clients that misbehave, and faults of its own?
//!
//! A drill starts the server, injects one kind of fault (a reset, a client that never reads, `kill
//! -9`, no descriptors left, SIGTERM under load), and then checks that the server answers and has
//! freed everything. The result is a figure for the table or the reason of the failure. Nothing
//! here measures speed.
//!
//! A drill does not depend on a particular server, and lists the protocols over which its fault has
//! a meaning. [`endpoint`] and [`connection`] make the connections, and know what a request looks
//! like. Manifests list known failures as `drill/NAME` over HTTP/1.1, `https-drill/NAME` over TLS,
//! and `h2-drill/NAME` over HTTP/2.

mod connect_close;
mod connection;
mod context;
mod definition;
mod delayed_acks;
mod descriptors;
mod drain_amid;
mod drain_slow;
mod drain_under_load;
mod endpoint;
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
mod stalled_handshake;
mod stream_resets;

use crate::servers::server::Server;
use crate::store::record::Protocol;

pub use definition::{Drill, known_reason};

/// All drills, in the order in which they run.
pub const DRILLS: [Drill; 15] = [
    idle::DRILL,
    connect_close::DRILL,
    stalled_handshake::DRILL,
    resets::DRILL,
    stream_resets::DRILL,
    descriptors::DRILL,
    half_close::DRILL,
    never_read::DRILL,
    large_body::DRILL,
    delayed_acks::DRILL,
    kill::DRILL,
    drain_under_load::DRILL,
    drain_amid::DRILL,
    drain_slow::DRILL,
    mixed::DRILL,
];

/// The drills whose faults have a meaning over a protocol.
pub fn over(protocol: Protocol) -> impl Iterator<Item = &'static Drill> {
    DRILLS.iter().filter(move |drill| drill.protocols.contains(&protocol))
}

/// The names of drills that manifests may list: each drill over each of its protocols.
pub fn known_names() -> Vec<String> {
    let mut names: Vec<String> = Protocol::ALL
        .into_iter()
        .flat_map(|protocol| over(protocol).map(move |drill| drill.known_as(protocol)))
        .collect();
    // `h2c` and `h2` share their names.
    names.sort();
    names.dedup();
    names
}

/// Whether the name of a known failure has the subject of drills over any protocol.
pub fn is_drill(name: &str) -> bool {
    let subject = conformance::subject_of(name);
    Protocol::ALL.into_iter().any(|protocol| definition::subject(protocol) == subject)
}

/// Known failures of the server that name a drill that does not exist.
pub fn unknown_names(server: &Server) -> impl Iterator<Item = &str> {
    let known = known_names();
    server
        .known_failure_names()
        .filter(move |name| is_drill(name) && !known.iter().any(|known| known == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_drill_has_a_name_per_subject_of_its_protocols() {
        let names = known_names();
        let cases = [
            ("drill/idle", true, true),
            ("https-drill/idle", true, true),
            ("h2-drill/idle", true, true),
            ("h2-drill/half-close", true, false),
            ("drill/stream-resets", true, false),
            ("h2-drill/stream-resets", true, true),
            ("h2c-drill/idle", false, false),
            ("h2-endpoint/post", false, false),
        ];
        for (name, is_drill_there, is_known) in cases {
            assert_eq!(is_drill(name), is_drill_there, "{name}");
            assert_eq!(names.iter().any(|known| known == name), is_known, "{name}");
        }
        let mut unique: Vec<&str> = DRILLS.iter().map(|drill| drill.name).collect();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), DRILLS.len());
    }
}
