//! How every table looks in a terminal, and how text is wrapped in it.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use textwrap::{Options, WordSplitter};

/// A table with a line below its header. Columns of text are aligned left, columns of figures right.
pub(crate) fn table_of<'a>(head: impl IntoIterator<Item = &'a str>, are_words: &[bool]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(head);
    for (column, is_words) in table.column_iter_mut().zip(are_words) {
        let side = if *is_words { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(side);
    }
    table
}

/// How prose is wrapped to so many columns: names with a hyphen stay whole.
pub(crate) fn prose<'a>(width: usize) -> Options<'a> {
    Options::new(width).word_splitter(WordSplitter::NoHyphenation)
}
