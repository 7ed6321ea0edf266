//! What is counted only where the arguments ask for it.

use std::collections::BTreeMap;
use std::time::Instant;

use super::output::{Kind, Times};
use super::plan::Plan;

/// The counts of each kind of request, the plain one first.
pub(super) struct Details {
    kinds: Vec<KindTally>,
}

struct KindTally {
    /// The expected status.
    status: u16,
    sent: u64,
    statuses: BTreeMap<u16, u64>,
    latency: Times,
}

impl Details {
    /// `None` where there is only what is always counted.
    pub(super) fn new(plan: &Plan) -> Option<Box<Self>> {
        let kind = |(_, _, status)| KindTally {
            status,
            sent: 0,
            statuses: BTreeMap::new(),
            latency: Times::default(),
        };
        plan.mix.as_ref().map(|mix| Box::new(Self { kinds: mix.all().map(kind).collect() }))
    }

    pub(super) fn sent(&mut self, kind: usize) {
        if let Some(kind) = self.kinds.get_mut(kind) {
            kind.sent += 1;
        }
    }

    pub(super) fn answered(&mut self, kind: usize, status: u16, start: Instant, now: Instant) {
        if let Some(kind) = self.kinds.get_mut(kind) {
            *kind.statuses.entry(status).or_default() += 1;
            kind.latency.record(now.saturating_duration_since(start));
        }
    }

    /// Adds the counts of another thread or slice of the same plan.
    pub(super) fn add(&mut self, other: Self) -> anyhow::Result<()> {
        for (kind, other) in self.kinds.iter_mut().zip(other.kinds) {
            kind.sent += other.sent;
            kind.latency.add(&other.latency)?;
            for (status, count) in other.statuses {
                *kind.statuses.entry(status).or_default() += count;
            }
        }
        Ok(())
    }

    /// Answers of the status that is expected of their kind; `None` where there are no kinds.
    pub(super) fn expected(&self) -> Option<u64> {
        (!self.kinds.is_empty()).then(|| self.kinds.iter().map(KindTally::expected).sum())
    }

    /// As printed; `None` where there are no kinds.
    pub(super) fn kinds(&self, plan: &Plan) -> Option<Vec<Kind>> {
        let mix = plan.mix.as_ref()?;
        let kind = |((name, share, status), kind): ((&str, f64, u16), &KindTally)| Kind {
            name: name.to_owned(),
            share,
            status,
            sent: kind.sent,
            expected: kind.expected(),
            statuses: kind.statuses.clone(),
            latency: kind.latency.report(),
        };
        Some(mix.all().zip(&self.kinds).map(kind).collect())
    }
}

impl KindTally {
    fn expected(&self) -> u64 {
        self.statuses.get(&self.status).copied().unwrap_or_default()
    }
}
