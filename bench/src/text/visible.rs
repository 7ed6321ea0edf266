//! Shows text that comes from outside. Names of processes and machines, versions, messages of
//! servers and records from other machines may contain control characters: a terminal obeys them,
//! and a page must not contain them.

use std::borrow::Cow;

/// The text with its control characters as JSON writes them, such as `\u001b`. Line feeds and tabs
/// stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_hidden(letter) {
            out += &format!("\\u{:04x}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

fn is_hidden(letter: char) -> bool {
    letter.is_control() && letter != '\n' && letter != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        let cases = [
            ("hyper 1.2 (rustc 1.95)\n\tµ – ü", "hyper 1.2 (rustc 1.95)\n\tµ – ü"),
            ("\u{1b}[31mred\u{1b}]0;title\u{7}", "\\u001b[31mred\\u001b]0;title\\u0007"),
            ("over\rwritten \u{8}\0", "over\\u000dwritten \\u0008\\u0000"),
            // Some terminals also obey control sequences that begin with this single character.
            ("\u{9b}2J\u{7f}", "\\u009b2J\\u007f"),
        ];
        for (text, expected) in cases {
            assert_eq!(visible(text), expected, "{text:?}");
        }
    }
}
