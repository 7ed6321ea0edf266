//! The look of lines, a colour and dashes, and of marks, which show whose figures they are.

use std::f64::consts::FRAC_1_SQRT_2;

use svg::node::element::Path;

use super::canvas::{Canvas, px};
use super::palette::{Colour, PAPER, SERIES};
use crate::report::value::Attribution;

/// Half a mark's width.
pub(super) const RADIUS: f64 = 3.5;

/// The most lines that can be distinguished; a chart with more lines repeats looks.
pub(in crate::report) const MOST_LINES: usize = SERIES.len();

/// The dashes and gaps of each line, which distinguish it without colour, too.
const DASHES: [&str; MOST_LINES] =
    ["none", "7 3", "2 3", "9 3 2 3", "4 2 4 5", "12 4", "1 5", "12 3 2 3 2 3"];

/// The look of a line.
#[derive(Clone, Copy)]
pub(super) struct Series {
    pub(super) colour: Colour,
    dashes: &'static str,
}

/// The place of a mark, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) attribution: Attribution,
}

/// The looks of lines in their order.
pub(super) fn all() -> impl Iterator<Item = Series> {
    SERIES.into_iter().zip(DASHES).map(|(colour, dashes)| Series { colour, dashes }).cycle()
}

/// Draws the marks of points: filled for the server's own figures, hollow for figures that the load
/// tool or the network limited, a cross for invalid ones, and dotted for those not measured here.
pub(super) fn draw_marks(canvas: &mut Canvas, colour: Colour, spots: &[Spot]) {
    for attribution in [Attribution::Server, Attribution::Tool, Attribution::Invalid, Attribution::Reference]
    {
        let own = spots.iter().filter(|spot| spot.attribution == attribution);
        let outlines = own.map(Spot::outline).collect::<String>();
        if outlines.is_empty() {
            continue;
        }
        let path = Path::new().set("d", outlines);
        let hollow = || path.clone().set("fill", PAPER.light).set("stroke", colour.light);
        canvas.add(match attribution {
            Attribution::Server => path.set("fill", colour.light),
            Attribution::Tool => hollow().set("stroke-width", 1.5),
            Attribution::Invalid => hollow().set("stroke-width", 1.8),
            Attribution::Reference => hollow().set("stroke-dasharray", "1.5 1.5"),
        });
    }
}

impl Series {
    /// A line with this look along a path.
    pub(super) fn line(&self, commands: String) -> Path {
        Path::new()
            .set("d", commands)
            .set("fill", "none")
            .set("stroke", self.colour.light)
            .set("stroke-width", 1.8)
            .set("stroke-dasharray", self.dashes)
    }
}

impl Spot {
    /// The commands of a path around the place: a disc, or a cross of the same size.
    fn outline(&self) -> String {
        let at = |dx: f64, dy: f64| format!("{} {}", px(self.x + dx), px(self.y + dy));
        if self.attribution != Attribution::Invalid {
            return format!("M{}a{RADIUS} {RADIUS} 0 1 0 .1 0z", at(0.0, -RADIUS));
        }
        let half = 5.0 * FRAC_1_SQRT_2;
        format!("M{}L{}M{}L{}", at(-half, -half), at(half, half), at(-half, half), at(half, -half))
    }
}
