//! The tables of a breakdown: the parts as times, as shares, and compared with user-mode time.

use super::{PARTS, Part};
use crate::analysis::explain::{self, Breakdown, HAND_OFF, OPEN_FROM, ROUND_TRIP, ServerBreakdown};
use crate::report::document::Table;
use crate::report::field::Field;
use crate::report::section::metric::COST;
use crate::report::section::{notes, words};
use crate::report::value::Quantity;
use crate::store::microbench::MicrobenchRecord;
use crate::text::numbers;

/// The floor, and then the servers.
fn rows<'a>(breakdown: &Breakdown<'a>) -> Vec<ServerBreakdown<'a>> {
    [&[breakdown.floor], breakdown.servers.as_slice()].concat()
}

fn label<'r, 'a: 'r>() -> Field<'r, ServerBreakdown<'a>> {
    Field::text("Server", |row: &ServerBreakdown| words::label(row.cell.server)).essential()
}

pub(super) fn times(breakdown: &Breakdown, code: &MicrobenchRecord) -> Table {
    let whole = |row: &ServerBreakdown| COST.value(row.cell);
    let whole = Field::new(COST.header, COST.quantity, whole).essential();
    let part = |part: &'static Part| {
        Field::new(part.label, Quantity::Time, part.seconds).with_priority(part.priority)
    };
    let fields = [label(), whole].into_iter().chain(PARTS.iter().map(part));
    let rows = rows(breakdown);
    let mut table = table(breakdown, "breakdown", "A request's CPU time in parts", fields, &rows);
    table.has_one_unit = true;
    table.notes.push(format!(
        "Floor: CPU time per request of {} under the same load. It is not a server: any server has to make the \
         system calls that it makes. CPU/request is the median of the repetitions; in each server's row the \
         floor is scaled to the repetitions of that server.",
        breakdown.floor.cell.server.name
    ));
    table.notes.push(match explain::switch(code) {
        Some(time) => format!(
            "Switches: thread switches beyond the floor's, at {} each: `{HAND_OFF}` minus its write and its \
             read, which take half of `{ROUND_TRIP}`.",
            numbers::duration(time)
        ),
        None => {
            format!("The cost of switches is unknown: `{HAND_OFF}` and `{ROUND_TRIP}` were not both kept.")
        }
    });
    table.notes.push(
        "Runtime and code: all beyond floor and switches, for servers whose manifests name no benchmarks."
            .into(),
    );
    table.notes.extend(notes::signs(&table));
    table
}

/// The parts as shares of the whole, and whether they explain it.
pub(super) fn shares(breakdown: &Breakdown) -> Table {
    let part = |part: &'static Part| {
        let share = |row: &ServerBreakdown| Some(row.share((part.seconds)(row)?));
        Field::new(part.label, Quantity::Share, share).with_priority(part.priority)
    };
    let explained = |row: &ServerBreakdown| row.is_explained().map(|is| if is { "yes" } else { "no" });
    let explained = Field::text("Explained", explained).essential();
    let fields = std::iter::once(label()).chain(PARTS.iter().map(part)).chain([explained]);
    let title = "A request's CPU time in shares";
    let mut table = table(breakdown, "breakdown-shares", title, fields, &breakdown.servers);
    table.notes.push(format!(
        "Explained: the unexplained share is within ±{:.0} %. It is negative where the parts add up to more than \
         was measured.",
        OPEN_FROM * 100.0
    ));
    table
}

/// The time in user mode, which the parts in user mode should equal.
pub(super) fn user_mode(breakdown: &Breakdown) -> Table {
    let beyond = |row: &ServerBreakdown| {
        let floor = breakdown.floor.user_seconds.filter(|_| !row.cell.server.is_floor)?;
        Some(row.user_seconds? - floor)
    };
    let fields = [
        label(),
        Field::text("Switches/request", |row: &ServerBreakdown| row.switch_count.map(numbers::significant)),
        Field::new("In user mode", Quantity::Time, |row: &ServerBreakdown| row.user_seconds).essential(),
        Field::new("Beyond the floor", Quantity::Time, beyond).essential(),
        Field::new("Framework and our code", Quantity::Time, ServerBreakdown::code).essential(),
    ];
    let title = "Time in user mode and its parts";
    let mut table = table(breakdown, "breakdown-check", title, fields, &rows(breakdown));
    table.has_one_unit = true;
    table.notes.push(
        "A check of the breakdown: frameworks and our own code run in user mode, so the last two columns should \
         be nearly equal. The kernel counts user mode in hundredths of a second per run."
            .into(),
    );
    table
}

/// A table about the breakdown's workload.
fn table<'r, R: 'r>(
    breakdown: &Breakdown,
    name: &str,
    what: &str,
    fields: impl IntoIterator<Item = Field<'r, R>>,
    rows: &'r [R],
) -> Table {
    Table::from_fields(
        format!("{name}-{}", breakdown.summary.workload.name),
        format!("{what}, {}", words::title(breakdown.summary)),
        fields,
        rows,
    )
}
