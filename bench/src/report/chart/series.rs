//! The look of a line: its colour, its dashes and the shape of its marks, so that lines are
//! distinguished without colour, too.

use std::f64::consts::FRAC_1_SQRT_2;

use svg::node::element::Path;

use super::canvas::{Canvas, px};
use super::palette::{Colour, PAPER, SERIES};
use crate::report::value::Attribution;

/// Half a mark's width.
pub(super) const RADIUS: f64 = 3.5;

/// Dashes and gaps in pixels; a line without is solid.
const DASHES: [&str; 5] = ["", "7 3", "2 3", "9 3 2 3", "4 2 4 5"];

const SHAPES: [Shape; 7] =
    [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down, Shape::Plus, Shape::Bow];

/// The look of a line. The first 280 differ, as 8, 7 and 5 have no common factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    /// Of the line, its marks and its name.
    pub(super) colour: Colour,
    /// The shape of its marks.
    pub(super) shape: Shape,
    /// Empty for a solid line.
    dashes: &'static str,
}

/// The shape of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A disc.
    Circle,
    /// A square on its side.
    Square,
    /// A triangle that points up.
    Up,
    /// A square on its tip.
    Diamond,
    /// A triangle that points down.
    Down,
    /// A broad plus.
    Plus,
    /// Two triangles, tip to tip.
    Bow,
    /// Two strokes across each other, for what is invalid.
    Cross,
}

/// The place of a mark, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// From the picture's left.
    pub(super) x: f64,
    /// From its top.
    pub(super) y: f64,
    /// Whose figure it marks.
    pub(super) attribution: Attribution,
}

/// The looks of lines in their order.
pub(super) fn all() -> impl Iterator<Item = Series> {
    let looks = SERIES.into_iter().cycle().zip(DASHES.into_iter().cycle()).zip(SHAPES.into_iter().cycle());
    looks.map(|((colour, dashes), shape)| Series { colour, dashes, shape })
}

/// Marks points: the server's own filled, those that the load tool bound hollow, invalid ones as
/// crosses, those not measured here dotted.
pub(super) fn draw_marks(canvas: &mut Canvas, shape: Shape, colour: Colour, spots: &[Spot]) {
    for attribution in [Attribution::Server, Attribution::Tool, Attribution::Invalid, Attribution::Reference]
    {
        let shape = if attribution == Attribution::Invalid { Shape::Cross } else { shape };
        let outlines = spots
            .iter()
            .filter(|spot| spot.attribution == attribution)
            .map(|spot| shape.outline(spot.x, spot.y))
            .collect::<String>();
        if outlines.is_empty() {
            continue;
        }
        let path = Path::new().set("d", outlines);
        canvas.add(match attribution {
            Attribution::Server => path.set("fill", colour.light),
            Attribution::Tool => {
                path.set("fill", PAPER.light).set("stroke", colour.light).set("stroke-width", 1.5)
            }
            Attribution::Invalid => {
                path.set("fill", "none").set("stroke", colour.light).set("stroke-width", 1.8)
            }
            Attribution::Reference => {
                path.set("fill", PAPER.light).set("stroke", colour.light).set("stroke-dasharray", "1.5 1.5")
            }
        });
    }
}

impl Series {
    /// A line with this look along a path.
    pub(super) fn line(&self, commands: String) -> Path {
        let line = Path::new()
            .set("d", commands)
            .set("fill", "none")
            .set("stroke", self.colour.light)
            .set("stroke-width", 1.8);
        if self.dashes.is_empty() { line } else { line.set("stroke-dasharray", self.dashes) }
    }
}

impl Shape {
    /// The commands of a path around a place. All shapes appear equally large.
    fn outline(self, x: f64, y: f64) -> String {
        let at = |dx: f64, dy: f64| format!("{} {}", px(x + dx), px(y + dy));
        match self {
            Self::Circle => format!("M{}a{RADIUS} {RADIUS} 0 1 0 .1 0z", at(0.0, -RADIUS)),
            Self::Square => format!("M{}h6v6h-6z", at(-3.0, -3.0)),
            Self::Up => format!("M{}h8l-4-7z", at(-4.0, 3.0)),
            Self::Down => format!("M{}h8l-4 7z", at(-4.0, -3.0)),
            Self::Diamond => format!("M{}l4.5 4.5-4.5 4.5-4.5-4.5z", at(0.0, -4.5)),
            Self::Plus => format!("M{}h3v3h3v3h-3v3h-3v-3h-3v-3h3z", at(-1.5, -4.5)),
            Self::Bow => format!("M{}l8 7v-7l-8 7z", at(-4.0, -3.5)),
            Self::Cross => {
                let half = 5.0 * FRAC_1_SQRT_2;
                format!("M{}L{}M{}L{}", at(-half, -half), at(half, half), at(-half, half), at(half, -half))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lines_look_alike() {
        let looks = all().take(280).collect::<Vec<_>>();
        for (place, look) in looks.iter().enumerate() {
            assert!(!looks[..place].contains(look), "{place}");
        }
    }
}
