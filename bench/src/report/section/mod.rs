//! Sections, a question a file. Each makes of the records what answers its question, or nothing.

mod article;
mod baseline;
mod check;
mod code;
mod cost;
mod drills;
mod family;
mod groups;
mod http;
mod latency;
mod ledger;
mod machine;
mod memory;
mod modes;
mod notes;
mod panels;
mod parts;
mod repetitions;
mod scaling;
mod speed;

use super::document::Section;
use crate::analysis::summary::WorkloadSummary;
use crate::store::results::Loaded;

pub(super) use baseline::cell as baseline_cell;
pub(super) use code::{figure as code_figure, table as code_table};
pub(super) use cost::chart as cost_chart;
pub(crate) use drills::FAILED;
pub(super) use drills::table as drills_table;
pub(super) use family::{Family, Question};
pub(super) use ledger::explanation;
pub(super) use parts::{Measure, connections, leading_measure, lines, list, noise, server, servers};

/// What sections are made from.
pub(super) struct Source<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) summaries: &'a [WorkloadSummary<'a>],
    /// Workloads that belong together, without those by a second tool.
    pub(super) families: Vec<Family<'a>>,
    /// The server that a person has chosen for all others to be held against.
    pub(super) baseline: Option<&'a str>,
}

impl<'a> Source<'a> {
    pub(super) fn new(loaded: &'a Loaded, summaries: &'a [WorkloadSummary<'a>]) -> Self {
        Self { loaded, summaries, families: family::families(summaries), baseline: None }
    }
}

/// Every section that has something to say, in the order in which they are read.
pub(super) fn all(source: &Source) -> Vec<Section> {
    let sections: [fn(&Source) -> Option<Section>; 14] = [
        speed::section,
        cost::section,
        groups::section,
        latency::section,
        scaling::section,
        modes::section,
        memory::section,
        http::section,
        ledger::section,
        code::section,
        article::section,
        check::section,
        repetitions::section,
        machine::section,
    ];
    sections.iter().filter_map(|section| section(source)).collect()
}

#[cfg(test)]
impl Loaded {
    /// A folder that holds these records, for tests.
    pub(crate) fn example(records: Vec<crate::store::record::Record>) -> Self {
        let machine = include_str!("../../../tests/folder/machine.json");
        let machine = serde_json::from_str(machine).unwrap();
        Self { machine, records, torn: None, drills: Vec::new(), drills_torn: None, code: None }
    }
}
