//! The look of a bar or of a piece of it, which can be distinguished without colour, too.

use svg::node::element::{Path, Pattern, Rectangle};

use super::canvas::Canvas;
use super::palette::{BAR, Colour, QUIET, SERIES};
use crate::report::value::Attribution;

/// The dashes around a bar that says nothing about the server, and around the unexplained rest.
const DASHES: &str = "5 3";

/// How a shape is drawn.
pub(super) enum Look {
    Filled(Colour),
    /// Filled with a pattern: its colour and its id.
    Hatched(Colour, String),
    /// Outlined with these dashes.
    Outlined(&'static str),
}

/// The looks of parts in their order, repeated if there are more parts: a colour, the lines of a
/// pattern as path commands in a square of six pixels, and the pattern's rotation in degrees. A
/// part without lines is filled.
const PARTS: [(Colour, &str, u16); 5] = [
    (BAR, "", 0),
    (SERIES[1], "M3 0V6", 45),
    (SERIES[2], "M3 0V6", 135),
    (SERIES[3], "M3 0V6M0 3H6", 45),
    (SERIES[6], "M0 3H6", 0),
];

impl Look {
    /// The look of a bar without pieces, which shows the attribution of its figure.
    pub(super) fn from_attribution(attribution: Attribution, canvas: &mut Canvas) -> Self {
        match attribution {
            Attribution::Server => Self::Filled(BAR),
            Attribution::Tool => Self::hatched(canvas, "hatching", (BAR, "M3 0V6", 45)),
            Attribution::Invalid => Self::Outlined(DASHES),
            Attribution::Reference => Self::Outlined("1.5 2.5"),
        }
    }

    /// The look of a part by its place; the unexplained rest is outlined.
    pub(super) fn from_part(place: usize, is_rest: bool, canvas: &mut Canvas) -> Self {
        match PARTS[place % PARTS.len()] {
            _ if is_rest => Self::Outlined(DASHES),
            (colour, "", _) => Self::Filled(colour),
            pattern => Self::hatched(canvas, &format!("part-{place}"), pattern),
        }
    }

    /// Adds the pattern to the picture, unless the picture already has it.
    fn hatched(canvas: &mut Canvas, name: &str, (colour, lines, degrees): (Colour, &str, u16)) -> Self {
        let id = canvas.id(name);
        if canvas.patterns.insert(id.clone()) {
            let lines = Path::new().set("d", lines).set("stroke", colour.light).set("stroke-width", 2);
            let pattern = Pattern::new().set("id", id.as_str()).set("width", 6).set("height", 6);
            let pattern = pattern.set("patternUnits", "userSpaceOnUse");
            canvas.add(pattern.set("patternTransform", format!("rotate({degrees})")).add(lines));
        }
        Self::Hatched(colour, id)
    }

    /// A shape with this look.
    pub(super) fn on(&self, shape: Rectangle) -> Rectangle {
        match self {
            Self::Filled(colour) => shape.set("fill", colour.light),
            Self::Hatched(colour, id) => shape.set("fill", format!("url(#{id})")).set("stroke", colour.light),
            Self::Outlined(dashes) => {
                shape.set("fill", "none").set("stroke", QUIET.light).set("stroke-dasharray", *dashes)
            }
        }
    }
}
