//! Reads TOML files, with errors that name the line of a mistake.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::visible::visible;

/// Reads a value from the file at `path`. Fails when the file cannot be read or does not have the
/// form of `T`, or a string has control characters, which commands would print. The error is one
/// line with the path, the number and text of the line, and the mistake.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let value =
        toml::from_str(&text).map_err(|error| anyhow!("{}{}", path.display(), describe(&text, &error)))?;
    let table = DeTable::parse(&text).ok();
    match table.and_then(|table| table.get_ref().values().find_map(hidden)) {
        None => Ok(value),
        Some(at) => Err(anyhow!("{}:{}: {CONTROL}", path.display(), line(&text, at))),
    }
}

/// The error message for a string that [`hidden`] finds.
pub const CONTROL: &str = "a control character in a string: a terminal would obey it";

/// The position, in bytes, of the first string that has control characters.
pub fn hidden(value: &Spanned<DeValue>) -> Option<usize> {
    match value.get_ref() {
        DeValue::String(text) => (visible(text) != text.as_ref()).then(|| value.span().start),
        DeValue::Array(values) => values.iter().find_map(hidden),
        DeValue::Table(table) => table.values().find_map(hidden),
        _ => None,
    }
}

/// The number of the line, from 1, that has the byte.
pub fn line(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or(text).matches('\n').count() + 1
}

fn describe(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', " ");
    let Some(span) = error.span() else { return format!(": {message}") };
    let number = line(text, span.start);
    match text.lines().nth(number - 1).map(str::trim) {
        Some(line) if !line.is_empty() => format!(":{number}: {message}, in `{line}`"),
        _ => format!(":{number}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(rename = "connections")]
        _connections: u32,
        #[serde(rename = "about", default)]
        _about: String,
        #[serde(rename = "titles", default)]
        _titles: Vec<String>,
    }

    #[test]
    fn a_mistake_is_one_line_with_its_place() {
        let cases = [
            ("connections = 1\nconections = 2\n", ":2: unknown field `conections`"),
            ("# a comment\nconnections = \"many\"\n", ":2: invalid type: string \"many\", expected u32"),
            ("connections = \n", ":1: "),
            ("", ":1: missing field `connections`"),
            ("connections = 1\nabout = \"a\\nb\"\ntitles = [\"\\u001b[2J\"]", ":3: a control character in"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("example.toml");
        for (text, expected) in cases {
            std::fs::write(&path, text).unwrap();
            let message = read::<Example>(&path).unwrap_err().to_string();
            assert!(message.contains(&format!("example.toml{expected}")), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
