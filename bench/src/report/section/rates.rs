//! What do servers cost at the same load, and when idle? Shows open loops at rates that are the
//! same for all servers, and silent connections.

use super::family::{self, Question};
use super::metric::{COST, IDLE, MEAN, P99};
use super::panels::Panels;
use super::{Source, best_by, fields, figures, notes, words};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::Chart;
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{Record, TaskRecord};
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    let members = source.families.iter().filter(|family| family.question == Question::Rates);
    let members: Vec<&WorkloadSummary> = members
        .flat_map(|family| family.members.iter().copied())
        .filter(|member| member.is_measured())
        .collect();
    let (idle, mut loads): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        members.into_iter().partition(|member| member.workload.task == TaskRecord::Idle);
    if loads.is_empty() {
        return None;
    }
    loads.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
    let section = Section::new(
        "rates",
        "What does it cost at the same load, and when idle?",
        "Requests are due at the same rate for all servers. A server that waits longer before it answers has more requests \
         to answer at once, and so needs less CPU time for each: cost, switches between threads and latency belong \
         together, and are side by side. Where a rate was not held, no figure says anything.",
    );
    let tables = idle.iter().map(|summary| idle_table(source, summary));
    section.with(charts(&loads), tables.chain(loads.iter().map(|summary| table(source, summary))))
}

/// Which server is the cheapest at each rate, and what silent connections cost.
pub(super) fn sentences(members: &[&WorkloadSummary]) -> Vec<String> {
    let (idle, loads): (Vec<&WorkloadSummary>, Vec<&WorkloadSummary>) =
        members.iter().partition(|member| member.workload.task == TaskRecord::Idle);
    let best = best_by(&loads, |summary| format!("at {}/s", numbers::whole(rate(summary))));
    let of_idle = |summary: &&WorkloadSummary| {
        let costs: Vec<(&str, String)> = summary
            .ranked()
            .filter_map(|(cell, _)| Some((cell.name(), numbers::duration(cell.median(IDLE.source.per_run)?))))
            .collect();
        let connections = words::connections(summary.workload.connections);
        (!costs.is_empty())
            .then(|| format!("CPU time per second of {connections}, silent: {}.", figures(&costs)))
    };
    let best = (!best.is_empty()).then(|| format!("Cheapest at equal rates: {best}."));
    best.into_iter().chain(idle.iter().filter_map(of_idle)).collect()
}

/// Charts of the cost by the rate, with a line per server.
fn charts(loads: &[&WorkloadSummary]) -> Vec<Chart> {
    let line = |server: &str| COST.line(server, loads.iter().map(|summary| (rate(summary), *summary)));
    let panels = Panels::by_rate("rates-cost", "CPU time per request by rate", "CPU/request");
    panels.charts(family::servers(loads).into_iter().map(line).collect())
}

fn table(source: &Source, summary: &WorkloadSummary) -> Table {
    let fields = [
        Some(fields::server()),
        Some(fields::rank(summary)),
        source.rank_of_kept(summary),
        Some(COST.field().with_intervals().essential()),
        source.to_baseline(COST, summary),
        Some(switches("Switches/1,000", 1000.0)),
        Some(MEAN.field().essential()),
        Some(P99.field().with_intervals().essential()),
        Some(fields::verdict()),
    ];
    let mut table = source.table(summary, ["", "Cost and latency"], fields, summary.with_floor());
    table.notes.extend(notes::cells(summary));
    table
}

fn idle_table(source: &Source, summary: &WorkloadSummary) -> Table {
    let fields = [
        Some(fields::server()),
        Some(fields::rank(summary)),
        source.rank_of_kept(summary),
        Some(IDLE.field().with_intervals().essential()),
        Some(switches("Switches/s", 1.0)),
        source.to_baseline(IDLE, summary),
    ];
    source.table(summary, ["", "Idle"], fields, summary.with_floor())
}

/// The column of thread switches per `times` requests; of idle workloads, per `times` seconds.
fn switches<'a>(header: &str, times: f64) -> Field<'a, Cell<'a>> {
    let per_run = move |run: &Record| run.switches().map(|switches| switches * times);
    fields::median(header, Quantity::Count, per_run).essential()
}

fn rate(summary: &WorkloadSummary) -> f64 {
    summary.workload.rate.as_ref().and_then(|rate| rate.per_second).unwrap_or_default()
}
