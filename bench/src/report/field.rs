//! The columns of a table whose rows are made from values of one type. A [`Field`] is a column
//! together with the function that takes its value from a row:
//!
//! ```text
//! Field::text("Server", |cell: &Cell| …)     one value per column: header, unit, priority, getter
//! Table::from_fields(name, title, fields, cells)
//! ```
//!
//! A header and its cells therefore cannot get out of step. A column that only some reports have,
//! such as the ratio to a chosen baseline, is one more value in the list.

use super::document::{Column, Priority, Table};
use super::value::{Quantity, Value};

/// A column, and how its value is taken from a row `R`.
pub(super) struct Field<'a, R> {
    column: Column,
    value: Box<dyn Fn(&R) -> Value + 'a>,
}

impl<'a, R> Field<'a, R> {
    /// A column of figures of one quantity.
    pub(super) fn new<V: Into<Value>>(
        header: impl Into<String>,
        quantity: Quantity,
        value: impl Fn(&R) -> V + 'a,
    ) -> Self {
        let value = Box::new(move |row: &R| value(row).into());
        Self { column: Column::new(header, quantity), value }
    }

    pub(super) fn text<V: Into<Value>>(header: impl Into<String>, value: impl Fn(&R) -> V + 'a) -> Self {
        Self::new(header, Quantity::Text, value)
    }

    pub(super) fn with_intervals(self) -> Self {
        Self { column: Column { has_intervals: true, ..self.column }, ..self }
    }

    pub(super) fn with_bars(self) -> Self {
        Self { column: Column { has_bars: true, ..self.column }, ..self }
    }

    /// Keeps the column however narrow the terminal is.
    pub(super) fn essential(self) -> Self {
        self.with_priority(Priority::High)
    }

    /// Leaves the column out first if there is not enough room.
    pub(super) fn optional(self) -> Self {
        self.with_priority(Priority::Low)
    }

    pub(super) fn with_priority(self, priority: Priority) -> Self {
        Self { column: Column { priority, ..self.column }, ..self }
    }
}

impl Table {
    /// A table with one column per field and one row per item.
    pub(super) fn from_fields<'r, R: 'r>(
        name: impl Into<String>,
        title: impl Into<String>,
        fields: impl IntoIterator<Item = Field<'r, R>>,
        rows: impl IntoIterator<Item = &'r R>,
    ) -> Self {
        let (columns, values): (Vec<_>, Vec<_>) =
            fields.into_iter().map(|field| (field.column, field.value)).unzip();
        let mut table = Self::new(name, title, columns);
        table.rows = rows.into_iter().map(|row| values.iter().map(|value| value(row)).collect()).collect();
        table
    }
}
