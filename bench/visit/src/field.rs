//! The value of `--header`: a field that every request has.

use std::fmt;
use std::str::FromStr;

/// Fields that `visit` sets itself, or that would change where a request ends.
const RESERVED: [&str; 4] = ["Host", "Connection", "Content-Length", "Transfer-Encoding"];

/// A field of a request, which is written `Name: value` (RFC 9110, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: String,
    value: String,
}

impl Field {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or("it has to be `Name: value`")?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("\"{}\" is not the name of a field", name.escape_debug()));
        }
        if let Some(reserved) = RESERVED.iter().find(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Err(format!("{reserved} cannot be set: visit needs it to frame requests"));
        }
        let value = value.trim_matches([' ', '\t']);
        if value.chars().any(|char| char.is_control() && char != '\t') {
            return Err(format!("the value \"{}\" has a control character", value.escape_debug()));
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.name, self.value)
    }
}

/// Whether a token may have this byte (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_token_and_a_value() {
        let right = [
            ("Accept: */*", "Accept: */*"),
            ("x-a:b", "x-a: b"),
            ("A:", "A: "),
            ("Cookie: \t a=b; c=d:e \t", "Cookie: a=b; c=d:e"),
            ("A: b\tc", "A: b\tc"),
            ("A: ä", "A: ä"),
            ("Hosts: a", "Hosts: a"),
        ];
        for (text, expected) in right {
            assert_eq!(text.parse::<Field>().unwrap().to_string(), expected, "{text:?}");
        }
        let wrong = [
            ("", "it has to be `Name: value`"),
            ("Accept", "it has to be `Name: value`"),
            (": a", "\"\" is not the name of a field"),
            ("A : b", "\"A \" is not the name of a field"),
            ("A\r\nB: c", "\"A\\r\\nB\" is not the name"),
            ("Ä: b", "is not the name of a field"),
            ("A: b\r\nC: d", "the value \"b\\r\\nC: d\" has a control character"),
            ("A: b\nC: d", "has a control character"),
            ("A: \u{1b}[2J", "the value \"\\u{1b}[2J\" has a control character"),
            ("A: \u{7f}", "has a control character"),
            ("host: a", "Host cannot be set"),
            ("CONNECTION: close", "Connection cannot be set"),
            ("Content-Length: 5", "Content-Length cannot be set"),
            ("transfer-encoding: chunked", "Transfer-Encoding cannot be set"),
        ];
        for (text, expected) in wrong {
            let reason = text.parse::<Field>().unwrap_err();
            assert!(reason.contains(expected), "{text:?}: {reason}");
        }
    }
}
