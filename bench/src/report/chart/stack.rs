//! Stacked bars: a row per server, its pieces, a stroke where they should end, and a key below.

use svg::node::element::{Path, Rectangle};

use super::canvas::{Canvas, px};
use super::legend::{self, SAMPLE};
use super::palette::{BAR, Colour, INK, QUIET, SERIES};
use super::rows::{BarRow, PlacedRow, PlacedRows, hatching};
use super::{Part, Stack, StackedBar};

/// The looks of parts in their order, repeated if there are more.
const LOOKS: [Look; 5] = [
    Look { colour: BAR, lines: "", degrees: 0 },
    Look { colour: SERIES[1], lines: "M3 0V6", degrees: 45 },
    Look { colour: SERIES[2], lines: "M3 0V6", degrees: 135 },
    Look { colour: SERIES[3], lines: "M3 0V6M0 3H6", degrees: 45 },
    Look { colour: SERIES[6], lines: "M0 3H6", degrees: 0 },
];

/// The height of a part's sample in the key.
const SAMPLE_HEIGHT: f64 = 11.0;

/// How far the stroke at a measured figure exceeds its bar, on either side.
const OVERHANG: f64 = 3.0;

/// The name of the stroke in the key.
const MEASURED: &str = "measured";

/// The look of a part.
#[derive(Clone, Copy)]
struct Look {
    colour: Colour,
    /// Commands of a path within six pixels; empty where it is filled.
    lines: &'static str,
    degrees: u16,
}

/// How a part is drawn.
enum PartStyle {
    Filled(Colour),
    /// With the id of its pattern.
    Hatched(Colour, String),
    Outlined,
}

/// Draws stacked bars; the height follows from their number.
pub(super) fn draw(stack: &Stack, canvas: &mut Canvas) {
    let entries: Vec<BarRow> = stack.bars.iter().map(entry).collect();
    let axis = (stack.label.as_str(), stack.quantity);
    let Some(rows) = PlacedRows::lay_out(&entries, axis, 0.0, OVERHANG, canvas.width) else {
        return canvas.say_empty();
    };
    let styles = styles(&stack.parts, canvas);
    rows.draw_axis(canvas);
    for (bar, row) in stack.bars.iter().zip(&rows.rows) {
        draw_pieces(canvas, bar, row, &rows, &styles);
        rows.draw_cut(canvas, row);
    }
    draw_measured(canvas, &rows);
    rows.draw_over_bars(canvas);
    draw_key(canvas, &stack.parts, &styles);
}

/// A row is as long as the sum of its pieces, where that exceeds the measured figure.
fn entry(bar: &StackedBar) -> BarRow<'_> {
    let together: f64 = bar.pieces.iter().filter_map(|piece| drawn(*piece)).sum();
    let length = together.max(bar.whole.value);
    BarRow { label: &bar.label, note: &bar.note, figure: Some(bar.whole), length, is_valid: true }
}

/// The length of a piece that is drawn.
fn drawn(piece: Option<f64>) -> Option<f64> {
    piece.filter(|length| length.is_finite() && *length > 0.0)
}

/// The style of each part. Adds the patterns to the picture.
fn styles(parts: &[Part], canvas: &mut Canvas) -> Vec<PartStyle> {
    let style = |(place, (part, look)): (usize, (&Part, Look))| {
        if part.is_rest {
            PartStyle::Outlined
        } else if look.lines.is_empty() {
            PartStyle::Filled(look.colour)
        } else {
            let id = canvas.id(&format!("part-{place}"));
            canvas.add(hatching(&id, look.colour, look.lines, look.degrees));
            PartStyle::Hatched(look.colour, id)
        }
    };
    parts.iter().zip(LOOKS.into_iter().cycle()).enumerate().map(style).collect()
}

fn draw_pieces(
    canvas: &mut Canvas,
    bar: &StackedBar,
    row: &PlacedRow,
    rows: &PlacedRows,
    styles: &[PartStyle],
) {
    let mut from = 0.0;
    for (piece, style) in bar.pieces.iter().zip(styles) {
        let Some(length) = drawn(*piece) else { continue };
        let to = from + length;
        // Pieces beyond the end of a bar that is cut have no place.
        if row.figure.is_some() && rows.scale.place(from).is_some() {
            canvas.add(style.on(rows.piece(row, [from, to])));
        }
        from = to;
    }
}

/// A stroke across each bar where it should end.
fn draw_measured(canvas: &mut Canvas, rows: &PlacedRows) {
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

/// Draws a key below: a sample of each part with its name.
fn draw_key(canvas: &mut Canvas, parts: &[Part], styles: &[PartStyle]) {
    let parts = parts.iter().zip(styles).map(|(part, style)| (part.label.as_str(), Some(style)));
    legend::draw_key(canvas, parts.chain([(MEASURED, None)]), |canvas, style, [x, middle]| {
        let top = px(middle - SAMPLE_HEIGHT / 2.0);
        let shape = Rectangle::new().set("x", px(x)).set("y", top);
        match style {
            Some(style) => canvas.add(style.on(shape.set("width", SAMPLE).set("height", SAMPLE_HEIGHT))),
            None => canvas.add(measured(format!("M{} {top}v{SAMPLE_HEIGHT}", px(x + SAMPLE / 2.0)))),
        }
    });
}

impl PartStyle {
    /// A shape in this style.
    fn on(&self, shape: Rectangle) -> Rectangle {
        match self {
            Self::Filled(colour) => shape.set("fill", colour.light),
            Self::Hatched(colour, id) => shape.set("fill", format!("url(#{id})")).set("stroke", colour.light),
            Self::Outlined => {
                shape.set("fill", "none").set("stroke", QUIET.light).set("stroke-dasharray", "5 3")
            }
        }
    }
}
