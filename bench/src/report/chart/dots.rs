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

/// From one row to the next.
const ROW: f64 = 26.0;

/// The distances of dots from the middle of their row, in turn, so that equal ones are
/// distinguished.
const LANES: [f64; 3] = [-4.5, 0.0, 4.5];

/// The largest share of the width for names.
const NAME_SHARE: f64 = 0.4;

/// An axis begins at 0 if it is then at most this many times as long as the range of its figures.
const NEAR_ZERO: f64 = 1.5;

/// From a name to the axis, and from the end of the axis to the edge.
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
    let Some(range) = axis_scale::range(figures()) else { return canvas.say_empty() };
    let (ends, begins_at_zero) = ends(range);
    let scale = AxisScale::linear(dots.quantity.unit(figures()), ends);

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
    canvas.height = frame.bottom + AXIS_HEIGHT;
    if !begins_at_zero {
        canvas.height += TEXT + 4.0;
        canvas.add(text(left, canvas.height - 8.0, "axis does not begin at 0").set("fill", QUIET.light));
    }
    let marks = dots.rows.iter().flat_map(|row| &row.dots).map(|dot| dot.attribution).collect::<Vec<_>>();
    legend::draw_meanings(canvas, &marks);
}

/// The ends of the axis, and whether it begins at 0.
fn ends([low, high]: [f64; 2]) -> ([f64; 2], bool) {
    let range = high - low;
    if low >= 0.0 && (range == 0.0 || high <= NEAR_ZERO * range) {
        return ([0.0, high * (1.0 + MARGIN)], true);
    }
    ([low - MARGIN * range, high + MARGIN * range], false)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_begins_at_0_where_that_is_near() {
        for (range, expected, begins_at_zero) in [
            ([1.0, 4.0], [0.0, 4.24], true),
            ([0.0, 0.0], [0.0, 0.0], true),
            ([50.0, 50.0], [0.0, 53.0], true),
            ([100.0, 200.0], [94.0, 206.0], false),
        ] {
            assert_eq!((expected, begins_at_zero), ends(range), "{range:?}");
        }
    }
}
