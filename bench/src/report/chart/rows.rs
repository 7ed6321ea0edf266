//! Rows of horizontal bars, whatever the bars are made of: a name, room for a bar on an axis that begins at 0, a whisker, and a
//! figure behind it.

use svg::node::Node;
use svg::node::element::{Group, Path, Pattern, Rectangle, TSpan};

use super::axis::{self, AXIS_HEIGHT};
use super::canvas::{BASELINE, Canvas, Frame, fit, px, text, text_width};
use super::palette::{Colour, INK, PAPER, QUIET};
use super::ruler::{self, Ruler};
use super::{Figure, Quantity, Width};
use crate::report::value::Unit;

/// The room between a bar, or its whisker, and its figure.
const GAP: f64 = 6.0;

/// Notes are no wider, so that there is room for bars.
const NOTE_WIDTH: f64 = 200.0;

/// Names to the left of bars are no wider.
const NAME_WIDTH: f64 = 260.0;

/// Bars that are so many times longer than the longest of the others are cut, so that the others can be told apart.
const FAR: f64 = 4.0;

/// How far the axis goes beyond the longest bar that is whole, where others are cut.
const BEYOND: f64 = 1.25;

/// What a row shows.
pub(super) struct Entry<'a> {
    /// Whose it is.
    pub(super) label: &'a str,
    /// What is said behind its figure; may be empty.
    pub(super) note: &'a str,
    /// The figure that is told; a row without one is empty.
    pub(super) figure: Option<Figure>,
    /// How long its bar is, which may be more than its figure.
    pub(super) length: f64,
}

/// Rows that have their places.
pub(super) struct Rows {
    /// The first is on top.
    pub(super) rows: Vec<Row>,
    /// The axis below them.
    pub(super) ruler: Ruler,
    /// Where the bars are.
    pub(super) frame: Frame,
    /// A bar's height.
    pub(super) height: f64,
    label: String,
    has_names_above: bool,
}

/// A row in its place.
pub(super) struct Row {
    /// Its figure, if it has one.
    pub(super) figure: Option<Figure>,
    /// The middle of its bar.
    pub(super) y: f64,
    name: String,
    /// The figure with its unit, or a dash.
    value: String,
    note: String,
    length: f64,
    /// How far its bar goes, or its whisker.
    reach: f64,
}

/// How rows are laid out. On a phone the name and the note stand above the bar, which keeps the whole width for itself.
struct Layout {
    has_names_above: bool,
    height: f64,
    /// From a row's top to the middle of its bar.
    middle: f64,
    bar: f64,
}

impl Rows {
    /// Rows from a height down, above an axis that goes as far as `least` at least; `None` where no row has a figure.
    pub(super) fn lay_out(
        entries: &[Entry],
        (label, quantity): (&str, Quantity),
        least: f64,
        top: f64,
        width: Width,
    ) -> Option<Self> {
        let figures = || entries.iter().filter_map(|entry| entry.figure.and_then(ruler::known));
        figures().next()?;
        let unit = quantity.unit(figures().map(|figure| figure.value));
        let layout = Layout::of(width);
        let mut bottom = top;
        let row = |entry: &Entry| {
            let y = bottom + layout.middle;
            bottom += layout.height;
            Row::of(entry, y, (quantity, unit), &layout, width.pixels())
        };
        let rows: Vec<Row> = entries.iter().map(row).collect();

        let reaches = rows.iter().filter(|row| row.figure.is_some()).map(|row| row.reach);
        let ruler = Ruler::evenly(unit, [0.0, longest(reaches.collect()).max(least)]);
        let is_cut = rows.iter().any(|row| row.is_cut(&ruler));
        let label = if is_cut { format!("{label} (a bar that is cut is longer)") } else { label.to_owned() };
        let left = if layout.has_names_above { 0.0 } else { widest(&rows) };
        let mut frame = Frame { left, right: width.pixels(), top, bottom };
        frame.right = left + length(&rows, &layout, &ruler, frame);
        let Layout { has_names_above, bar: height, .. } = layout;
        Some(Self { rows, ruler, frame, height, label, has_names_above })
    }

    /// The axis, below which the picture ends.
    pub(super) fn draw_axis(&self, canvas: &mut Canvas) {
        axis::draw_horizontal(canvas, &self.ruler, &self.label, self.frame);
        canvas.height = self.frame.bottom + AXIS_HEIGHT;
    }

    /// The piece of a row's bar from one figure to another, as far as the axis goes.
    pub(super) fn piece(&self, row: &Row, [from, to]: [f64; 2]) -> Rectangle {
        let [left, right] = [from, to].map(|end| self.x(end));
        Rectangle::new()
            .set("x", px(left))
            .set("y", px(row.y - self.height / 2.0))
            .set("width", px(right - left))
            .set("height", self.height)
    }

    /// Through a bar that is longer than the axis two slanted strokes, near its end.
    pub(super) fn draw_cut(&self, canvas: &mut Canvas, row: &Row) {
        if !row.is_cut(&self.ruler) {
            return;
        }
        let (top, height) = (row.y - self.height / 2.0 - 2.0, self.height + 4.0);
        let x = self.frame.x(0.94);
        let strokes = |offset: f64| format!("M{} {}l-5 {}", px(x + offset), px(top), px(height));
        let gap = Path::new().set("d", strokes(2.5)).set("stroke", PAPER.light).set("stroke-width", 5);
        let edges = Path::new().set("d", strokes(0.0) + &strokes(5.0)).set("stroke", QUIET.light);
        canvas.add(gap);
        canvas.add(edges);
    }

    /// The line that bars begin at, their whiskers, names and figures.
    pub(super) fn draw_over_bars(&self, canvas: &mut Canvas) {
        let Frame { left, top, bottom, .. } = self.frame;
        axis::draw_base(canvas, [left, top], [left, bottom]);
        self.draw_whiskers(canvas);
        self.draw_names(canvas);
        self.draw_values(canvas);
    }

    /// Where a figure lies, in pixels; one that the axis has no room for, at its end.
    pub(super) fn x(&self, figure: f64) -> f64 {
        self.frame.x(self.ruler.place(figure.max(0.0)).unwrap_or(1.0))
    }

    fn draw_whiskers(&self, canvas: &mut Canvas) {
        let whisker = |row: &Row| {
            let [low, high] = row.figure?.interval?;
            let place = |end: f64| Some(px(self.frame.x(self.ruler.place(end.max(0.0))?)));
            let (low, high, y, cap) = (place(low)?, place(high)?, px(row.y), px(row.y - 4.0));
            Some(format!("M{low} {cap}v8M{high} {cap}v8M{low} {y}H{high}"))
        };
        let whiskers = self.rows.iter().filter_map(whisker).collect::<String>();
        if !whiskers.is_empty() {
            canvas.add(Path::new().set("d", whiskers).set("stroke", INK.light).set("stroke-width", 1.3));
        }
    }

    fn draw_names(&self, canvas: &mut Canvas) {
        if !self.has_names_above {
            let mut names = Group::new().set("text-anchor", "end");
            for row in &self.rows {
                names.append(text(self.frame.left - GAP, row.y + BASELINE, &row.name));
            }
            return canvas.add(names);
        }
        let mut notes = Group::new().set("text-anchor", "end").set("fill", QUIET.light);
        for row in &self.rows {
            let y = row.y - self.height / 2.0 - GAP;
            canvas.add(text(self.frame.left, y, &row.name));
            if !row.note.is_empty() {
                notes.append(text(canvas.width.pixels(), y, &row.note));
            }
        }
        canvas.add(notes);
    }

    fn draw_values(&self, canvas: &mut Canvas) {
        let mut values = Group::new().set("font-weight", 600);
        for row in &self.rows {
            let end = if row.figure.is_some() { self.x(row.reach) } else { self.frame.left };
            let mut value = text(end + GAP, row.y + BASELINE, &row.value);
            if !self.has_names_above && !row.note.is_empty() {
                let note = TSpan::new(row.note.as_str()).set("dx", GAP).set("fill", QUIET.light);
                value.append(note.set("font-weight", 400));
            }
            values.append(value);
        }
        canvas.add(values);
    }
}

impl Row {
    fn of(entry: &Entry, y: f64, (quantity, unit): (Quantity, Unit), layout: &Layout, width: f64) -> Self {
        let figure = entry.figure.and_then(ruler::known);
        let note = fit(entry.note, NOTE_WIDTH);
        let room = if layout.has_names_above { width - text_width(&note) - 2.0 * GAP } else { NAME_WIDTH };
        let value = figure.map_or("–".into(), |figure| ruler::with_unit(figure.value, quantity, unit));
        let reach = figure.map_or(0.0, |Figure { value, interval }| {
            interval.map_or(value, |[_, high]| high.max(value)).max(entry.length)
        });
        Self { figure, y, name: fit(entry.label, room), value, note, length: entry.length, reach }
    }

    /// Whether its bar is longer than the axis.
    fn is_cut(&self, ruler: &Ruler) -> bool {
        self.figure.is_some() && ruler.place(self.length.max(0.0)).is_none()
    }

    /// How wide is what is said behind the bar, of which the figure is in a stronger hand.
    fn said_width(&self, layout: &Layout) -> f64 {
        let has_note = !layout.has_names_above && !self.note.is_empty();
        let note = if has_note { GAP + text_width(&self.note) } else { 0.0 };
        text_width(&self.value) * 1.1 + note
    }
}

impl Layout {
    fn of(width: Width) -> Self {
        match width {
            Width::Wide => Self { has_names_above: false, height: 26.0, middle: 13.0, bar: 16.0 },
            Width::Narrow => Self { has_names_above: true, height: 40.0, middle: 29.0, bar: 14.0 },
        }
    }
}

/// Lines of a colour as a filling: commands of a path in a square of six pixels, turned by so many degrees.
pub(super) fn hatching(id: &str, colour: Colour, lines: &str, degrees: u16) -> Pattern {
    Pattern::new()
        .set("id", id)
        .set("width", 6)
        .set("height", 6)
        .set("patternUnits", "userSpaceOnUse")
        .set("patternTransform", format!("rotate({degrees})"))
        .add(Path::new().set("d", lines).set("stroke", colour.light).set("stroke-width", 2))
}

/// The room that the names need to the left of the bars.
fn widest(rows: &[Row]) -> f64 {
    rows.iter().map(|row| text_width(&row.name)).fold(0.0, f64::max) + GAP
}

/// How long the axis can be so that behind each bar there is room for what is said of it.
fn length(rows: &[Row], layout: &Layout, ruler: &Ruler, frame: Frame) -> f64 {
    let room = frame.right - frame.left;
    rows.iter().filter(|row| row.figure.is_some()).fold(room, |length, row| {
        let share = ruler.place(row.reach.max(0.0)).unwrap_or(1.0);
        let free = room - row.said_width(layout) - GAP;
        if share > 0.0 { length.min(free / share) } else { length }
    })
}

/// How long the axis is: as the longest bar, or, where that is far longer than most, a little more than the longest of those.
pub(in crate::report) fn longest(mut reaches: Vec<f64>) -> f64 {
    reaches.sort_by(|a, b| b.total_cmp(a));
    let mut whole = reaches.windows(2).take(reaches.len() / 2).filter_map(|pair| match pair {
        [far, near] if *near > 0.0 && *far > FAR * near => Some(near * BEYOND),
        _ => None,
    });
    whole.next_back().or(reaches.first().copied()).unwrap_or(0.0)
}
