//! What several sections' tables and charts are made of.

use crate::analysis::statistics::Rank;
use crate::analysis::summary::{Cell, Figure as FigureOf, WorkloadSummary};
use crate::report::chart::{Axis, Bar, Bars, Chart, Line, Lines, Plot};
use crate::report::document::{Column, Priority, Table};
use crate::report::value::Attribution;
use crate::report::value::{Figure, Quantity, Value};
use crate::store::record::{Bound, Record, ServerRecord, TaskRecord};
use crate::text::numbers;
use crate::text::numbers::as_f64;

/// What a figure of a run is, and how it is called.
#[derive(Clone, Copy)]
pub(in crate::report) struct Metric {
    pub(in crate::report) header: &'static str,
    pub(in crate::report) quantity: Quantity,
    pub(super) of: FigureOf,
    /// Whether it depends on who set the pace, as throughput does, and CPU time a request does not.
    pub(super) is_of_pace: bool,
}

pub(super) const COST: Metric = Metric {
    header: "CPU/request",
    quantity: Quantity::Time,
    of: Record::cpu_per_request,
    is_of_pace: false,
};
pub(super) const PER_SECOND: Metric =
    Metric { header: "Requests", quantity: Quantity::Rate, of: Record::per_second, is_of_pace: true };
pub(super) const FIRST_ANSWER: Metric = Metric {
    header: "First answer",
    quantity: Quantity::Time,
    of: |run| Some(run.start?.first_answer_seconds),
    is_of_pace: false,
};
pub(super) const MEMORY_PER_CONNECTION: Metric = Metric {
    header: "Memory/connection",
    quantity: Quantity::Memory,
    of: Record::memory_per_connection,
    is_of_pace: false,
};
pub(super) const AT_REST: Metric = Metric {
    header: "At rest",
    quantity: Quantity::Memory,
    of: |run| Some(as_f64(run.memory?.at_rest_bytes?)),
    is_of_pace: false,
};
pub(super) const AFTER: Metric = Metric {
    header: "After",
    quantity: Quantity::Memory,
    of: |run| Some(as_f64(run.memory?.after_bytes?)),
    is_of_pace: false,
};

/// The figure by which a workload's servers are ranked.
pub(in crate::report) fn leading_metric(summary: &WorkloadSummary) -> Metric {
    match summary.workload.task {
        TaskRecord::Load => COST,
        TaskRecord::Start => FIRST_ANSWER,
        TaskRecord::Hold => MEMORY_PER_CONNECTION,
    }
}

impl Metric {
    /// Its column.
    pub(super) fn column(&self) -> Column {
        Column::new(self.header, self.quantity)
    }

    /// Its median and interval in a cell.
    pub(in crate::report) fn figure(&self, cell: &Cell) -> Option<Figure> {
        cell.estimate(self.of).map(Figure::from)
    }

    /// The same as a table's value, which says whose fact it is.
    pub(in crate::report) fn value(&self, cell: &Cell) -> Value {
        Value::attributed(self.figure(cell), self.attribution(cell))
    }

    /// Whose fact it is in a cell.
    pub(in crate::report) fn attribution(&self, cell: &Cell) -> Attribution {
        self.attribution_of(cell.bound())
    }

    /// Whose fact it is in one run.
    pub(super) fn attribution_of_run(&self, run: &Record) -> Attribution {
        self.attribution_of(run.verdict.as_ref().map(|verdict| verdict.bound))
    }

    fn attribution_of(&self, bound: Option<Bound>) -> Attribution {
        match bound {
            Some(Bound::Invalid | Bound::Disturbed) => Attribution::Invalid,
            Some(Bound::ClientBound) if self.is_of_pace => Attribution::Tool,
            _ => Attribution::Server,
        }
    }

    /// Its bars, a bar a server in the workload's own order.
    pub(super) fn bars(&self, summary: &WorkloadSummary) -> Bars {
        Bars {
            label: self.header.into(),
            quantity: self.quantity,
            bars: summary.cells.iter().map(|cell| self.bar(cell)).collect(),
            noise: None,
        }
    }

    /// The bar of the floor, where it was run, to stand below the servers' bars.
    pub(super) fn floor_bar(&self, summary: &WorkloadSummary) -> Option<Bar> {
        let bar = self.bar(summary.floor.as_ref()?);
        let attribution =
            if bar.attribution == Attribution::Server { Attribution::Reference } else { bar.attribution };
        Some(Bar { attribution, ..bar })
    }

    fn bar(&self, cell: &Cell) -> Bar {
        let bound = cell.bound();
        let attribution = self.attribution(cell);
        Bar {
            label: label(cell.server),
            figure: self.figure(cell),
            attribution,
            note: bound
                .filter(|_| attribution != Attribution::Server)
                .map_or_else(String::new, |bound| bound.to_string()),
        }
    }

    /// A table of servers by workloads: a column a workload, with its heads.
    pub(super) fn matrix(
        &self,
        name: &str,
        title: &str,
        members: &[&WorkloadSummary],
        head: impl Fn(&WorkloadSummary) -> String,
    ) -> Table {
        let columns = members.iter().map(|summary| {
            Column { header: head(summary), ..self.column().with_intervals() }.with_priority(Priority::High)
        });
        let mut table = Table::new(name, title, std::iter::once(server()).chain(columns));
        table.has_one_unit = true;
        for server in distinct(members.iter().flat_map(|summary| summary.with_floor())) {
            let value = |summary: &&WorkloadSummary| {
                let cell = summary.with_floor().find(|cell| cell.server.name == server.name);
                cell.map_or(Value::Absent, |cell| self.value(cell))
            };
            table.rows.push(std::iter::once(label(server).into()).chain(members.iter().map(value)).collect());
        }
        table.notes.extend(legend(&table));
        table
    }
}

/// A bar chart of a workload: what its bars are called is said in the chart's title.
pub(super) fn bars_chart(id: String, title: String, bars: Bars) -> Chart {
    let unit = bars.quantity.unit(bars.bars.iter().filter_map(|bar| Some(bar.figure?.value)));
    let shown = |bar: &Bar| {
        let figure = bar.figure.map_or_else(
            || "no figure".into(),
            |figure| format!("{} {}", bars.quantity.number(figure.value, unit), unit.symbol),
        );
        let note = if bar.note.is_empty() { String::new() } else { format!(" ({})", bar.note) };
        format!("{} {}{note}", bar.label, figure.trim_end())
    };
    let description = bars.bars.iter().map(shown).collect::<Vec<_>>().join(", ");
    Chart { id, description: format!("{title}: {description}."), title, plot: Plot::Bars(bars) }
}

/// The noise floor, where there are enough repetitions to tell it.
pub(in crate::report) fn noise(summary: &WorkloadSummary) -> Option<f64> {
    let (_, ratio) = summary.control(summary.leading())?;
    summary.noise().filter(|_| ratio.is_enough())
}

/// The column that names rows.
pub(in crate::report) fn server() -> Column {
    Column::new("Server", Quantity::Text).with_priority(Priority::High)
}

/// A chart's lines by name, so that a server looks alike in all of them.
pub(in crate::report) fn lines(x: Axis, y: Axis, lines: impl IntoIterator<Item = Line>) -> Plot {
    let mut lines: Vec<Line> = lines.into_iter().collect();
    lines.sort_by(|a, b| a.label.cmp(&b.label));
    Plot::Lines(Lines { x, y, lines })
}

/// The servers of several workloads, in the order of the first.
pub(in crate::report) fn servers<'a>(members: &[&WorkloadSummary<'a>]) -> Vec<&'a str> {
    let servers = distinct(members.iter().flat_map(|summary| &summary.cells));
    servers.into_iter().map(|server| server.name.as_str()).collect()
}

/// Whose cells these are, each once.
fn distinct<'s, 'a: 's>(cells: impl Iterator<Item = &'s Cell<'a>>) -> Vec<&'a ServerRecord> {
    let mut servers: Vec<&ServerRecord> = Vec::new();
    for cell in cells {
        if !servers.iter().any(|known| known.name == cell.server.name) {
            servers.push(cell.server);
        }
    }
    servers
}

/// What a server's row is called. A floor is never taken for a server.
pub(super) fn label(server: &ServerRecord) -> String {
    if server.is_floor { format!("{} (not a server)", server.name) } else { server.name.clone() }
}

/// The cells of a workload with their ranks, the best first.
pub(super) fn ranked<'s, 'a>(
    summary: &'s WorkloadSummary<'a>,
) -> impl Iterator<Item = (&'s Cell<'a>, Option<Rank>)> {
    let ranks = summary.ranks().iter().copied().map(Some).chain(std::iter::repeat(None));
    summary.cells.iter().zip(ranks)
}

/// What the signs behind a table's figures mean, where there are any.
pub(super) fn legend(table: &Table) -> Option<String> {
    let has = |wanted: Attribution| {
        let values = table.rows.iter().flatten();
        values
            .into_iter()
            .any(|value| matches!(value, Value::Attributed { attribution, .. } if *attribution == wanted))
    };
    let meanings = [
        (
            Attribution::Tool,
            "the load tool used its cores up, so that the figure is the tool's and not the server's",
        ),
        (Attribution::Invalid, "invalid or disturbed, so that the figure says nothing of the server"),
        (Attribution::Reference, "not measured here"),
    ];
    let said: Vec<String> = meanings
        .iter()
        .filter(|(attribution, _)| has(*attribution))
        .map(|(attribution, meaning)| format!("{} {meaning}", attribution.sign()))
        .collect();
    (!said.is_empty()).then(|| said.join("; ") + ".")
}

/// A workload's title with how it was asked: `100 connections (quick-100, keep-alive, by visit)`.
pub(super) fn title(summary: &WorkloadSummary) -> String {
    let workload = summary.workload;
    let how =
        workload.mode.as_ref().map_or_else(String::new, |mode| format!(", {mode}, by {}", summary.tool.name));
    format!("{} ({}{how})", workload.title, workload.name)
}

/// `1 connection`, `8,192 connections`.
pub(in crate::report) fn connections(number: u32) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} connection{plural}", numbers::whole(f64::from(number)))
}

/// `a`, `a and b`, `a, b and c`.
pub(in crate::report) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
