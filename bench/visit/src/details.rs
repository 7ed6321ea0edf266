//! Counts that are kept only with `--mix` or `--series`. Without them, the cost is one branch when
//! requests are sent and one when bytes arrive. This is why the counting functions are cold.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use visit_output::{Interval, Kind, Times};

use super::mix::Mix;
use super::plan::Plan;
use super::requests::Requests;
use super::series::Series;

pub(super) struct Details {
    /// The counts of each kind of request, the plain one first; empty without a mix.
    kinds: Vec<KindTally>,
    series: Option<Series>,
}

struct KindTally {
    /// The expected status.
    status: u16,
    sent: u64,
    statuses: BTreeMap<u16, u64>,
    latency: Times,
}

impl Details {
    /// Returns `None` without `--mix` and `--series`.
    pub(super) fn new(plan: &Plan) -> Option<Box<Self>> {
        let kind = |(_, _, status)| KindTally {
            status,
            sent: 0,
            statuses: BTreeMap::new(),
            latency: Times::default(),
        };
        let kinds: Vec<KindTally> = plan.mix.iter().flat_map(Mix::all).map(kind).collect();
        let series = plan.series.map(Series::new);
        (!kinds.is_empty() || series.is_some()).then(|| Box::new(Self { kinds, series }))
    }

    /// Sets the start of the measured time.
    pub(super) fn begin(&mut self, start: Instant) {
        if let Some(series) = &mut self.series {
            series.begin(start);
        }
    }

    /// Ends the series, once all answers are counted.
    pub(super) fn finish(&mut self) {
        if let Some(series) = &mut self.series {
            series.finish();
        }
    }

    /// Counts a request with this number as sent.
    #[cold]
    pub(super) fn sent(&mut self, requests: &Requests, number: usize) {
        if let Some(kind) = self.kinds.get_mut(requests.target(number).kind) {
            kind.sent += 1;
        }
    }

    /// Counts the answer to the request with this number.
    #[cold]
    pub(super) fn answered(
        &mut self,
        request: (&Requests, usize),
        status: u16,
        start: Instant,
        now: Instant,
    ) {
        let (requests, number) = request;
        let latency = now.saturating_duration_since(start);
        if let Some(kind) = self.kinds.get_mut(requests.target(number).kind) {
            *kind.statuses.entry(status).or_default() += 1;
            kind.latency.record(latency);
        }
        if let Some(series) = &mut self.series {
            series.answered(status, latency, now);
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
        if let (Some(series), Some(other)) = (&mut self.series, other.series) {
            series.add(other);
        }
        Ok(())
    }

    /// The intervals for the report; `None` without a series.
    pub(super) fn series(&self, elapsed: Duration) -> anyhow::Result<Option<Vec<Interval>>> {
        self.series.as_ref().map(|series| series.intervals(elapsed)).transpose()
    }

    /// The number of answers with the expected status of their kind; `None` without a mix.
    pub(super) fn expected(&self) -> Option<u64> {
        (!self.kinds.is_empty()).then(|| self.kinds.iter().map(KindTally::expected).sum())
    }

    /// The kinds for the report; `None` without a mix.
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
