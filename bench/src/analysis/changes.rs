//! Finds when figures changed and stayed changed: the change points of the leading figure of each
//! server under each workload, over the results of one machine. This module holds data;
//! `report/history.rs` writes the text.
//!
//! A history has a series per server and workload, and a test may find a change in any of them
//! where there is none. The level of a test is therefore [`LEVEL`] divided by the number of series,
//! so that the level holds for the history as a whole (Bonferroni).

mod e_divisive;

use crate::analysis::history::PastResult;
use crate::analysis::statistics::Estimate;
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::store::record::WorkloadRecord;
use e_divisive::change_points;

/// The least number of results in a series. With fewer, hardly any order of values is rare.
pub const ENOUGH: usize = 10;

/// The share of histories without a change in which a change may be found.
pub const LEVEL: f64 = 0.05;

/// The leading figure of one server under one workload, in the results that have it, by time.
#[derive(Debug)]
pub struct Series<'a> {
    /// The workload with its cells in the last of these results.
    pub summary: &'a WorkloadSummary<'a>,
    /// The server's cell there.
    pub cell: &'a Cell<'a>,
    /// The results, each with the median of the figure, which is above 0.
    pub points: Vec<(&'a PastResult, f64)>,
}

/// A figure that changed, and stayed changed.
#[derive(Debug)]
pub struct Change<'s> {
    /// The series that changed.
    pub series: &'s Series<'s>,
    /// The first result after the change.
    pub when: &'s PastResult,
    /// The median of the results from the previous change to this one.
    pub from: f64,
    /// The median of the results from this change to the next.
    pub to: f64,
    /// `to` divided by `from`.
    pub ratio: Option<Estimate>,
}

/// Returns the series of at least [`ENOUGH`] results, and the number of series with fewer. Leaves
/// out results whose definition of the workload differs from that of the last result, and cells
/// that are invalid or disturbed.
pub fn series<'a>(results: &[(&'a PastResult, &'a [WorkloadSummary<'a>])]) -> (Vec<Series<'a>>, usize) {
    let members = results.iter().flat_map(|(result, summaries)| {
        let own = summaries.iter().filter(|summary| !summary.is_check);
        own.flat_map(move |summary| {
            summary.with_floor().filter_map(move |cell| {
                let figure = cell.median(summary.leading().per_run).filter(|figure| *figure > 0.0)?;
                let key = (&summary.workload.name, &summary.tool.name, cell.name());
                cell.not_ranked().is_none().then_some((key, (*result, summary, cell, figure)))
            })
        })
    });
    let mut few = 0;
    let series = grouped(members).into_iter().filter_map(|(_, members)| {
        let (_, summary, cell, _) = *members.last()?;
        let is_same = |other: &WorkloadSummary| is_same_work(other.workload, summary.workload);
        let own = members.iter().filter(|(_, other, ..)| is_same(other));
        let points: Vec<(&PastResult, f64)> = own.map(|(result, _, _, figure)| (*result, *figure)).collect();
        let is_enough = points.len() >= ENOUGH;
        few += usize::from(!is_enough);
        is_enough.then_some(Series { summary, cell, points })
    });
    (series.collect(), few)
}

/// Returns the changes in all series of one history, by time.
pub fn changes<'s>(series: &'s [Series<'s>]) -> Vec<Change<'s>> {
    let level = LEVEL / crate::text::numbers::as_f64(series.len().max(1) as u64);
    let mut changes: Vec<Change> = series.iter().flat_map(|series| changes_in(series, level)).collect();
    changes.sort_by(|a, b| a.when.loaded.machine.started.cmp(&b.when.loaded.machine.started));
    changes
}

fn changes_in<'s>(series: &'s Series<'s>, level: f64) -> Vec<Change<'s>> {
    let values: Vec<f64> = series.points.iter().map(|(_, figure)| *figure).collect();
    let found = find(&values, level);
    let change = |place: usize| {
        let first = if place == 0 { 0 } else { found[place - 1] };
        let end = found.get(place + 1).copied().unwrap_or(values.len());
        let [before, after] = [&values[first..found[place]], &values[found[place]..end]];
        let estimate = |values: &[f64]| Estimate::from_values(values.to_vec());
        let (before, after) = (estimate(before)?, estimate(after)?);
        Some(Change {
            series,
            when: series.points[found[place]].0,
            from: before.median,
            to: after.median,
            ratio: Estimate::from_unpaired(after, before),
        })
    };
    (0..found.len()).filter_map(change).collect()
}

/// Returns the places of changes in values above 0. Logarithms make it compare ratios of values.
fn find(values: &[f64], level: f64) -> Vec<usize> {
    change_points(&values.iter().map(|value| value.ln()).collect::<Vec<_>>(), level)
}

/// Whether two workloads have the same definition. Their titles may differ.
fn is_same_work(one: &WorkloadRecord, other: &WorkloadRecord) -> bool {
    WorkloadRecord { title: other.title.clone(), ..one.clone() } == *other
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::analysis::statistics::median;
    use crate::text::numbers::as_f64;

    /// Recorded figures of servers that did not change, divided by their median: a list per cell.
    fn recorded_noise() -> Vec<Vec<f64>> {
        let lines = include_str!("../../tests/noise.txt").lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(' ').map(|value| value.parse().unwrap()).collect()).collect()
    }

    /// The medians of results without a change. Each result has as many runs as `noise`, drawn from
    /// it with replacement.
    fn without_change(noise: &[f64], results: usize, random: &mut Rng) -> Vec<f64> {
        let result = |_| {
            let mut runs: Vec<f64> = noise.iter().map(|_| noise[random.usize(..noise.len())]).collect();
            median(&mut runs).unwrap()
        };
        (0..results).map(result).collect()
    }

    /// METHODOLOGY.md, "When did figures change?", has these shares; the last one there is of 1,000
    /// histories.
    #[test]
    fn changes_are_rarely_found_in_recorded_noise() {
        let noise = recorded_noise();
        assert!(noise.len() >= 30, "{} cells", noise.len());
        let mut random = Rng::with_seed(5);
        for (servers, results, histories) in [(1, 10, 500), (1, 20, 500), (noise.len(), 20, 150)] {
            let level = LEVEL / as_f64(servers as u64);
            let mut alarms = 0_u32;
            for history in 0..histories {
                let own = (0..servers).map(|place| &noise[(history + place) % noise.len()]);
                let has_change =
                    |noise: &Vec<f64>| !find(&without_change(noise, results, &mut random), level).is_empty();
                alarms += u32::from(own.into_iter().any(has_change));
            }
            let rate = f64::from(alarms) / as_f64(histories as u64);
            assert!(rate <= LEVEL, "{servers} series of {results} results: {rate}");
        }
    }

    /// The same section has the shares, which are at least the ones below.
    #[test]
    fn a_step_of_5_percent_is_found_in_20_results() {
        let noise = recorded_noise();
        let mut random = Rng::with_seed(6);
        for (series, after, least) in
            [(1, 10, 0.9), (1, 4, 0.75), (noise.len(), 10, 0.75), (noise.len(), 4, 0.4)]
        {
            let level = LEVEL / as_f64(series as u64);
            let (mut found, mut tried) = (0_u32, 0_u32);
            for noise in noise.iter().cycle().take(200) {
                let mut values = without_change(noise, 20, &mut random);
                values[20 - after..].iter_mut().for_each(|value| *value *= 1.05);
                let places = find(&values, level);
                let is_found = places.iter().any(|place| place.abs_diff(20 - after) <= 2);
                (found, tried) = (found + u32::from(is_found), tried + 1);
            }
            let rate = f64::from(found) / f64::from(tried);
            assert!(rate >= least, "{series} series, {after} results after the step: {rate}");
        }
    }
}
