//! Lines: one per server, distinguished by colour, dashes and marks, and named at their ends or
//! below.

use svg::node::element::Path;

use super::axis::{self, AXIS_HEIGHT, CAPTION_HEIGHT};
use super::axis_scale::{self, AxisScale};
use super::canvas::{Canvas, Frame, px};
use super::legend::{self, LegendEntry};
use super::series::{self, Series, Spot};
use super::{Line, Lines, Width};

/// The number of lines up to which they are named at their ends; more names are too close there.
pub(in crate::report) const NAMED_AT_ENDS: usize = 8;

/// Room to the right of the last point, for its mark.
const RIGHT: f64 = 6.0;

/// A line in pixels.
struct DrawnLine<'a> {
    line: &'a Line,
    series: Series,
    spots: Vec<Spot>,
    /// The interval of each point that has one: its place, its lower and its upper end.
    whiskers: Vec<[f64; 3]>,
}

/// Draws lines, their axes and their names.
pub(super) fn draw(lines: &Lines, canvas: &mut Canvas) {
    let points = || lines.lines.iter().flat_map(|line| &line.points);
    let x = AxisScale::for_points(&lines.x, &points().map(|point| point.x).collect::<Vec<_>>());
    let figures = points().filter_map(|point| axis_scale::known(point.y));
    let figures = figures.flat_map(|figure| figure.interval.into_iter().flatten().chain([figure.value]));
    let y = AxisScale::new(&lines.y, &figures.collect::<Vec<_>>());
    let (Some(x), Some(y)) = (x, y) else { return canvas.say_empty() };

    let is_named_at_ends = canvas.width == Width::Wide && lines.lines.len() <= NAMED_AT_ENDS;
    let labels = lines.lines.iter().map(|line| line.label.as_str());
    let right = if is_named_at_ends { legend::width_at_ends(labels) } else { RIGHT };
    let height = if canvas.width == Width::Wide { 340.0 } else { 260.0 };
    let frame = Frame {
        left: axis::label_width(&y),
        right: canvas.width.pixels() - right,
        top: CAPTION_HEIGHT,
        bottom: CAPTION_HEIGHT + height,
    };
    axis::draw_vertical(canvas, &y, &lines.y.label, frame);
    axis::draw_horizontal(canvas, &x, &lines.x.label, frame);
    axis::draw_base(canvas, [frame.left, frame.bottom], [frame.right, frame.bottom]);
    let drawn = lines
        .lines
        .iter()
        .zip(series::all())
        .map(|(line, series)| DrawnLine::new(line, series, &x, &y, frame));
    let drawn = drawn.collect::<Vec<_>>();
    // The first line is the most important one, and on top.
    for line in drawn.iter().rev() {
        line.draw(canvas);
    }
    canvas.height = frame.bottom + AXIS_HEIGHT;
    name(canvas, &drawn, is_named_at_ends, frame);
    let marks = drawn.iter().flat_map(|line| &line.spots).map(|spot| spot.attribution).collect::<Vec<_>>();
    legend::draw_meanings(canvas, &marks);
}

fn name(canvas: &mut Canvas, drawn: &[DrawnLine], is_at_ends: bool, frame: Frame) {
    let entries = drawn.iter().filter_map(|DrawnLine { line, series, spots, .. }| {
        Some(LegendEntry { label: &line.label, series: *series, end: *spots.last()? })
    });
    let mut entries = entries.collect::<Vec<_>>();
    if is_at_ends {
        legend::draw_at_ends(canvas, &mut entries, frame);
    } else {
        legend::draw_below(canvas, &entries);
    }
}

impl<'a> DrawnLine<'a> {
    fn new(line: &'a Line, series: Series, x: &AxisScale, y: &AxisScale, frame: Frame) -> Self {
        let mut drawn = Self { line, series, spots: Vec::new(), whiskers: Vec::new() };
        for point in &line.points {
            let Some(figure) = axis_scale::known(point.y) else { continue };
            let (Some(right), Some(up)) = (x.place(point.x), y.place(figure.value)) else { continue };
            drawn.spots.push(Spot { x: frame.x(right), y: frame.y(up), attribution: point.attribution });
            if let Some(ends) = figure.interval {
                // An interval may end below the beginning of the axis.
                let [low, high] = ends.map(|end| frame.y(y.place(end).unwrap_or(0.0)));
                drawn.whiskers.push([frame.x(right), low, high]);
            }
        }
        drawn
    }

    fn draw(&self, canvas: &mut Canvas) {
        let Series { colour, shape, .. } = self.series;
        let whiskers = self
            .whiskers
            .iter()
            .map(|[x, low, high]| format!("M{} {}V{}", px(*x), px(*low), px(*high)))
            .collect::<String>();
        if !whiskers.is_empty() {
            canvas.add(Path::new().set("d", whiskers).set("stroke", colour.light).set("stroke-opacity", 0.6));
        }
        let places =
            self.spots.iter().map(|spot| format!("{} {}", px(spot.x), px(spot.y))).collect::<Vec<_>>();
        if places.len() > 1 {
            canvas.add(self.series.line(format!("M{}", places.join(" "))));
        }
        // A line without marks has one at its end, by which its name is found.
        let unmarked = if self.line.has_marks { 0 } else { self.spots.len().saturating_sub(1) };
        series::draw_marks(canvas, shape, colour, self.spots.get(unmarked..).unwrap_or_default());
    }
}
