//! What bound a cell, and so what its figures are facts about.

use std::fmt;

use crate::record::{Measured, Record};
use crate::statistics::median;
use crate::summary::Cell;

/// A side that used this share of its cores' time was held up by nothing else. What is missing to 1 are its start and its
/// end, and the moments in which it waits for the slowest connection.
pub const BUSY_FROM: f64 = 0.9;

/// A share of their cores' time that others took, from which on a run says more of them than of the server. The kernel counts
/// in hundredths of a second, so that up to 4 % of a second on two cores may be no more than rounding.
pub const DISTURBED_FROM: f64 = 0.05;

/// What bound a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Its figures mean nothing, and why.
    Invalid(String),
    /// The server used its cores up: its throughput is a fact about the server.
    ServerBound,
    /// The load tool used its cores up: its throughput is a fact about the tool. Also where both did, since the tool may have
    /// been first.
    ClientBound,
    /// Others took this share of the cores' time in the median run: server and tool may have wanted it. CPU time a request is
    /// still a fact about the server, if a less exact one.
    Disturbed(f64),
    /// Neither was busy: the round trip is the fact.
    LatencyBound,
}

/// The verdict on all runs of a server under a workload; `None` where none has figures.
pub fn of(cell: &Cell) -> Option<Verdict> {
    let runs: Vec<(&Record, &Measured)> =
        cell.runs.iter().filter_map(|run| Some((*run, run.measured.as_ref()?))).collect();
    let utilisation = |share: &dyn Fn(&Record, &Measured) -> f64| {
        median(&mut runs.iter().map(|(record, run)| share(record, run)).collect::<Vec<_>>())
    };
    let server = utilisation(&|record, run| run.server_utilisation(record.server_cores.len()))?;
    let tool = utilisation(&|record, run| run.tool_utilisation(record.tool_cores.len()))?;
    let errors: u64 = runs.iter().map(|(_, run)| run.error_count()).sum();
    let answered: u64 = runs.iter().map(|(_, run)| run.answered).sum();
    let foreign = runs.iter().filter_map(|(record, run)| run.foreign_share(record.cores()));
    let foreign = median(&mut foreign.collect::<Vec<_>>()).unwrap_or(0.0);
    Some(match (tool >= BUSY_FROM, server >= BUSY_FROM) {
        _ if errors > 0 => Verdict::Invalid(format!("{errors} of {} requests failed", errors + answered)),
        _ if foreign > DISTURBED_FROM => Verdict::Disturbed(foreign),
        (true, _) => Verdict::ClientBound,
        (false, true) => Verdict::ServerBound,
        (false, false) => Verdict::LatencyBound,
    })
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Invalid(_) => "invalid",
            Self::ServerBound => "server",
            Self::ClientBound => "client",
            Self::Disturbed(_) => "others",
            Self::LatencyBound => "latency",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{LatencyRecord, ServerRecord, ToolRecord, WorkloadRecord};

    /// A run of a second, with a core for each side, that used these seconds of CPU time.
    fn record(server: f64, tool: f64, foreign: f64, errors: u64) -> Record {
        let text = String::new;
        Record {
            schema: 0,
            started: text(),
            workload: WorkloadRecord {
                name: text(),
                title: text(),
                path: text(),
                connections: 1,
                mode: text(),
                requests: None,
                seconds: Some(1.0),
                published: None,
            },
            server: ServerRecord {
                name: text(),
                title: text(),
                language: text(),
                runtime: text(),
                model: text(),
                version: None,
                article: None,
                conformance: None,
            },
            tool: ToolRecord { name: text(), version: None, command: Vec::new() },
            repetition: Some(1),
            server_cores: vec![0],
            tool_cores: vec![1],
            measured: Some(Measured {
                elapsed_seconds: 1.0,
                answered: 1000,
                errors: if errors > 0 { [("status 503".to_owned(), errors)].into() } else { [].into() },
                claimed_per_second: None,
                latency: LatencyRecord {
                    meaning: text(),
                    mean_seconds: None,
                    percentiles: [].into(),
                    max_seconds: None,
                },
                server_cpu_seconds: server,
                tool_cpu_seconds: tool,
                wall_seconds: 1.0,
                foreign_cpu_seconds: Some(foreign),
                memory_at_rest_bytes: None,
                memory_after_bytes: None,
                memory_peak_bytes: None,
            }),
            failure: None,
            raw: None,
        }
    }

    #[test]
    fn a_cell_is_bound_by_what_was_used_up() {
        let cases = [
            ("neither is busy", record(0.5, 0.5, 0.0, 0), "latency"),
            ("the server is", record(0.95, 0.5, 0.02, 0), "server"),
            ("the tool is", record(0.5, 0.95, 0.02, 0), "client"),
            ("both are", record(0.95, 0.95, 0.0, 0), "client"),
            ("others take a tenth", record(0.5, 0.5, 0.2, 0), "others"),
            ("one in a thousand fails", record(0.95, 0.5, 0.0, 1), "invalid"),
        ];
        for (name, record, expected) in cases {
            let cell = Cell { server: &record.server, runs: vec![&record, &record, &record] };
            assert_eq!(of(&cell).unwrap().to_string(), expected, "{name}");
        }
        let failed = Record { measured: None, ..record(0.0, 0.0, 0.0, 0) };
        assert_eq!(of(&Cell { server: &failed.server, runs: vec![&failed] }), None);
    }
}
