//! Charts: what they show, as data. `bars.rs`, `stack.rs`, `lines.rs` and `dots.rs` draw them as SVG.

mod axis;
mod bars;
mod canvas;
mod dots;
mod legend;
mod lines;
mod palette;
mod rows;
mod ruler;
mod series;
mod stack;
#[cfg(test)]
mod tests;

pub(super) use lines::NAMED_AT_ENDS;
pub use palette::{Colour, PALETTE, dark_rules};
pub(super) use rows::longest;

use serde::Serialize;
use svg::node::element::{Rectangle, Style};

use super::value::{Attribution, Figure, Quantity};
use canvas::Canvas;

/// How wide a chart is drawn. A page has both and shows the one that fits, so that text keeps its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 880 px.
    Wide,
    /// 350 px, for phones.
    Narrow,
}

/// A chart, as data.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    /// Its own name among the report's charts, of letters, digits and hyphens.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The same in a sentence or two for who cannot see it, with its most important figures.
    pub description: String,
    /// How it is drawn, and of what.
    pub plot: Plot,
}

/// The kinds of charts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plot {
    /// A horizontal bar a server.
    Bars(Bars),
    /// A horizontal bar a server, in pieces that add up.
    Stack(Stack),
    /// A line a server.
    Lines(Lines),
    /// A row of dots a server.
    Dots(Dots),
}

/// Horizontal bars that begin at 0, the first on top.
#[derive(Clone, Debug, Serialize)]
pub struct Bars {
    /// What their length is, without the unit.
    pub label: String,
    /// Of which quantity it is.
    pub quantity: Quantity,
    /// The bars.
    pub bars: Vec<Bar>,
    /// The noise floor, as a share: what is less than so much above the first bar cannot be told from it.
    pub noise: Option<f64>,
}

/// One bar.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// Whose it is.
    pub label: String,
    /// How long it is; a server without a figure has an empty row.
    pub figure: Option<Figure>,
    /// Whose fact it is.
    pub attribution: Attribution,
    /// What is said behind its figure, such as `client-bound`; may be empty.
    pub note: String,
}

/// Horizontal bars in pieces that should add up to a figure, the first on top. A stroke across each bar marks the figure, so that
/// pieces which come to more reach beyond it.
#[derive(Clone, Debug, Serialize)]
pub struct Stack {
    /// What their length is, without the unit.
    pub label: String,
    /// Of which quantity it is.
    pub quantity: Quantity,
    /// What the pieces are, from 0 on.
    pub parts: Vec<Part>,
    /// The bars.
    pub bars: Vec<StackedBar>,
}

/// What a piece of each bar is.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Its name.
    pub label: String,
    /// Whether it is what the others leave, of which nothing is known: dashed outline.
    pub is_rest: bool,
}

/// A bar in pieces.
#[derive(Clone, Debug, Serialize)]
pub struct StackedBar {
    /// Whose it is.
    pub label: String,
    /// What the pieces should add up to, as it was measured.
    pub whole: Figure,
    /// A length a part. What is not known, and what is less than nothing, is not drawn.
    pub pieces: Vec<Option<f64>>,
    /// What is said behind the figure; may be empty.
    pub note: String,
}

/// Lines of points.
#[derive(Clone, Debug, Serialize)]
pub struct Lines {
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The lines, the most important first.
    pub lines: Vec<Line>,
}

/// An axis.
#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    /// What it is, without the unit.
    pub label: String,
    /// Of which quantity.
    pub quantity: Quantity,
    /// How figures are spread on it.
    pub scale: Scale,
}

/// How figures are spread on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Evenly, from 0.
    Linear,
    /// By their logarithm.
    Log,
    /// Shares of all answers, spread by the logarithm of the rest: 0.9, 0.99 and 0.999 lie as far apart from each other.
    Percentile,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Whose it is.
    pub label: String,
    /// Its points, to the right.
    pub points: Vec<Point>,
    /// Whether the points themselves are shown, and not only the line through them.
    pub has_marks: bool,
}

/// A point of a line.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// Where it is.
    pub x: f64,
    /// How high.
    pub y: Figure,
    /// Whose fact it is.
    pub attribution: Attribution,
}

/// A row of dots a server: each is a run.
#[derive(Clone, Debug, Serialize)]
pub struct Dots {
    /// What they show, without the unit.
    pub label: String,
    /// Of which quantity it is.
    pub quantity: Quantity,
    /// The rows, the first on top.
    pub rows: Vec<DotRow>,
}

/// A row of dots.
#[derive(Clone, Debug, Serialize)]
pub struct DotRow {
    /// Whose it is.
    pub label: String,
    /// The runs.
    pub dots: Vec<Dot>,
    /// Their median, as a stroke.
    pub median: Option<f64>,
}

/// A run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Dot {
    /// Its figure.
    pub value: f64,
    /// Whose fact it is.
    pub attribution: Attribution,
}

/// A chart as one `<svg>` element for a page: in the colours of the light scheme, without a background, and without a heading,
/// which the page has. [`dark_rules`] change its colours.
pub fn svg(chart: &Chart, width: Width) -> String {
    let canvas = drawn(chart, width);
    canvas.sheet(chart).add(canvas.body).to_string()
}

/// The same as a file of its own, which has a background and follows the viewer's colour scheme.
pub fn standalone(chart: &Chart, width: Width) -> String {
    let canvas = drawn(chart, width);
    let style = format!("@media (prefers-color-scheme:dark){{{}}}", dark_rules());
    let paper = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", palette::PAPER.light);
    canvas.sheet(chart).add(Style::new(style)).add(paper).add(canvas.body).to_string()
}

fn drawn(chart: &Chart, width: Width) -> Canvas {
    let mut canvas = Canvas::new(&chart.id, width);
    match &chart.plot {
        Plot::Bars(bars) => bars::draw(bars, &mut canvas),
        Plot::Stack(stack) => stack::draw(stack, &mut canvas),
        Plot::Lines(lines) => lines::draw(lines, &mut canvas),
        Plot::Dots(dots) => dots::draw(dots, &mut canvas),
    }
    canvas
}

impl Width {
    /// The picture's natural width.
    pub fn pixels(self) -> f64 {
        match self {
            Self::Wide => 880.0,
            Self::Narrow => 350.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}
