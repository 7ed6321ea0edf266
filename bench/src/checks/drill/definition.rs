//! What a drill is, and how its result becomes a record.

use super::context::DrillContext;
use crate::machine;
use crate::machine::host::Host;
use crate::servers::server::Server;
use crate::store::drills::{DrillRecord, DrilledRecord, OutcomeRecord, SCHEMA, SizeRecord};
use crate::store::record::Protocol;

/// All protocols, for drills whose faults have a meaning over each of them.
pub(super) const OVER_ALL: &[Protocol] = &Protocol::ALL;

/// One drill.
pub struct Drill {
    /// The drill's name.
    pub name: &'static str,
    /// What the drill does and what the server has to do, for the user.
    pub about: &'static str,
    /// The protocols over which the drill's fault has a meaning.
    pub protocols: &'static [Protocol],
    /// Returns a figure for the table; fails with the reason when the server fails the drill.
    pub(super) run: fn(&DrillContext) -> anyhow::Result<String>,
}

/// The subject of drills in manifests, which precedes a drill's name. As with conformance cases,
/// HTTP/1.1 within TLS has a subject of its own, and `h2` and `h2c` share one.
pub(super) fn subject(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http1 => "drill",
        Protocol::Https => "https-drill",
        Protocol::H2 | Protocol::H2c => "h2-drill",
    }
}

impl Drill {
    /// The drill's name in manifests, over a protocol.
    pub fn known_as(&self, protocol: Protocol) -> String {
        format!("{}/{}", subject(protocol), self.name)
    }

    /// Runs the drill over a protocol with a server that is built. `version` is the server's, if
    /// known.
    pub fn run(
        &self,
        host: &Host,
        server: &Server,
        version: Option<String>,
        size: SizeRecord,
        protocol: Protocol,
    ) -> DrillRecord {
        let started = machine::now();
        let run = |context: DrillContext| (self.run)(&context);
        let outcome = match DrillContext::new(host, server, size, protocol).and_then(run) {
            Ok(figure) => OutcomeRecord::Passed(figure),
            Err(error) => OutcomeRecord::Failed(format!("{error:#}")),
        };
        DrillRecord {
            schema: SCHEMA,
            started,
            server: DrilledRecord {
                name: server.name.clone(),
                title: server.title.clone(),
                language: server.language.clone(),
                version,
            },
            drill: self.name.into(),
            about: self.about.into(),
            protocol,
            size,
            known: known_reason(server, &self.known_as(protocol), &outcome),
            outcome,
        }
    }
}

/// The reason of a known failure, from the manifest; `None` when a flaky one passed.
pub fn known_reason(server: &Server, drill: &str, outcome: &OutcomeRecord) -> Option<String> {
    let failure = server.known_failure(drill)?;
    let is_expected = outcome.is_failure() || !failure.flaky;
    is_expected.then(|| failure.reason.clone())
}
