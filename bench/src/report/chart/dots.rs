//! Rows of dots: a row per server, a dot per run, and a stroke at their median.

use std::fmt::Write;

use svg::node::Node;
use svg::node::element::{Group, Path};

use super::axis::{self, AXIS_HEIGHT};
use super::axis_scale::{self, AxisScale};
use super::canvas::{BASELINE, Canvas, Frame, TEXT, fit, px, text, text_width};
use super::legend;
use super::palette::{BAR, GRID, INK, QUIET};
use super::series::{self, Spot};
use super::{DotRow, Dots};

/// The distance between two rows.
const ROW: f64 = 26.0;

/// The distances of dots from the middle of their row, in turn, so that equal dots are seen.
const LANES: [f64; 3] = [-4.5, 0.0, 4.5];

/// The largest share of the width for names.
const NAME_SHARE: f64 = 0.4;

/// The distance from a name to the axis, and from the end of the axis to the edge.
const GAP: f64 = 8.0;

/// The margin before the lowest figure and after the highest, as a share of their range.
const MARGIN: f64 = 0.06;

/// Draws rows of dots; the height follows from their number.
pub(super) fn draw(dots: &Dots, canvas: &mut Canvas) {
    let figures = || {
        let values =
            |row: &DotRow| row.dots.iter().map(|dot| dot.value).chain(row.median).collect::<Vec<_>>();
        dots.rows.iter().flat_map(values).filter(|figure| figure.is_finite())
    };
    let Some([low, high]) = axis_scale::range(figures()) else { return canvas.say_empty() };
    let margin = MARGIN * (high - low);
    let scale = AxisScale::linear(dots.quantity.unit(figures()), [low - margin, high + margin]);

    let room = canvas.width.pixels();
    let names = dots.rows.iter().map(|row| fit(&row.label, room * NAME_SHARE)).collect::<Vec<_>>();
    let left = names.iter().map(|name| text_width(name)).fold(0.0, f64::max) + GAP;
    let mut frame = Frame { left, right: room - GAP, top: 4.0, bottom: 4.0 };
    let middles = dots.rows.iter().map(|_| {
        frame.bottom += ROW;
        frame.bottom - ROW / 2.0
    });
    let middles = middles.collect::<Vec<_>>();

    axis::draw_horizontal(canvas, &scale, &dots.label, frame);
    let rows = middles.iter().map(|y| format!("M{} {}H{}", px(left), px(*y), px(frame.right)));
    canvas.add(Path::new().set("d", rows.collect::<String>()).set("stroke", GRID.light));
    let mut labels = Group::new().set("text-anchor", "end");
    for (name, y) in names.iter().zip(&middles) {
        labels.append(text(left - GAP, y + BASELINE, name));
    }
    canvas.add(labels);
    draw_rows(canvas, dots, &middles, &scale, frame);
    canvas.height = frame.bottom + AXIS_HEIGHT + TEXT + 4.0;
    canvas.add(text(left, canvas.height - 8.0, "axis does not begin at 0").set("fill", QUIET.light));
    let marks = dots.rows.iter().flat_map(|row| &row.dots).map(|dot| dot.attribution).collect::<Vec<_>>();
    legend::draw_meanings(canvas, &marks);
}

fn draw_rows(canvas: &mut Canvas, dots: &Dots, middles: &[f64], scale: &AxisScale, frame: Frame) {
    let mut spots = Vec::new();
    let mut medians = String::new();
    for (row, y) in dots.rows.iter().zip(middles) {
        for (dot, lane) in row.dots.iter().zip(LANES.into_iter().cycle()) {
            let place = scale.place(dot.value).map(|place| frame.x(place));
            spots.extend(place.map(|x| Spot { x, y: y + lane, attribution: dot.attribution }));
        }
        if let Some(place) = row.median.and_then(|median| scale.place(median)) {
            let _ = write!(medians, "M{} {}v20", px(frame.x(place)), px(y - 10.0));
        }
    }
    series::draw_marks(canvas, BAR, &spots);
    if !medians.is_empty() {
        canvas.add(Path::new().set("d", medians).set("stroke", INK.light).set("stroke-width", 2));
    }
}
