//! Horizontal bars: a row per server with its name, its bar with a whisker, and its figure.

use svg::node::element::Rectangle;

use super::axis_scale;
use super::canvas::{Canvas, TEXT, px, text, text_width};
use super::palette::{BAND, BAR, QUIET};
use super::rows::{BarRow, PlacedRows, hatching};
use super::{Bar, Bars};
use crate::report::value::Attribution;

/// The height of the label of the noise floor, above the bars.
const NOISE_HEIGHT: f64 = 20.0;

/// Draws bars; the height follows from their number.
pub(super) fn draw(bars: &Bars, canvas: &mut Canvas) {
    let noise = noise(bars);
    let (top, least) = noise.map_or((0.0, 0.0), |[_, high]| (NOISE_HEIGHT, high));
    let entries: Vec<BarRow> = bars.bars.iter().map(entry).collect();
    let axis = (bars.label.as_str(), bars.quantity);
    let Some(rows) = PlacedRows::lay_out(&entries, axis, least, top, canvas.width) else {
        return canvas.say_empty();
    };
    rows.draw_axis(canvas);
    if let (Some(share), Some(ends)) = (bars.noise, noise) {
        draw_noise(canvas, share, ends, &rows);
    }
    draw_bars(canvas, bars, &rows);
    rows.draw_over_bars(canvas);
}

fn entry(bar: &Bar) -> BarRow<'_> {
    let length = bar.figure.map_or(0.0, |figure| figure.value);
    let is_valid = bar.attribution != Attribution::Invalid;
    BarRow { label: &bar.label, note: &bar.note, figure: bar.figure, length, is_valid }
}

/// The ends of the noise floor: from the first bar's figure up.
fn noise(bars: &Bars) -> Option<[f64; 2]> {
    let first = bars.bars.first()?.figure.and_then(axis_scale::known)?.value;
    let share = bars.noise.filter(|share| share.is_finite())?;
    Some([first, first * (1.0 + share)])
}

fn draw_noise(canvas: &mut Canvas, share: f64, ends: [f64; 2], rows: &PlacedRows) {
    let [left, right] = ends.map(|end| rows.x(end));
    let label = format!("noise ±{:.1} %", share * 100.0);
    let x = left.min(canvas.width.pixels() - text_width(&label));
    let top = rows.frame.top - 3.0;
    let band =
        Rectangle::new().set("x", px(left)).set("y", px(top)).set("height", px(rows.frame.bottom - top));
    // Beside a bar that is far longer than the others the band is too narrow: it is a line.
    canvas.add(band.set("width", px((right - left).max(1.0))).set("fill", BAND.light));
    canvas.add(text(x, TEXT, &label).set("fill", QUIET.light));
}

fn draw_bars(canvas: &mut Canvas, bars: &Bars, rows: &PlacedRows) {
    let hatched = canvas.id("hatching");
    if bars.bars.iter().any(|bar| bar.attribution == Attribution::Tool) {
        canvas.add(hatching(&hatched, BAR, "M3 0V6", 45));
    }
    for (bar, row) in bars.bars.iter().zip(&rows.rows) {
        let Some(figure) = row.figure else { continue };
        let shape = rows.piece(row, [0.0, figure.value]);
        let outline = |dashes| {
            shape.clone().set("fill", "none").set("stroke", QUIET.light).set("stroke-dasharray", dashes)
        };
        canvas.add(match bar.attribution {
            Attribution::Server => shape.set("fill", BAR.light),
            Attribution::Tool => shape.set("fill", format!("url(#{hatched})")).set("stroke", BAR.light),
            Attribution::Invalid => outline("5 3"),
            Attribution::Reference => outline("1.5 2.5"),
        });
        rows.draw_cut(canvas, row);
    }
}
