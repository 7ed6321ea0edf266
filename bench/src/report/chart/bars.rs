//! Horizontal bars: a row per server with its name, its bar with a whisker, and its figure. Where
//! bars are in pieces, a stroke marks where the pieces should end, and a key is below.

use svg::node::element::{Path, Rectangle};

use super::Bars;
use super::axis_scale;
use super::canvas::{Canvas, TEXT, px, text, text_width};
use super::legend::{self, SAMPLE};
use super::look::Look;
use super::palette::{BAND, INK, QUIET};
use super::rows::{PlacedRow, PlacedRows};

/// The height of the label of the noise floor, above the bars.
const NOISE_HEIGHT: f64 = 20.0;

/// The height of a part's sample in the key.
const SAMPLE_HEIGHT: f64 = 11.0;

/// How far the stroke at a measured figure exceeds its bar, on either side.
const OVERHANG: f64 = 3.0;

/// The name of the stroke in the key.
const MEASURED: &str = "measured";

/// Draws bars; the height follows from their number.
pub(super) fn draw(bars: &Bars, canvas: &mut Canvas) {
    let noise = noise(bars);
    let (top, least) = match noise {
        Some((_, [_, high])) => (NOISE_HEIGHT, high),
        None if bars.parts.is_empty() => (0.0, 0.0),
        None => (OVERHANG, 0.0),
    };
    let Some(rows) = PlacedRows::lay_out(bars, least, top, canvas.width) else {
        return canvas.say_empty();
    };
    rows.draw_axis(canvas);
    if let Some((share, ends)) = noise {
        draw_noise(canvas, share, ends, &rows);
    }
    if bars.parts.is_empty() {
        draw_wholes(canvas, &rows);
        rows.draw_over_bars(canvas);
    } else {
        let looks = bars.parts.iter().enumerate();
        let looks: Vec<Look> =
            looks.map(|(place, part)| Look::from_part(place, part.is_rest, canvas)).collect();
        draw_pieces(canvas, &rows, &looks);
        rows.draw_over_bars(canvas);
        draw_key(canvas, bars, &looks);
    }
}

/// The noise floor as a share, and the ends of its band, which begins at the first bar's figure.
fn noise(bars: &Bars) -> Option<(f64, [f64; 2])> {
    let first = bars.bars.first()?.figure.and_then(axis_scale::known)?.value;
    let share = bars.noise.filter(|share| share.is_finite())?;
    Some((share, [first, first * (1.0 + share)]))
}

fn draw_noise(canvas: &mut Canvas, share: f64, ends: [f64; 2], rows: &PlacedRows) {
    let [left, right] = ends.map(|end| rows.x(end));
    let label = format!("noise ±{:.1} %", share * 100.0);
    let x = left.min(canvas.width.pixels() - text_width(&label));
    let top = rows.frame.top - 3.0;
    let band =
        Rectangle::new().set("x", px(left)).set("y", px(top)).set("height", px(rows.frame.bottom - top));
    // Beside a bar that is far longer than the others, the band would be narrower than a pixel.
    canvas.add(band.set("width", px((right - left).max(1.0))).set("fill", BAND.light));
    canvas.add(text(x, TEXT, &label).set("fill", QUIET.light));
}

fn draw_wholes(canvas: &mut Canvas, rows: &PlacedRows) {
    for row in &rows.rows {
        let Some(figure) = row.figure else { continue };
        let look = Look::from_attribution(row.bar.attribution, canvas);
        canvas.add(look.on(rows.piece(row, [0.0, figure.value])));
        rows.draw_cut(canvas, row);
    }
}

/// The pieces of each bar, and a stroke across it where they should end.
fn draw_pieces(canvas: &mut Canvas, rows: &PlacedRows, looks: &[Look]) {
    for row in &rows.rows {
        let mut from = 0.0;
        for (length, look) in row.bar.drawn_pieces().zip(looks) {
            let to = from + length;
            // Pieces beyond the end of a cut bar are not drawn.
            if length > 0.0 && row.figure.is_some() && rows.scale.place(from).is_some() {
                canvas.add(look.on(rows.piece(row, [from, to])));
            }
            from = to;
        }
        rows.draw_cut(canvas, row);
    }
    let stroke = |row: &PlacedRow| {
        let place = rows.scale.place(row.figure?.value)?;
        let height = rows.height + 2.0 * OVERHANG;
        Some(format!("M{} {}v{height}", px(rows.frame.x(place)), px(row.y - height / 2.0)))
    };
    canvas.add(measured(rows.rows.iter().filter_map(stroke).collect()));
}

fn measured(commands: String) -> Path {
    Path::new().set("d", commands).set("stroke", INK.light).set("stroke-width", 2.5)
}

/// A sample of each part with its name.
fn draw_key(canvas: &mut Canvas, bars: &Bars, looks: &[Look]) {
    let parts = bars.parts.iter().zip(looks).map(|(part, look)| (part.label.as_str(), Some(look)));
    legend::draw_key(canvas, parts.chain([(MEASURED, None)]), |canvas, look, [x, middle]| {
        let top = px(middle - SAMPLE_HEIGHT / 2.0);
        let shape = Rectangle::new().set("x", px(x)).set("y", top);
        match look {
            Some(look) => canvas.add(look.on(shape.set("width", SAMPLE).set("height", SAMPLE_HEIGHT))),
            None => canvas.add(measured(format!("M{} {top}v{SAMPLE_HEIGHT}", px(x + SAMPLE / 2.0)))),
        }
    });
}
