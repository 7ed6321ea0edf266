//! Which workloads are shown together: those whose names begin alike, up to the first hyphen, as those of a suite do.

use std::collections::BTreeSet;

use crate::analysis::summary::WorkloadSummary;
use crate::store::record::TaskRecord;

/// Numbers of connections from which on a family shows how servers scale with them.
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
    /// How fast and how cheap, each workload for itself.
    Load,
    /// How it compares with what somebody published.
    Published,
    /// Latency in an open loop; with the closed loops that found the peaks.
    Latency,
    /// How it scales with connections.
    Connections,
    /// What becomes of a connection.
    Mode,
    /// Starts, held connections, and the loads between them.
    Startup,
}

pub(super) fn families<'a>(summaries: &'a [WorkloadSummary<'a>]) -> Vec<Family<'a>> {
    let mut families: Vec<(&str, Vec<&WorkloadSummary>)> = Vec::new();
    for summary in summaries.iter().filter(|summary| !summary.is_check) {
        let name = summary.workload.name.split('-').next().unwrap_or_default();
        match families.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(summary),
            None => families.push((name, vec![summary])),
        }
    }
    let family = |(_, members): (_, Vec<_>)| Family { question: question(&members), members };
    families.into_iter().map(family).collect()
}

fn question(members: &[&WorkloadSummary]) -> Question {
    let workloads = || members.iter().map(|summary| summary.workload);
    let modes: BTreeSet<&str> = workloads().filter_map(|workload| workload.mode.as_deref()).collect();
    let connections: BTreeSet<u32> = workloads().map(|workload| workload.connections).collect();
    if workloads().any(|workload| workload.published.is_some()) {
        Question::Published
    } else if workloads().any(|workload| workload.rate.is_some()) {
        Question::Latency
    } else if workloads().any(|workload| workload.task != TaskRecord::Load) {
        Question::Startup
    } else if modes.len() > 1 {
        Question::Mode
    } else if connections.len() >= A_SCALE {
        Question::Connections
    } else {
        Question::Load
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
        let rate = RateRecord { per_second: Some(1.0), share: None, peak: None };
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
            (Question::Load, 1),
        ];
        assert_eq!(shown, expected);
    }
}
