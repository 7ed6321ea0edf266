//! What a drill is, and how its result becomes a record.

use super::context::DrillContext;
use crate::machine;
use crate::machine::host::Host;
use crate::servers::server::Server;
use crate::store::drills::{DrillRecord, DrilledRecord, OutcomeRecord, SCHEMA, SizeRecord};

/// One drill.
pub struct Drill {
    /// `drill/NAME`, by which manifests refer to it.
    pub name: &'static str,
    /// What it does and what the server has to do, for people.
    pub about: &'static str,
    /// Returns a figure for the table; fails with the reason when the server fails the drill.
    pub(super) run: fn(&DrillContext) -> anyhow::Result<String>,
}

impl Drill {
    /// Its name without `drill/`.
    pub fn short_name(&self) -> &'static str {
        self.name.trim_start_matches("drill/")
    }

    /// Runs it with a server that is built, of a version where that is known.
    pub fn run(
        &self,
        host: &Host,
        server: &Server,
        version: Option<String>,
        size: SizeRecord,
    ) -> DrillRecord {
        let started = machine::now();
        let outcome = match (self.run)(&DrillContext { host, server, size }) {
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
            drill: self.short_name().into(),
            about: self.about.into(),
            size,
            known: known_reason(server, self.name, &outcome),
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
