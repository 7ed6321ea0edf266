//! The rows of a bar chart: a name, a bar that begins at 0, a whisker, and a figure behind it.

use svg::node::Node;
use svg::node::element::{Group, Path, Rectangle, TSpan};

use super::axis::{self, AXIS_HEIGHT};
use super::axis_scale::{self, AxisScale};
use super::canvas::{BASELINE, Canvas, Frame, fit, px, text, text_width};
use super::palette::{INK, PAPER, QUIET};
use super::{Bar, Bars, Width};
use crate::report::value::{Attribution, Figure, Quantity, Unit};

/// The room between a bar, or its whisker, and its figure.
const GAP: f64 = 6.0;

/// The widest note, so that there is room for bars.
const NOTE_WIDTH: f64 = 200.0;

/// The widest name to the left of bars.
const NAME_WIDTH: f64 = 260.0;

/// Bars more than this many times as long as the next shorter one are cut: others stay distinct.
const FAR: f64 = 4.0;

/// The length of an axis on which bars are cut, as a multiple of the longest bar that is not cut.
const BEYOND: f64 = 1.25;

/// Rows in their places.
pub(super) struct PlacedRows<'a> {
    /// The rows, the first one on top.
    pub(super) rows: Vec<PlacedRow<'a>>,
    /// The axis below them.
    pub(super) scale: AxisScale,
    pub(super) frame: Frame,
    /// The height of a bar.
    pub(super) height: f64,
    label: String,
    has_names_above: bool,
}

/// A row in its place.
pub(super) struct PlacedRow<'a> {
    pub(super) bar: &'a Bar,
    pub(super) figure: Option<Figure>,
    /// The vertical middle of the bar.
    pub(super) y: f64,
    name: String,
    /// The figure with its unit, or a dash.
    value: String,
    note: String,
    /// The length of its bar, which exceeds the figure if the pieces add up to more.
    length: f64,
    /// The end of its bar or of its whisker, whichever is larger.
    reach: f64,
}

/// The sizes of rows. On a phone the name and the note are above the bar.
struct RowLayout {
    has_names_above: bool,
    height: f64,
    /// The distance from a row's top to the middle of its bar.
    middle: f64,
    bar: f64,
}

impl<'a> PlacedRows<'a> {
    /// Places rows below `top`, on an axis that includes `least`; `None` without figures.
    pub(super) fn lay_out(bars: &'a Bars, least: f64, top: f64, width: Width) -> Option<Self> {
        let figures = || bars.bars.iter().filter_map(|bar| axis_scale::known(bar.figure?));
        figures().next()?;
        let unit = bars.quantity.unit(figures().map(|figure| figure.value));
        let layout = RowLayout::new(width);
        let mut bottom = top;
        let row = |bar: &'a Bar| {
            let y = bottom + layout.middle;
            bottom += layout.height;
            PlacedRow::new(bar, y, (bars.quantity, unit), &layout, width.pixels())
        };
        let rows: Vec<PlacedRow> = bars.bars.iter().map(row).collect();

        // The axis need not include figures that say nothing about a server.
        let is_valid = |row: &PlacedRow| row.bar.attribution != Attribution::Invalid;
        let reaches = |is_any: bool| {
            let included = rows.iter().filter(|row| row.figure.is_some() && (is_any || is_valid(row)));
            included.map(|row| row.reach).collect::<Vec<_>>()
        };
        let valid = reaches(false);
        let reach = longest(if valid.is_empty() { reaches(true) } else { valid });
        let scale = AxisScale::linear(unit, [0.0, reach.max(least)]);
        let is_cut = rows.iter().any(|row| row.is_cut(&scale));
        let cut = if is_cut { " (cut bars are longer)" } else { "" };
        let label = format!("{}{cut}", bars.label);
        let widest = rows.iter().map(|row| text_width(&row.name)).fold(0.0, f64::max);
        let left = if layout.has_names_above { 0.0 } else { widest + GAP };
        let mut frame = Frame { left, right: width.pixels(), top, bottom };
        frame.right = left + length(&rows, &layout, &scale, frame);
        let RowLayout { has_names_above, bar: height, .. } = layout;
        Some(Self { rows, scale, frame, height, label, has_names_above })
    }

    /// Draws the axis, below which the picture ends.
    pub(super) fn draw_axis(&self, canvas: &mut Canvas) {
        axis::draw_horizontal(canvas, &self.scale, &self.label, self.frame);
        canvas.height = self.frame.bottom + AXIS_HEIGHT;
    }

    /// The piece of a row's bar from one figure to another, cut at the end of the axis.
    pub(super) fn piece(&self, row: &PlacedRow, [from, to]: [f64; 2]) -> Rectangle {
        let [left, right] = [from, to].map(|end| self.x(end));
        Rectangle::new()
            .set("x", px(left))
            .set("y", px(row.y - self.height / 2.0))
            .set("width", px(right - left))
            .set("height", self.height)
    }

    /// Draws two slanted strokes through a bar that is longer than the axis.
    pub(super) fn draw_cut(&self, canvas: &mut Canvas, row: &PlacedRow) {
        if !row.is_cut(&self.scale) {
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

    /// Draws the line at which bars begin, whiskers, names and figures.
    pub(super) fn draw_over_bars(&self, canvas: &mut Canvas) {
        let Frame { left, top, bottom, .. } = self.frame;
        axis::draw_base(canvas, [left, top], [left, bottom]);
        self.draw_whiskers(canvas);
        self.draw_names(canvas);
        self.draw_values(canvas);
    }

    /// The position of a figure in pixels; the end of the axis if the figure is beyond it.
    pub(super) fn x(&self, figure: f64) -> f64 {
        self.frame.x(self.scale.place(figure.max(0.0)).unwrap_or(1.0))
    }

    fn draw_whiskers(&self, canvas: &mut Canvas) {
        let whisker = |row: &PlacedRow| {
            let [low, high] = row.figure?.interval?;
            let place = |end: f64| Some(px(self.frame.x(self.scale.place(end.max(0.0))?)));
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

impl<'a> PlacedRow<'a> {
    fn new(bar: &'a Bar, y: f64, (quantity, unit): (Quantity, Unit), layout: &RowLayout, width: f64) -> Self {
        let figure = bar.figure.and_then(axis_scale::known);
        let note = fit(&bar.note, NOTE_WIDTH);
        let room = if layout.has_names_above { width - text_width(&note) - 2.0 * GAP } else { NAME_WIDTH };
        let value = figure.map_or("–".into(), |figure| axis_scale::with_unit(figure.value, quantity, unit));
        let length = bar.drawn_pieces().sum::<f64>().max(figure.map_or(0.0, |figure| figure.value));
        let reach = figure.map_or(0.0, |figure| figure.interval.map_or(length, |[_, high]| high.max(length)));
        Self { bar, figure, y, name: fit(&bar.label, room), value, note, length, reach }
    }

    /// Whether its bar is longer than the axis.
    fn is_cut(&self, scale: &AxisScale) -> bool {
        self.figure.is_some() && scale.place(self.length.max(0.0)).is_none()
    }

    /// The width of the figure, in bold, and the note behind the bar.
    fn label_width(&self, layout: &RowLayout) -> f64 {
        let has_note = !layout.has_names_above && !self.note.is_empty();
        let note = if has_note { GAP + text_width(&self.note) } else { 0.0 };
        text_width(&self.value) * 1.1 + note
    }
}

impl RowLayout {
    fn new(width: Width) -> Self {
        match width {
            Width::Wide => Self { has_names_above: false, height: 26.0, middle: 13.0, bar: 16.0 },
            Width::Narrow => Self { has_names_above: true, height: 40.0, middle: 29.0, bar: 14.0 },
        }
    }
}

/// The length of the axis that leaves room for the figure and the note behind each bar.
fn length(rows: &[PlacedRow], layout: &RowLayout, scale: &AxisScale, frame: Frame) -> f64 {
    let room = frame.right - frame.left;
    rows.iter().filter(|row| row.figure.is_some()).fold(room, |length, row| {
        let share = scale.place(row.reach.max(0.0)).unwrap_or(1.0);
        let free = room - row.label_width(layout) - GAP;
        if share > 0.0 { length.min(free / share) } else { length }
    })
}

/// The length of an axis: the longest bar, or, if bars are far longer than most, a little more than
/// the longest of the others.
pub(in crate::report) fn longest(mut reaches: Vec<f64>) -> f64 {
    reaches.sort_by(|a, b| b.total_cmp(a));
    let mut whole = reaches.windows(2).take(reaches.len() / 2).filter_map(|pair| match pair {
        [far, near] if *near > 0.0 && *far > FAR * near => Some(near * BEYOND),
        _ => None,
    });
    whole.next_back().or(reaches.first().copied()).unwrap_or(0.0)
}
