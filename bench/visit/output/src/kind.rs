//! The kinds of requests of a mix, and their counts.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::TimesReport;

/// One kind of request in a mix.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The name of the kind; `plain` for the requests that are of no other kind.
    pub name: String,
    /// The part of all requests that are of this kind, from 0 to 1.
    pub share: f64,
    /// The expected status.
    pub status: u16,
    /// Requests of this kind that were sent. Those without an answer are in the errors of the run.
    pub sent: u64,
    /// Whole answers of the expected status.
    pub expected: u64,
    /// Whole answers by status, including the expected status.
    pub statuses: BTreeMap<u16, u64>,
    /// The time to a whole answer of any status; `null` without one.
    pub latency: Option<TimesReport>,
}

impl Kind {
    /// Adds up the counts of one kind in all shares of a load. All shares have the same kinds.
    pub(super) fn merge(shares: &[&Self]) -> anyhow::Result<Self> {
        let first = shares.first().context("there is no share to merge")?;
        let mut statuses = BTreeMap::new();
        for (status, count) in shares.iter().flat_map(|share| &share.statuses) {
            *statuses.entry(*status).or_default() += count;
        }
        let latency = TimesReport::merge(shares.iter().filter_map(|share| share.latency.as_ref()));
        Ok(Self {
            name: first.name.clone(),
            share: first.share,
            status: first.status,
            sent: shares.iter().map(|share| share.sent).sum(),
            expected: shares.iter().map(|share| share.expected).sum(),
            statuses,
            latency: latency.with_context(|| format!("cannot add up the latency of kind {}", first.name))?,
        })
    }
}
