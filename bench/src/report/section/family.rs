//! Families: workloads that are shown together. Their names have the same part before the first
//! hyphen, as the workloads of one suite do. This module also chooses the workload that the answer
//! is taken from.

use std::collections::BTreeSet;

use super::Source;
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::store::record::{TaskRecord, WorkloadRecord};

/// A family compares numbers of connections, or fixed rates, if it has at least this many of them.
const A_SCALE: usize = 3;

/// Workloads that answer a question together.
pub(in crate::report) struct Family<'a> {
    pub(in crate::report) question: Question,
    /// Its workloads, in the order in which they were first run.
    pub(in crate::report) members: Vec<&'a WorkloadSummary<'a>>,
}

/// What a family of workloads asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Question {
    /// How fast and how cheap servers are, under each workload on its own.
    Load,
    /// How servers compare with a published result.
    Published,
    /// What servers cost at the same rates, and when idle.
    Rates,
    /// How much a server can take within a limit of latency.
    Capacity,
    /// Latency in open loops; includes the closed loops that found the peaks.
    Latency,
    /// How servers scale with connections.
    Connections,
    /// How servers scale with the cores that they have.
    Cores,
    /// What longer answers and heads cost.
    Payload,
    /// What wrong requests cost.
    Errors,
    /// What TLS and HTTP/2 cost.
    Protocols,
    /// What it costs to keep connections, to close them, and to pipeline requests.
    Mode,
    /// Starts, held connections, and the loads between them.
    Startup,
}

pub(super) fn families<'a>(summaries: &'a [WorkloadSummary<'a>]) -> Vec<Family<'a>> {
    let name = |summary: &WorkloadSummary<'a>| summary.workload.name.split('-').next().unwrap_or_default();
    let own = summaries.iter().filter(|summary| !summary.is_check);
    let family = |(_, members): (_, Vec<_>)| Family { question: question(&members), members };
    grouped(own.map(|summary| (name(summary), summary))).into_iter().map(family).collect()
}

fn question(members: &[&WorkloadSummary]) -> Question {
    let workloads = || members.iter().map(|summary| summary.workload);
    let modes: BTreeSet<&str> = workloads().filter_map(|workload| workload.mode.as_deref()).collect();
    let connections: BTreeSet<u32> = workloads().map(|workload| workload.connections).collect();
    if workloads().any(|workload| workload.published.is_some()) {
        Question::Published
    } else if workloads().any(|workload| workload.rate.as_ref().is_some_and(|rate| rate.limit.is_some())) {
        Question::Capacity
    } else if workloads().any(|workload| !workload.protocol.is_plain()) {
        Question::Protocols
    } else if workloads().any(|workload| !workload.mix.is_empty()) {
        Question::Errors
    } else if workloads().any(|workload| !workload.headers.is_empty()) {
        Question::Payload
    } else if workloads().filter(|workload| is_at_fixed_rate(workload)).count() >= A_SCALE {
        Question::Rates
    } else if workloads().any(|workload| workload.rate.is_some()) {
        Question::Latency
    } else if workloads().any(|workload| workload.task != TaskRecord::Load) {
        Question::Startup
    } else if workloads().any(|workload| workload.server_cores.is_some()) {
        Question::Cores
    } else if modes.len() > 1 {
        Question::Mode
    } else if connections.len() >= A_SCALE {
        Question::Connections
    } else {
        Question::Load
    }
}

/// Whether the workload is an open loop at one rate for all servers.
fn is_at_fixed_rate(workload: &WorkloadRecord) -> bool {
    workload.rate.as_ref().is_some_and(|rate| rate.per_second.is_some())
}

/// The workload that the answer is taken from: of those that ask how fast and how cheap servers are,
/// the one with the most connections; otherwise the first load; otherwise the first workload.
pub(in crate::report) fn leading<'a>(families: &[Family<'a>]) -> Option<&'a WorkloadSummary<'a>> {
    let members = |is_wanted: &dyn Fn(Question) -> bool| -> Vec<&'a WorkloadSummary<'a>> {
        let families = families.iter().filter(|family| is_wanted(family.question));
        let members = families.flat_map(|family| family.members.iter().copied());
        members.filter(|member| has_figures(member)).collect()
    };
    let plain = members(&|question| question == Question::Load);
    let all = members(&|_| true);
    let most = plain.iter().rev().max_by_key(|summary| summary.workload.connections);
    // Loads over TLS or HTTP/2 are chosen only if nothing else was measured.
    let loads = || all.iter().filter(|summary| summary.workload.task == TaskRecord::Load);
    let load = loads().find(|summary| summary.workload.protocol.is_plain()).or_else(|| loads().next());
    most.or(load).or(all.first()).copied()
}

/// Whether a server has the figure by which servers are ranked.
pub(in crate::report) fn has_figures(summary: &WorkloadSummary) -> bool {
    summary.cells.iter().any(|cell| cell.median(summary.leading().per_run).is_some())
}

/// The servers of several workloads, in the order of the first.
pub(in crate::report) fn servers<'a>(members: &[&WorkloadSummary<'a>]) -> Vec<&'a str> {
    distinct(members.iter().flat_map(|summary| &summary.cells).map(Cell::name))
}

/// Each value once, in the order of their first occurrence.
pub(in crate::report) fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

impl<'a> Source<'a> {
    /// The loads with figures among the families that ask a question.
    pub(super) fn loads(&self, question: Question) -> Vec<&'a WorkloadSummary<'a>> {
        self.measured(question, TaskRecord::Load)
    }

    /// The workloads of a task with figures among the families that ask a question.
    pub(super) fn measured(&self, question: Question, task: TaskRecord) -> Vec<&'a WorkloadSummary<'a>> {
        let families = self.families.iter().filter(|family| family.question == question);
        let members = families.flat_map(|family| family.members.iter().copied());
        members.filter(|summary| summary.workload.task == task && summary.is_measured()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::store::record::{PublishedRecord, RateRecord, Record};

    #[test]
    fn workloads_go_by_what_they_ask_together() {
        let run = |name: &str, change: &dyn Fn(&mut Record)| {
            let mut record = Record::example("one", 1);
            name.clone_into(&mut record.workload.name);
            change(&mut record);
            record
        };
        let connections = |number: u32| move |record: &mut Record| record.workload.connections = number;
        let published = PublishedRecord { baseline: String::new(), contender: String::new(), ratio: 1.0 };
        let rate = RateRecord { per_second: Some(1.0), ..RateRecord::default() };
        let records = [
            run("quick-100", &connections(100)),
            run("quick-1", &connections(1)),
            run("article-5s", &|record| record.workload.published = Some(published.clone())),
            run("connections-1", &connections(1)),
            run("connections-8", &connections(8)),
            run("modes-close", &|record| record.workload.mode = Some("close".into())),
            run("modes-keep-alive", &|_| ()),
            run("connections-64", &connections(64)),
            run("latency-peak", &|_| ()),
            run("latency-50", &|record| record.workload.rate = Some(rate.clone())),
            run("startup-load", &|_| ()),
            run("startup-first", &|record| record.workload.task = TaskRecord::Start),
            run("scaling-1", &|record| record.workload.server_cores = Some(1)),
            run("scaling-2", &|record| record.workload.server_cores = Some(2)),
            run("mine", &|_| ()),
        ];
        let summaries = summarise(&records);
        let shown: Vec<(Question, usize)> =
            families(&summaries).iter().map(|family| (family.question, family.members.len())).collect();
        let expected = [
            (Question::Load, 2),
            (Question::Published, 1),
            (Question::Connections, 3),
            (Question::Mode, 2),
            (Question::Latency, 2),
            (Question::Startup, 2),
            (Question::Cores, 2),
            (Question::Load, 1),
        ];
        assert_eq!(shown, expected);
    }
}
