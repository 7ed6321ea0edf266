//! Horizontal bars: a row a server, its name, its bar with a whisker, and its figure behind it.

use svg::node::Node;
use svg::node::element::{Group, Path, Pattern, Rectangle, TSpan};

use super::axis::{self, AXIS_HEIGHT};
use super::canvas::{BASELINE, Canvas, Frame, TEXT, fit, px, text, text_width};
use super::palette::{BAND, BAR, INK, PAPER, QUIET};
use super::ruler::{self, Ruler};
use super::{Bar, Bars, Mark, Width};
use crate::report::document::{Figure, Unit};

/// The room between a bar, or its whisker, and its figure.
const GAP: f64 = 6.0;

/// Notes are no wider, so that there is room for bars.
const NOTE_WIDTH: f64 = 200.0;

/// Names to the left of bars are no wider.
const NAME_WIDTH: f64 = 260.0;

/// The height of what is said above the bars of the noise floor.
const NOISE_HEIGHT: f64 = 20.0;

/// Bars that are so many times longer than the longest of the others are cut, so that the others can be told apart.
const FAR: f64 = 4.0;

/// How far the axis goes beyond the longest bar that is whole, where others are cut.
const BEYOND: f64 = 1.25;

/// How rows are laid out. On a phone the name and the note stand above the bar, which keeps the whole width for itself.
struct Layout {
    has_names_above: bool,
    height: f64,
    /// From a row's top to the middle of its bar.
    middle: f64,
    bar: f64,
}

/// A bar that is about to be drawn.
struct Row<'a> {
    bar: &'a Bar,
    figure: Option<Figure>,
    name: String,
    /// The figure with its unit, or a dash.
    value: String,
    note: String,
    /// The middle of its bar.
    y: f64,
}

/// Draws bars; their height follows from how many there are.
pub(super) fn draw(bars: &Bars, canvas: &mut Canvas) {
    let figures = || bars.bars.iter().filter_map(|bar| bar.figure.and_then(ruler::known));
    if figures().next().is_none() {
        return canvas.say_empty();
    }
    let unit = bars.quantity.unit(figures().map(|figure| figure.value));
    let noise = noise(bars);
    let layout = Layout::of(canvas.width);
    let top = if noise.is_some() { NOISE_HEIGHT } else { 0.0 };
    let rows = rows(bars, unit, &layout, top, canvas.width.pixels());

    let highest = longest(figures().map(reach).collect()).max(noise.map_or(0.0, |[_, high]| high));
    let ruler = Ruler::evenly(unit, [0.0, highest]);
    let is_cut = figures().any(|figure| ruler.place(figure.value.max(0.0)).is_none());
    let label =
        if is_cut { format!("{} (a bar that is cut is longer)", bars.label) } else { bars.label.clone() };
    let bottom = rows.last().map_or(top, |row| row.y + layout.height - layout.middle);
    let left = if layout.has_names_above { 0.0 } else { widest(&rows) };
    let mut frame = Frame { left, right: canvas.width.pixels(), top, bottom };
    frame.right = left + length(&rows, &layout, &ruler, frame);

    axis::draw_horizontal(canvas, &ruler, &label, frame);
    if let (Some(share), Some(ends)) = (bars.noise, noise) {
        draw_noise(canvas, share, ends, &ruler, frame);
    }
    draw_bars(canvas, &rows, &layout, &ruler, frame);
    axis::draw_base(canvas, [frame.left, frame.top], [frame.left, frame.bottom]);
    draw_whiskers(canvas, &rows, &ruler, frame);
    draw_names(canvas, &rows, &layout, frame);
    draw_values(canvas, &rows, &layout, &ruler, frame);
    canvas.height = bottom + AXIS_HEIGHT;
}

fn rows<'a>(bars: &'a Bars, unit: Unit, layout: &Layout, top: f64, width: f64) -> Vec<Row<'a>> {
    let mut y = top + layout.middle;
    let row = |bar: &'a Bar| {
        let figure = bar.figure.and_then(ruler::known);
        let value =
            figure.map_or("–".to_owned(), |figure| ruler::with_unit(figure.value, bars.quantity, unit));
        let note = fit(&bar.note, NOTE_WIDTH);
        let room = if layout.has_names_above { width - text_width(&note) - 2.0 * GAP } else { NAME_WIDTH };
        let row = Row { bar, figure, name: fit(&bar.label, room), value, note, y };
        y += layout.height;
        row
    };
    bars.bars.iter().map(row).collect()
}

/// The room that the names need to the left of the bars.
fn widest(rows: &[Row]) -> f64 {
    rows.iter().map(|row| text_width(&row.name)).fold(0.0, f64::max) + GAP
}

/// How long the axis can be so that behind each bar there is room for what is said of it.
fn length(rows: &[Row], layout: &Layout, ruler: &Ruler, frame: Frame) -> f64 {
    let room = frame.right - frame.left;
    rows.iter().fold(room, |length, row| {
        let share = row.figure.map_or(0.0, |figure| ruler.place(reach(figure)).unwrap_or(1.0));
        let free = room - row.said_width(layout) - GAP;
        if share > 0.0 { length.min(free / share) } else { length }
    })
}

/// How long the axis is: as the longest bar, or, where that is far longer than most, a little more than the longest of those.
fn longest(mut reaches: Vec<f64>) -> f64 {
    reaches.sort_by(|a, b| b.total_cmp(a));
    let mut whole = reaches.windows(2).take(reaches.len() / 2).filter_map(|pair| match pair {
        [far, near] if *near > 0.0 && *far > FAR * near => Some(near * BEYOND),
        _ => None,
    });
    whole.next_back().or(reaches.first().copied()).unwrap_or(0.0)
}

/// The first bar's figure and what is as good as the same.
fn noise(bars: &Bars) -> Option<[f64; 2]> {
    let first = bars.bars.first()?.figure.and_then(ruler::known)?.value;
    let share = bars.noise.filter(|share| share.is_finite())?;
    Some([first, first * (1.0 + share)])
}

/// The higher of a figure and its interval's end.
fn reach(figure: Figure) -> f64 {
    figure.interval.map_or(figure.value, |[_, high]| high.max(figure.value))
}

fn draw_noise(canvas: &mut Canvas, share: f64, ends: [f64; 2], ruler: &Ruler, frame: Frame) {
    let [left, right] = ends.map(|end| frame.x(ruler.place(end).unwrap_or(0.0)));
    let label = format!("noise ±{:.1} %", share * 100.0);
    let x = left.min(canvas.width.pixels() - text_width(&label));
    let top = frame.top - 3.0;
    let band = Rectangle::new().set("x", px(left)).set("y", px(top)).set("height", px(frame.bottom - top));
    // Where one bar is far longer than the others the band is too narrow to be seen, and is drawn as a line.
    canvas.add(band.set("width", px((right - left).max(1.0))).set("fill", BAND.light));
    canvas.add(text(x, TEXT, &label).set("fill", QUIET.light));
}

fn draw_bars(canvas: &mut Canvas, rows: &[Row], layout: &Layout, ruler: &Ruler, frame: Frame) {
    let hatching = canvas.id("hatching");
    if rows.iter().any(|row| row.bar.mark == Mark::Client) {
        canvas.add(hatch(&hatching));
    }
    for row in rows {
        let Some(figure) = row.figure else { continue };
        let place = ruler.place(figure.value.max(0.0));
        let bar = Rectangle::new()
            .set("x", px(frame.left))
            .set("y", px(row.y - layout.bar / 2.0))
            .set("width", px(frame.x(place.unwrap_or(1.0)) - frame.left))
            .set("height", layout.bar);
        let outline = |dashes| {
            bar.clone().set("fill", "none").set("stroke", QUIET.light).set("stroke-dasharray", dashes)
        };
        canvas.add(match row.bar.mark {
            Mark::Own => bar.set("fill", BAR.light),
            Mark::Client => bar.set("fill", format!("url(#{hatching})")).set("stroke", BAR.light),
            Mark::Invalid => outline("5 3"),
            Mark::Reference => outline("1.5 2.5"),
        });
        if place.is_none() {
            draw_cut(canvas, row, layout, frame);
        }
    }
}

/// Two slanted strokes through a bar, near its end.
fn draw_cut(canvas: &mut Canvas, row: &Row, layout: &Layout, frame: Frame) {
    let (top, height) = (row.y - layout.bar / 2.0 - 2.0, layout.bar + 4.0);
    let x = frame.x(0.94);
    let strokes = |offset: f64| format!("M{} {}l-5 {}", px(x + offset), px(top), px(height));
    let gap = Path::new().set("d", strokes(2.5)).set("stroke", PAPER.light).set("stroke-width", 5);
    let edges = Path::new().set("d", strokes(0.0) + &strokes(5.0)).set("stroke", QUIET.light);
    canvas.add(gap);
    canvas.add(edges);
}

fn hatch(id: &str) -> Pattern {
    Pattern::new()
        .set("id", id)
        .set("width", 6)
        .set("height", 6)
        .set("patternUnits", "userSpaceOnUse")
        .set("patternTransform", "rotate(45)")
        .add(Path::new().set("d", "M3 0V6").set("stroke", BAR.light).set("stroke-width", 2))
}

fn draw_whiskers(canvas: &mut Canvas, rows: &[Row], ruler: &Ruler, frame: Frame) {
    let whisker = |row: &Row| {
        let [low, high] = row.figure?.interval?;
        let [low, high] = [frame.x(ruler.place(low.max(0.0))?), frame.x(ruler.place(high.max(0.0))?)].map(px);
        let (y, cap) = (px(row.y), px(row.y - 4.0));
        Some(format!("M{low} {cap}v8M{high} {cap}v8M{low} {y}H{high}"))
    };
    let whiskers = rows.iter().filter_map(whisker).collect::<String>();
    if !whiskers.is_empty() {
        canvas.add(Path::new().set("d", whiskers).set("stroke", INK.light).set("stroke-width", 1.3));
    }
}

fn draw_names(canvas: &mut Canvas, rows: &[Row], layout: &Layout, frame: Frame) {
    if !layout.has_names_above {
        let mut names = Group::new().set("text-anchor", "end");
        for row in rows {
            names.append(text(frame.left - GAP, row.y + BASELINE, &row.name));
        }
        return canvas.add(names);
    }
    let mut notes = Group::new().set("text-anchor", "end").set("fill", QUIET.light);
    for row in rows {
        let y = row.y - layout.bar / 2.0 - GAP;
        canvas.add(text(frame.left, y, &row.name));
        if !row.note.is_empty() {
            notes.append(text(canvas.width.pixels(), y, &row.note));
        }
    }
    canvas.add(notes);
}

fn draw_values(canvas: &mut Canvas, rows: &[Row], layout: &Layout, ruler: &Ruler, frame: Frame) {
    let mut values = Group::new().set("font-weight", 600);
    for row in rows {
        let end = row.figure.map_or(0.0, |figure| ruler.place(reach(figure).max(0.0)).unwrap_or(1.0));
        let mut value = text(frame.x(end) + GAP, row.y + BASELINE, &row.value);
        if !layout.has_names_above && !row.note.is_empty() {
            value.append(
                TSpan::new(row.note.as_str()).set("dx", GAP).set("fill", QUIET.light).set("font-weight", 400),
            );
        }
        values.append(value);
    }
    canvas.add(values);
}

impl Layout {
    fn of(width: Width) -> Self {
        match width {
            Width::Wide => Self { has_names_above: false, height: 26.0, middle: 13.0, bar: 16.0 },
            Width::Narrow => Self { has_names_above: true, height: 40.0, middle: 29.0, bar: 14.0 },
        }
    }
}

impl Row<'_> {
    /// How wide is what is said behind the bar, of which the figure is in a stronger hand.
    fn said_width(&self, layout: &Layout) -> f64 {
        let note =
            if !layout.has_names_above && !self.note.is_empty() { GAP + text_width(&self.note) } else { 0.0 };
        text_width(&self.value) * 1.1 + note
    }
}
