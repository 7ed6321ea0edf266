//! How every table looks in a terminal, and how text is wrapped in it.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use textwrap::{Options, WordSplitter};

/// A table with a line below its head; the first `words` columns begin at the left, and the others, which are figures, end at
/// the right.
pub(crate) fn table<'a>(head: impl IntoIterator<Item = &'a str>, words: usize) -> Table {
    let head: Vec<&str> = head.into_iter().collect();
    let are_words: Vec<bool> = (0..head.len()).map(|column| column < words).collect();
    table_of(head, &are_words)
}

/// The same, with each column said to be words or figures.
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
