//! Reads values of a manifest, and the offsets of their first bytes.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A string, and the offset of its first byte.
pub(super) fn string<'a>(value: &'a Spanned<DeValue>) -> Option<(usize, &'a str)> {
    Some((value.span().start, value.get_ref().as_str()?))
}

/// The strings of a list; `None` if it has other values.
pub(super) fn strings<'a>(value: &'a Spanned<DeValue>) -> Option<Vec<(usize, &'a str)>> {
    value.get_ref().as_array()?.iter().map(string).collect()
}

/// The tables of a list such as `[[known_failures]]`.
pub(super) fn tables<'a>(table: &'a DeTable, name: &str) -> impl Iterator<Item = &'a DeTable<'a>> {
    let list = table.get(name).and_then(|list| list.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter()).filter_map(|item| item.get_ref().as_table())
}
