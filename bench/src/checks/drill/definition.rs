//! What a drill is, and what its result is, also in its stored form.

use super::context::{DrillContext, Size};
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

/// The result of one drill with one server.
#[derive(Clone, Debug)]
pub struct DrillResult {
    /// `drill/NAME`.
    pub drill: &'static str,
    /// The drill's figure, or why the server failed it.
    pub outcome: Result<String, String>,
    /// The reason of a known failure, from the manifest; `None` when a flaky one passed.
    pub known: Option<String>,
}

impl Drill {
    /// Its name without `drill/`.
    pub fn short_name(&self) -> &'static str {
        self.name.trim_start_matches("drill/")
    }

    /// Runs it with a server that is built.
    pub fn run(&self, host: &Host, server: &Server, size: Size) -> DrillResult {
        let context = DrillContext { host, server, size };
        let outcome = (self.run)(&context).map_err(|error| format!("{error:#}"));
        DrillResult::new(self.name, outcome, server)
    }
}

impl DrillResult {
    pub(crate) fn new(drill: &'static str, outcome: Result<String, String>, server: &Server) -> Self {
        let failure = server.known_failure(drill).filter(|failure| outcome.is_err() || !failure.flaky);
        Self { drill, outcome, known: failure.map(|failure| failure.reason.clone()) }
    }

    /// Whether the result is the one that the server's manifest predicts.
    pub fn is_as_known(&self) -> bool {
        self.outcome.is_err() == self.known.is_some()
    }
}

/// The stored form of a result.
pub fn drill_record(
    server: DrilledRecord,
    drill: &Drill,
    size: Size,
    started: String,
    result: &DrillResult,
) -> DrillRecord {
    DrillRecord {
        schema: SCHEMA,
        started,
        server,
        drill: drill.short_name().into(),
        about: drill.about.into(),
        size: match size {
            Size::Short => SizeRecord::Short,
            Size::Full { connections } => SizeRecord::Full { connections },
        },
        outcome: match result.outcome.clone() {
            Ok(figure) => OutcomeRecord::Passed(figure),
            Err(wrong) => OutcomeRecord::Failed(wrong),
        },
        known: result.known.clone(),
    }
}

/// The stored form of a server of this version.
pub fn drilled_record(server: &Server, version: Option<String>) -> DrilledRecord {
    DrilledRecord {
        name: server.name.clone(),
        title: server.title.clone(),
        language: server.language.clone(),
        version,
    }
}
