//! The stored form of drill results.

use super::context::Size;
use super::definition::{Drill, DrillResult};
use crate::servers::server::Server;
use crate::store::drills::{DrillRecord, DrilledRecord, OutcomeRecord, SCHEMA, SizeRecord};

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
