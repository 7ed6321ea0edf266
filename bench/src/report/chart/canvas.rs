//! The canvas of all charts: an SVG element with a description for screen readers, and text.

use std::collections::BTreeSet;

use svg::Document;
use svg::node::element::{Description, Group, Text, Title};
use svg::node::{self, Node};

use super::palette::{INK, QUIET};
use super::{Chart, Width};

/// The size of all text.
pub(super) const TEXT: f64 = 12.0;

/// The distance from the middle of a line of text down to its baseline.
pub(super) const BASELINE: f64 = 4.0;

/// A picture that is being drawn, from the top down.
pub(super) struct Canvas {
    pub(super) width: Width,
    pub(super) height: f64,
    pub(super) body: Group,
    /// The ids of the patterns that the picture already has.
    pub(super) patterns: BTreeSet<String>,
    id: String,
}

/// The part of a picture that figures are drawn in: pixels from the picture's left and top.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Canvas {
    pub(super) fn new(chart: &str, width: Width) -> Self {
        let body = Group::new().set("fill", INK.light);
        let size = if width == Width::Wide { "wide" } else { "narrow" };
        Self { width, height: 0.0, body, patterns: BTreeSet::new(), id: format!("{chart}-{size}") }
    }

    /// Adds an element on top.
    pub(super) fn add(&mut self, node: impl Node) {
        self.body.append(node);
    }

    /// An id that is unique in a page.
    pub(super) fn id(&self, part: &str) -> String {
        format!("{}-{part}", self.id)
    }

    pub(super) fn say_empty(&mut self) {
        self.height = 48.0;
        self.add(text(0.0, 28.0, "no figures").set("fill", QUIET.light));
    }

    /// The outermost element, without the drawing.
    pub(super) fn sheet(&self, chart: &Chart) -> Document {
        let (title, description) = (self.id("title"), self.id("description"));
        let width = self.width.pixels();
        Document::new()
            .set("viewBox", format!("0 0 {width} {}", px(self.height)))
            .set("width", width)
            .set("height", px(self.height))
            .set("font-family", "system-ui, sans-serif")
            .set("font-size", TEXT)
            .set("role", "img")
            .set("aria-labelledby", format!("{title} {description}"))
            .add(Title::new(printable(&chart.title)).set("id", title))
            .add(
                Description::new().set("id", description).add(node::Text::new(printable(&chart.description))),
            )
    }
}

impl Frame {
    /// The position, in pixels, of a place from 0 to 1 on a horizontal axis.
    pub(super) fn x(&self, place: f64) -> f64 {
        self.left + place * (self.right - self.left)
    }

    /// The position, in pixels, of a place from 0 to 1 on a vertical axis.
    pub(super) fn y(&self, place: f64) -> f64 {
        self.bottom - place * (self.bottom - self.top)
    }
}

/// Rounds to a tenth of a pixel.
pub(super) fn px(place: f64) -> f64 {
    // Adding 0 turns -0 into 0.
    (place * 10.0).round() / 10.0 + 0.0
}

/// A line of text whose baseline begins at this place.
pub(super) fn text(x: f64, y: f64, content: &str) -> Text {
    Text::new(printable(content)).set("x", px(x)).set("y", px(y))
}

/// An upper estimate of the width of a line of text, since the font is not known here.
pub(super) fn text_width(content: &str) -> f64 {
    content.chars().map(advance).sum::<f64>() * TEXT
}

/// Returns as much of a text as fits into `width`, with an ellipsis if it is shortened.
pub(super) fn fit(content: &str, width: f64) -> String {
    if text_width(content) <= width {
        return content.to_owned();
    }
    let mut rest = width - text_width("…");
    let kept = content.chars().take_while(|character| {
        rest -= advance(*character) * TEXT;
        rest >= 0.0
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

/// The width of a character in a wide sans-serif font, as a share of the font's size.
fn advance(character: char) -> f64 {
    match character {
        ' ' | '!' | '\'' | '(' | ')' | ',' | '-' | '.' | '/' | ':' | ';' | 'I' | 'f' | 'i' | 'j' | 'l'
        | 'r' | 't' | '|' => 0.42,
        '%' | '@' | 'M' | 'W' | 'm' | 'w' => 1.0,
        '±' | 'µ' | '×' | '–' => 0.7,
        'A'..='Z' => 0.72,
        character if character.is_ascii() => 0.64,
        // Characters of some other scripts are as wide as the font's size.
        _ => 1.0,
    }
}

/// The text without characters that XML must not contain.
fn printable(content: &str) -> String {
    content.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_rounded() {
        assert_eq!(
            ["1", "1.3", "0", "-2.5"],
            [1.04, 1.26, -0.04, -2.5].map(|place| px(place).to_string()).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn text_is_shortened_to_what_fits() {
        for (content, width, expected) in [
            ("hyper", 100.0, "hyper"),
            ("a-server-of-many-words", 84.0, "a-server-of…"),
            ("two words", 44.0, "two…"),
            ("hyper", 0.0, "…"),
            ("", 0.0, ""),
        ] {
            assert_eq!(expected, fit(content, width), "{content} in {width}");
        }
    }
}
