//! How every table looks.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// A table with a line below its head; the first `words` columns begin at the left, and the others, which are figures, end at
/// the right.
pub(crate) fn table<'a>(head: impl IntoIterator<Item = &'a str>, words: usize) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(head);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
