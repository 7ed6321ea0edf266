//! A table of servers by workloads: one column per workload, all of one metric.

use super::metric::Metric;
use super::{notes, words};
use crate::analysis::summary::{WorkloadSummary, grouped};
use crate::report::document::Table;
use crate::report::field::Field;
use crate::report::value::Value;
use crate::store::record::ServerRecord;

impl Metric {
    /// The table, with the header that each workload's column has.
    pub(super) fn matrix(
        self,
        name: &str,
        title: &str,
        members: &[&WorkloadSummary],
        header: impl Fn(&WorkloadSummary) -> String,
    ) -> Table {
        let server = Field::text("Server", |server: &&ServerRecord| words::label(server)).essential();
        let workload = |summary: &&WorkloadSummary| {
            let cells: Vec<(String, Value)> =
                summary.with_floor().map(|cell| (cell.server.name.clone(), self.value(cell))).collect();
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
        let mut table = Table::from_fields(name, title, fields, &rows);
        table.has_one_unit = true;
        table.notes.extend(notes::signs(&table));
        table
    }
}
