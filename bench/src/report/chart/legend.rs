//! Keys below charts: a sample of each line or part, followed by its name.

use super::Attribution;
use super::canvas::{BASELINE, Canvas, fit, text, text_width};
use super::palette::QUIET;
use super::series::{self, RADIUS, Spot};

/// The distance between two rows of names.
const ROW: f64 = 17.0;

/// The width of a sample, and the distance from it to its name.
pub(super) const SAMPLE: f64 = 22.0;
const GAP: f64 = 6.0;

/// The distance between two entries in a row.
const GUTTER: f64 = 16.0;

/// The meaning of marks that are not the server's own.
const MEANINGS: [(Attribution, &str); 3] = [
    (Attribution::Tool, "client-bound or network-bound"),
    (Attribution::Invalid, "invalid or disturbed"),
    (Attribution::Reference, "not measured here"),
];

/// Draws names in rows. `draw` draws a sample, given its left edge and its vertical middle.
pub(super) fn draw_key<'a, S>(
    canvas: &mut Canvas,
    entries: impl IntoIterator<Item = (&'a str, S)>,
    draw: impl Fn(&mut Canvas, S, [f64; 2]),
) {
    let room = canvas.width.pixels();
    let [mut x, mut middle] = [0.0, canvas.height + ROW / 2.0];
    for (label, sample) in entries {
        let name = fit(label, room - SAMPLE - GAP);
        let width = SAMPLE + GAP + text_width(&name);
        if x > 0.0 && x + width > room {
            (x, middle) = (0.0, middle + ROW);
        }
        draw(canvas, sample, [x, middle]);
        canvas.add(text(x + SAMPLE + GAP, middle + BASELINE, &name));
        x += width + GUTTER;
        canvas.height = middle + ROW / 2.0;
    }
}

/// Draws the meanings of the marks that are not the server's own.
pub(super) fn draw_meanings(canvas: &mut Canvas, marks: &[Attribution]) {
    let shown = MEANINGS.into_iter().filter(|(mark, _)| marks.contains(mark));
    draw_key(canvas, shown.map(|(mark, meaning)| (meaning, mark)), |canvas, attribution, [x, y]| {
        let spot = Spot { x: x + SAMPLE - RADIUS, y, attribution };
        series::draw_marks(canvas, QUIET, &[spot]);
    });
}
