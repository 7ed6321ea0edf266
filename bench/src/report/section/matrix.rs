//! A table of servers by workloads: one column per workload, all of one figure.

use super::metric::Metric;
use super::{notes, words};
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::report::document::Table;
use crate::report::field::Field;
use crate::report::value::{Quantity, Value};
use crate::store::record::ServerRecord;

/// The figure that a table or a chart of several workloads shows of each cell.
pub(super) struct Shown<'a> {
    /// The id of the table and of the chart.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// The label of the axis.
    pub(super) label: &'static str,
    pub(super) quantity: Quantity,
    pub(super) value: Box<dyn Fn(&Cell) -> Value + 'a>,
}

impl Shown<'_> {
    /// The table, in which `header` returns the header of a workload's column.
    pub(super) fn matrix(
        &self,
        members: &[&WorkloadSummary],
        header: impl Fn(&WorkloadSummary) -> String,
    ) -> Table {
        let server = Field::text("Server", |server: &&ServerRecord| words::label(server)).essential();
        let workload = |summary: &&WorkloadSummary| {
            let cells: Vec<(String, Value)> =
                summary.with_floor().map(|cell| (cell.server.name.clone(), (self.value)(cell))).collect();
            let value = move |server: &&ServerRecord| {
                let cell = cells.iter().find(|(name, _)| *name == server.name);
                cell.map(|(_, value)| value.clone())
            };
            Field::new(header(summary), self.quantity, value).with_intervals().essential()
        };
        let fields = std::iter::once(server).chain(members.iter().map(workload));
        let cells = members.iter().flat_map(|summary| summary.with_floor());
        let rows = grouped(cells.map(|cell| (&cell.server.name, cell.server)));
        let rows: Vec<&ServerRecord> = rows.into_iter().map(|(_, servers)| servers[0]).collect();
        let mut table = Table::from_fields(self.id, self.title, fields, &rows);
        table.has_one_unit = true;
        table.notes.extend(notes::signs(&table));
        table
    }
}

impl Metric {
    pub(super) fn shown(self, id: &'static str, title: &'static str) -> Shown<'static> {
        Shown {
            id,
            title,
            label: self.header,
            quantity: self.quantity,
            value: Box::new(move |cell| self.value(cell)),
        }
    }
}
