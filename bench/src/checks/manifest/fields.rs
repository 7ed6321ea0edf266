//! Checks that a manifest has the required fields, no unknown ones, and values of the right type.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostics;
use crate::servers::server;
use crate::text::names;

pub(super) fn check(table: &DeTable, found: &mut Diagnostics) {
    check_table("server.toml", 0, table, server::schema().as_value(), found);
}

/// `place` is the table's name in messages, and `at` is the offset of its first byte.
fn check_table(place: &str, at: usize, table: &DeTable, schema: &Value, found: &mut Diagnostics) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, value) in table {
        match properties.get(name.get_ref().as_ref()) {
            Some(schema) => check_value(name.get_ref(), value, schema, found),
            None => {
                let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                let hint = names::suggest(name.get_ref(), &known);
                found.error(name.span().start, format!("{place} has no field `{}`; {hint}", name.get_ref()));
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str).filter(|name| !table.contains_key(*name)) {
        let description = properties.get(name).and_then(about).unwrap_or_default();
        found.error(at, format!("{place} lacks the field `{name}`; {description}"));
    }
}

fn check_value(name: &str, value: &Spanned<DeValue>, schema: &Value, found: &mut Diagnostics) {
    // The schema of an optional field allows its type or null, and TOML has no null.
    if let Some(of_its_kind) = schema.get("anyOf").and_then(|kinds| kinds.get(0)) {
        return check_value(name, value, of_its_kind, found);
    }
    let at = value.span().start;
    let kind = kind(schema);
    let actual = value.get_ref();
    match (kind, actual) {
        ("object", DeValue::Table(table)) => check_table(&format!("[{name}]"), at, table, schema, found),
        ("array", DeValue::Array(list)) => {
            let least = schema.get("minItems").and_then(Value::as_u64);
            if list.is_empty() && least.is_some() {
                found.error(at, format!("`{name}` is empty; {}", about(schema).unwrap_or_default()));
            }
            let Some(schema) = schema.get("items") else { return };
            for item in list.iter() {
                match item.get_ref() {
                    DeValue::Table(table) if self::kind(schema) == "object" => {
                        check_table(&format!("[[{name}]]"), item.span().start, table, schema, found);
                    }
                    _ => check_value(name, item, schema, found),
                }
            }
        }
        ("string", DeValue::String(text)) => check_text(name, at, text, schema, found),
        ("boolean", DeValue::Boolean(_))
        | ("integer", DeValue::Integer(_))
        | ("number", DeValue::Integer(_) | DeValue::Float(_)) => {}
        _ => {
            let how = match kind {
                "string" => ", in quotes",
                "array" => ", in [brackets]",
                _ => "",
            };
            let (actual, kind) = (in_words(actual.type_str()), in_words(kind));
            found.error(at, format!("`{name}` is {actual}; it has to be {kind}{how}"));
        }
    }
}

fn check_text(name: &str, at: usize, text: &str, schema: &Value, found: &mut Diagnostics) {
    let words = schema.get("oneOf").and_then(Value::as_array);
    if let Some(words) = words {
        let words: Vec<&str> =
            words.iter().filter_map(|word| word.get("const").and_then(Value::as_str)).collect();
        if !words.contains(&text) {
            found.error(at, format!("{name} is `{text}`; {}", names::suggest(text, &words)));
        }
    } else if text.trim().is_empty() {
        found.error(at, format!("`{name}` is empty; {}", about(schema).unwrap_or_default()));
    }
}

/// The type of value that a schema allows besides null.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Some(kind) => kind.as_str(),
        None => schema.get("oneOf").map(|_| "string"),
    }
    .unwrap_or_default()
}

/// The description of a field in the schema, which is its doc comment, as the end of a sentence.
fn about(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?.replace('\n', " ");
    let (first, rest) = text.trim_end_matches('.').split_at_checked(1)?;
    Some(format!("it is {}{rest}", first.to_lowercase()))
}

/// The words for a type of value, by its name in TOML or in a schema.
fn in_words(kind: &str) -> &'static str {
    match kind {
        "string" => "a string",
        "integer" => "a whole number",
        "float" | "number" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        _ => "a table",
    }
}
