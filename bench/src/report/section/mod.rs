//! Sections, one question per file. Each answers its question from the records, or is left out.

mod article;
mod breakdown;
mod capacity;
mod cost;
mod cross_check;
mod drills;
mod errors;
mod family;
mod fields;
mod groups;
mod hosts;
mod http;
mod latency;
mod machine;
mod matrix;
mod memory;
mod metric;
mod microbench;
mod modes;
mod notes;
mod over_time;
mod panels;
mod payload;
mod preliminary;
mod protocols;
mod rates;
mod readme;
mod repetitions;
mod rules;
mod scaling;
mod speed;
mod words;

use super::document::Section;
use crate::analysis::summary::{WorkloadSummary, grouped};
#[cfg(test)]
use crate::store::record::{Bound, VerdictRecord};
use crate::store::results::Loaded;

pub(super) use breakdown::explanation;
pub(super) use cost::chart as cost_chart;
pub(crate) use drills::FAILED;
pub(super) use drills::table as drills_table;
pub(super) use family::{Family, Question, distinct, has_figures, leading, servers};
pub(super) use fields::baseline;
pub(super) use metric::{leading_metric, noise};
pub(super) use microbench::table as microbench_table;
pub(super) use panels::lines;
pub(super) use preliminary::table as preliminary_table;
pub(super) use readme::table as readme_table;
pub use rules::Rules;
pub(super) use rules::sentence as kept_sentence;
pub(super) use words::{connections, cores, host, list, load_cores, some, some_up_to, verdict};

/// What sections are made from.
pub(super) struct Source<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) summaries: &'a [WorkloadSummary<'a>],
    /// Workloads that belong together, without the copies under a second tool.
    pub(super) families: Vec<Family<'a>>,
    /// The server that the user chose to compare all others with.
    pub(super) baseline: Option<&'a str>,
    /// Whether the user also wants ranks among the servers that keep the rules of HTTP.
    pub(super) rules: Rules,
}

impl<'a> Source<'a> {
    pub(super) fn new(loaded: &'a Loaded, summaries: &'a [WorkloadSummary<'a>]) -> Self {
        Self { loaded, summaries, families: family::families(summaries), baseline: None, rules: Rules::Any }
    }
}

/// Every section that is not left out, in the order in which they are read.
pub(super) fn all(source: &Source) -> Vec<Section> {
    let sections: [fn(&Source) -> Option<Section>; 22] = [
        speed::section,
        cost::section,
        groups::section,
        rates::section,
        capacity::section,
        latency::section,
        scaling::by_connections,
        scaling::by_cores,
        modes::section,
        protocols::section,
        payload::section,
        errors::section,
        memory::section,
        http::section,
        breakdown::section,
        microbench::section,
        article::section,
        cross_check::section,
        repetitions::section,
        over_time::section,
        hosts::section,
        machine::section,
    ];
    sections.iter().filter_map(|section| section(source)).collect()
}

/// Sentences with the results of the families that have a question of their own.
pub(super) fn sentences(families: &[Family]) -> Vec<String> {
    let of = |family: &Family| match family.question {
        Question::Capacity => capacity::sentences(&family.members),
        Question::Rates => rates::sentences(&family.members),
        Question::Payload => payload::sentence(&family.members).into_iter().collect(),
        Question::Mode => modes::sentence(&family.members).into_iter().collect(),
        Question::Errors => errors::sentences(&family.members),
        Question::Protocols => protocols::sentences(&family.members),
        _ => Vec::new(),
    };
    families.iter().flat_map(of).collect()
}

/// Which server is the best under each of some workloads, in words: `epoll at 100/s and 1,000/s; may at
/// 5,000/s`. Empty where none has a ranked server.
fn best_by(members: &[&WorkloadSummary], short: impl Fn(&WorkloadSummary) -> String) -> String {
    let best = members.iter().filter_map(|member| Some((fields::best(member)?.name(), short(member))));
    let by_server = grouped(best);
    let phrase = |(server, places): (&str, Vec<String>)| format!("{server} {}", words::list(&places));
    by_server.into_iter().map(phrase).collect::<Vec<_>>().join("; ")
}

/// Servers with their figures in the given order, of many the first few: `epoll 105,000/s, hyper
/// 98,000/s and 3 more`.
fn figures(found: &[(&str, String)]) -> String {
    let shown: Vec<String> = found.iter().map(|(server, figure)| format!("{server} {figure}")).collect();
    words::some(&shown)
}

#[cfg(test)]
impl crate::store::record::Record {
    /// Seven runs of a server, each changed by `change`, for tests.
    pub(crate) fn seven(server: &str, change: impl Fn(&mut Self)) -> Vec<Self> {
        let mut runs: Vec<Self> = (1..=7).map(|repetition| Self::example(server, repetition)).collect();
        runs.iter_mut().for_each(change);
        runs
    }

    /// Sets the server's CPU time.
    pub(crate) fn set_cpu_seconds(&mut self, seconds: f64) {
        self.cpu.as_mut().unwrap().server.as_mut().unwrap().seconds = seconds;
    }

    /// Sets the verdict, with the figures that suit it.
    pub(crate) fn set_bound(&mut self, bound: Bound) {
        self.verdict = Some(VerdictRecord {
            bound,
            reason: (bound == Bound::Invalid).then(|| "3 requests failed".into()),
            server_utilisation: Some(if bound == Bound::ServerBound { 1.0 } else { 0.5 }),
            thread_utilisation: (bound == Bound::ThreadBound).then_some(1.0),
            tool_utilisation: if bound == Bound::ClientBound { 1.0 } else { 0.5 },
            external_share: Some(0.0),
            concurrency: None,
        });
    }
}

#[cfg(test)]
impl super::document::Table {
    /// The rows of the table as they are shown, with the columns of these headers, for tests. A
    /// column that the table does not have is `-`.
    pub(crate) fn shown(&self, headers: &[&str]) -> Vec<String> {
        let cell = |row: &[super::value::Value], header: &str| {
            let place = self.columns.iter().position(|column| column.header == header);
            place.map_or("-".into(), |place| row[place].shown(self.columns[place].quantity, self.unit(place)))
        };
        let row =
            |row: &Vec<_>| headers.iter().map(|header| cell(row, header)).collect::<Vec<_>>().join(" | ");
        self.rows.iter().map(row).collect()
    }
}

#[cfg(test)]
impl Loaded {
    /// A section of the folder's report, for tests.
    pub(in crate::report) fn section(&self, section: fn(&Source) -> Option<Section>) -> Option<Section> {
        section(&Source::new(self, &crate::analysis::summary::summarise(&self.records)))
    }

    /// A folder that holds these records, for tests.
    pub(crate) fn example(records: Vec<crate::store::record::Record>) -> Self {
        let machine = include_str!("../../../tests/folder/machine.json");
        let machine = serde_json::from_str(machine).unwrap();
        Self { machine, records, torn: None, drills: Vec::new(), drills_torn: None, microbench: None }
    }
}
