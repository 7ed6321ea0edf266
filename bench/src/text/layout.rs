//! The look of tables on a terminal, and the wrapping of prose.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use textwrap::{Options, WordSplitter};

/// The smallest width, in columns, that text is laid out for. A smaller width is a wrong setting,
/// not a terminal that can be read.
pub const NARROWEST: usize = 20;

/// A table with a line below its header. Columns of text are aligned left, columns of figures right.
pub(crate) fn table<'a>(header: impl IntoIterator<Item = &'a str>, are_texts: &[bool]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(header);
    for (column, is_text) in table.column_iter_mut().zip(are_texts) {
        let side = if *is_text { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(side);
    }
    table
}

/// How prose is wrapped to a number of columns: names with a hyphen stay whole.
pub(crate) fn prose<'a>(width: usize) -> Options<'a> {
    Options::new(width).word_splitter(WordSplitter::NoHyphenation)
}
