//! The stored form of a drill's result: one line of `drills.jsonl`. An unknown value is `null`.

use serde::{Deserialize, Serialize};

use super::record::Protocol;

/// The version of the form below, which is in every line.
pub const SCHEMA: u32 = 1;

/// The result of one drill with one server.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DrillRecord {
    /// The version of this form.
    pub schema: u32,
    /// When the drill began: UTC, RFC 3339.
    pub started: String,
    /// The server.
    pub server: DrilledRecord,
    /// The drill's name, without the prefix that it has in manifests.
    pub drill: String,
    /// A description of the drill for readers.
    pub about: String,
    /// The protocol; HTTP/1.1 without TLS where a line has none.
    #[serde(default, skip_serializing_if = "Protocol::is_plain")]
    pub protocol: Protocol,
    /// How large it was.
    pub size: SizeRecord,
    /// How it ended.
    pub outcome: OutcomeRecord,
    /// Why the server fails the drill, according to its manifest; `null` where this is not a known
    /// failure.
    pub known: Option<String>,
}

/// A server as it was drilled.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DrilledRecord {
    /// Its folder's name.
    pub name: String,
    /// The name in reports.
    pub title: String,
    /// The language it is written in.
    pub language: String,
    /// What it prints for `--version`; `null` where it could not be run.
    pub version: Option<String>,
}

/// How large a drill was.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SizeRecord {
    /// A second or two, for tests.
    Short,
    /// The whole drill.
    Full {
        /// The most connections at once, which the machine's limit of open files may reduce.
        connections: usize,
    },
}

/// How a drill ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeRecord {
    /// The server passed: the drill's figure, as text.
    Passed(String),
    /// It failed: what went wrong.
    Failed(String),
}

impl OutcomeRecord {
    /// Whether the server failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl DrillRecord {
    /// Whether the outcome is the one that the server's manifest predicts.
    pub fn is_as_known(&self) -> bool {
        self.outcome.is_failure() == self.known.is_some()
    }
}

#[cfg(test)]
impl DrillRecord {
    pub(crate) fn example(server: &str, drill: &str, outcome: Result<&str, &str>) -> Self {
        let name = server.to_owned();
        Self {
            schema: SCHEMA,
            started: "2026-01-01T12:00:00Z".into(),
            server: DrilledRecord { name: name.clone(), title: name, language: "Rust".into(), version: None },
            drill: drill.into(),
            about: format!("what {drill} does"),
            protocol: Protocol::Http1,
            size: SizeRecord::Short,
            outcome: match outcome {
                Ok(figure) => OutcomeRecord::Passed(figure.into()),
                Err(wrong) => OutcomeRecord::Failed(wrong.into()),
            },
            known: None,
        }
    }
}
