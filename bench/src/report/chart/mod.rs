//! Charts as data: bars, lines, rows of dots, and hosts. Each kind has a file that draws it as SVG.
//! No chart distinguishes by colour alone. Charts are drawn in the light colours of [`PALETTE`],
//! which the CSS of [`dark_rules`] replaces in a dark colour scheme.

mod axis;
mod axis_scale;
mod bars;
mod canvas;
mod dots;
mod hosts;
mod legend;
mod lines;
mod look;
mod palette;
mod rows;
mod series;
#[cfg(test)]
mod tests;

pub use hosts::{HostBox, Hosts};
pub(super) use palette::{PALETTE, dark_rules};
pub(super) use rows::longest;
pub(super) use series::MOST_LINES;

use serde::Serialize;
use svg::node::element::{Rectangle, Style};

use super::value::{Attribution, Figure, Quantity};
use canvas::Canvas;

/// The width of a drawing. A page shows the one that fits, so that text keeps its size.
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
    /// A name that is unique among the report's charts, made of letters, digits and hyphens.
    pub id: String,
    pub(super) title: String,
    /// A sentence or two with the most important figures, for those who cannot see the chart.
    pub(super) description: String,
    /// The kind of chart, with its figures.
    pub plot: Plot,
}

/// The kinds of charts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plot {
    /// A horizontal bar per server.
    Bars(Bars),
    /// A line per server.
    Lines(Lines),
    /// A row of dots per server.
    Dots(Dots),
    /// A box per host.
    Hosts(Hosts),
}

/// Horizontal bars that begin at 0, the first one on top.
#[derive(Clone, Debug, Serialize)]
pub struct Bars {
    /// What the lengths mean, without the unit.
    pub(super) label: String,
    pub(super) quantity: Quantity,
    /// The meaning of the pieces of each bar, in order from 0; empty if bars have no pieces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
    pub(super) bars: Vec<Bar>,
    /// The noise floor as a share of the first figure: nearer figures are not distinguished from
    /// it.
    pub(super) noise: Option<f64>,
}

/// The meaning of a piece of each bar.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    pub(super) label: String,
    /// Whether this is the unexplained rest, which has a dashed outline.
    pub(super) is_rest: bool,
}

/// One bar. A stroke across a bar in pieces marks the figure to which they should add up, so that
/// pieces that add up to more extend beyond it.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    pub(super) label: String,
    /// Its length; a server without a figure has an empty row.
    pub(super) figure: Option<Figure>,
    pub(super) attribution: Attribution,
    /// The note behind its figure, such as `client-bound`; may be empty.
    pub(super) note: String,
    /// A length per part. An unknown or negative one is not drawn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) pieces: Vec<Option<f64>>,
}

/// Lines of points.
#[derive(Clone, Debug, Serialize)]
pub struct Lines {
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// The lines, the most important one first.
    pub lines: Vec<Line>,
}

/// An axis.
#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    pub(super) label: String,
    pub(super) quantity: Quantity,
    /// How figures are placed on it.
    pub(super) scale: Scale,
}

/// How figures are placed on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Linear, from 0.
    Linear,
    /// Logarithmic.
    Log,
    /// Shares, by the logarithm of the rest: 0.9, 0.99 and 0.999 are at equal distances.
    Percentile,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub(super) label: String,
    /// Its points, from left to right.
    pub(super) points: Vec<Point>,
    /// Whether the points have marks, and not only the line through them.
    pub(super) has_marks: bool,
}

/// A point of a line.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// Its place on the horizontal axis.
    pub(super) x: f64,
    pub(super) y: Figure,
    pub(super) attribution: Attribution,
}

/// Rows of dots: a row per server, a dot per run.
#[derive(Clone, Debug, Serialize)]
pub struct Dots {
    /// What the figures measure, without the unit.
    pub(super) label: String,
    pub(super) quantity: Quantity,
    /// The rows, the first one on top.
    pub(super) rows: Vec<DotRow>,
}

/// A row of dots.
#[derive(Clone, Debug, Serialize)]
pub struct DotRow {
    pub(super) label: String,
    pub(super) dots: Vec<Dot>,
    /// The median of the runs, drawn as a stroke.
    pub(super) median: Option<f64>,
}

/// The figure of one run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Dot {
    pub(super) value: f64,
    pub(super) attribution: Attribution,
}

/// A chart as an `<svg>` element for a page: in light colours, without background and heading.
pub(super) fn svg(chart: &Chart, width: Width) -> String {
    let canvas = drawn(chart, width);
    canvas.sheet(chart).add(canvas.body).to_string()
}

/// A chart as a file, which has a background and follows the viewer's colour scheme.
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
        Plot::Lines(lines) => lines::draw(lines, &mut canvas),
        Plot::Dots(dots) => dots::draw(dots, &mut canvas),
        Plot::Hosts(hosts) => hosts::draw(hosts, &mut canvas),
    }
    canvas
}

impl Chart {
    /// A bar chart whose description has every bar's figure.
    pub(super) fn from_bars(id: String, title: String, bars: Bars) -> Self {
        let unit = bars.quantity.unit(bars.bars.iter().filter_map(|bar| Some(bar.figure?.value)));
        let shown = |bar: &Bar| {
            let figure = bar.figure.map_or_else(
                || "no figure".into(),
                |figure| format!("{} {}", bars.quantity.number(figure.value, unit), unit.symbol),
            );
            let note = if bar.note.is_empty() { String::new() } else { format!(" ({})", bar.note) };
            format!("{} {}{note}", bar.label, figure.trim_end())
        };
        let description = bars.bars.iter().map(shown).collect::<Vec<_>>().join(", ");
        Self { id, description: format!("{title}: {description}."), title, plot: Plot::Bars(bars) }
    }
}

impl Bars {
    pub(super) fn new(label: &str, quantity: Quantity, bars: impl IntoIterator<Item = Bar>) -> Self {
        let bars = bars.into_iter().collect();
        Self { label: label.into(), quantity, parts: Vec::new(), bars, noise: None }
    }
}

impl Bar {
    /// A whole bar with the note behind its figure.
    pub(super) fn new(label: &str, figure: Option<Figure>, attribution: Attribution, note: String) -> Self {
        Self { label: label.into(), figure, attribution, note, pieces: Vec::new() }
    }

    /// The lengths of its pieces as they are drawn: 0 for an unknown or negative one.
    fn drawn_pieces(&self) -> impl Iterator<Item = f64> {
        let is_drawn = |length: &f64| length.is_finite() && *length > 0.0;
        self.pieces.iter().map(move |piece| piece.filter(is_drawn).unwrap_or(0.0))
    }
}

impl Width {
    fn pixels(self) -> f64 {
        match self {
            Self::Wide => 880.0,
            Self::Narrow => 350.0,
        }
    }
}
