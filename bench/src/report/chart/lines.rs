//! Lines: one per server, distinguished by colour and dashes, and named below.

use std::fmt::Write;

use svg::node::element::Path;

use super::axis::{self, AXIS_HEIGHT, CAPTION_HEIGHT};
use super::axis_scale::{self, AxisScale};
use super::canvas::{Canvas, Frame, px};
use super::legend::{self, SAMPLE};
use super::series::{self, Series, Spot};
use super::{Line, Lines, Width};

/// Room to the right of the last point, for its mark.
const RIGHT: f64 = 6.0;

/// A line in pixels.
struct DrawnLine<'a> {
    line: &'a Line,
    series: Series,
    spots: Vec<Spot>,
    /// The path commands of the intervals, for points that have one.
    whiskers: String,
}

/// Draws lines, their axes and their names.
pub(super) fn draw(lines: &Lines, canvas: &mut Canvas) {
    let points = || lines.lines.iter().flat_map(|line| &line.points);
    let x = AxisScale::for_points(&lines.x, &points().map(|point| point.x).collect::<Vec<_>>());
    let figures = points().filter_map(|point| axis_scale::known(point.y));
    let figures = figures.flat_map(|figure| figure.interval.into_iter().flatten().chain([figure.value]));
    let y = AxisScale::new(&lines.y, &figures.collect::<Vec<_>>());
    let (Some(x), Some(y)) = (x, y) else { return canvas.say_empty() };

    let height = if canvas.width == Width::Wide { 340.0 } else { 260.0 };
    let frame = Frame {
        left: axis::label_width(&y),
        right: canvas.width.pixels() - RIGHT,
        top: CAPTION_HEIGHT,
        bottom: CAPTION_HEIGHT + height,
    };
    axis::draw_vertical(canvas, &y, &lines.y.label, frame);
    axis::draw_horizontal(canvas, &x, &lines.x.label, frame);
    axis::draw_base(canvas, [frame.left, frame.bottom], [frame.right, frame.bottom]);
    let looks = lines.lines.iter().zip(series::all());
    let drawn = looks.map(|(line, series)| DrawnLine::new(line, series, &x, &y, frame)).collect::<Vec<_>>();
    // The first line is the most important one, so it is drawn last, on top.
    for line in drawn.iter().rev() {
        line.draw(canvas);
    }
    canvas.height = frame.bottom + AXIS_HEIGHT;
    let named = drawn.iter().filter(|drawn| !drawn.spots.is_empty());
    let named = named.map(|drawn| (drawn.line.label.as_str(), drawn.series));
    legend::draw_key(canvas, named, |canvas, series, [x, y]| {
        canvas.add(series.line(format!("M{} {}h{SAMPLE}", px(x), px(y))));
    });
    let marks = drawn.iter().flat_map(|line| &line.spots).map(|spot| spot.attribution).collect::<Vec<_>>();
    legend::draw_meanings(canvas, &marks);
}

impl<'a> DrawnLine<'a> {
    fn new(line: &'a Line, series: Series, x: &AxisScale, y: &AxisScale, frame: Frame) -> Self {
        let mut drawn = Self { line, series, spots: Vec::new(), whiskers: String::new() };
        for point in &line.points {
            let Some(figure) = axis_scale::known(point.y) else { continue };
            let (Some(right), Some(up)) = (x.place(point.x), y.place(figure.value)) else { continue };
            drawn.spots.push(Spot { x: frame.x(right), y: frame.y(up), attribution: point.attribution });
            if let Some(ends) = figure.interval {
                // An interval may end below the beginning of the axis.
                let [low, high] = ends.map(|end| frame.y(y.place(end).unwrap_or(0.0)));
                let _ = write!(drawn.whiskers, "M{} {}V{}", px(frame.x(right)), px(low), px(high));
            }
        }
        drawn
    }

    fn draw(&self, canvas: &mut Canvas) {
        let colour = self.series.colour;
        if !self.whiskers.is_empty() {
            canvas.add(
                Path::new()
                    .set("d", self.whiskers.as_str())
                    .set("stroke", colour.light)
                    .set("stroke-opacity", 0.6),
            );
        }
        let place = |spot: &Spot| format!("{} {}", px(spot.x), px(spot.y));
        let places = self.spots.iter().map(place).collect::<Vec<_>>();
        if places.len() > 1 {
            canvas.add(self.series.line(format!("M{}", places.join(" "))));
        }
        if self.line.has_marks || places.len() == 1 {
            series::draw_marks(canvas, colour, &self.spots);
        }
    }
}
