//! The names of lines, at the lines' ends or in a key below, and the meaning of marks.

use svg::node::Node;
use svg::node::element::{Group, Path};

use super::Attribution;
use super::canvas::{BASELINE, Canvas, Frame, fit, px, text, text_width};
use super::palette::QUIET;
use super::series::{self, RADIUS, Series, Shape, Spot};

/// From one line of names to the next.
const LINE: f64 = 17.0;

/// From a frame to the marks beside it.
const LEADER: f64 = 16.0;

/// From a mark to its name.
const MARK: f64 = 9.0;

/// The length of a line's sample beside its name.
const SAMPLE: f64 = 26.0;

/// Between two names in a row.
const GUTTER: f64 = 16.0;

/// The widest name at a line's end, so that there is room for the lines.
const NAME_WIDTH: f64 = 260.0;

/// The meaning of marks that are not the server's own.
const MEANINGS: [(Attribution, &str); 3] = [
    (Attribution::Tool, "client-bound"),
    (Attribution::Invalid, "invalid or disturbed"),
    (Attribution::Reference, "not measured here"),
];

/// A line's name.
pub(super) struct LegendEntry<'a> {
    /// The name.
    pub(super) label: &'a str,
    /// The look of the line.
    pub(super) series: Series,
    /// The end of the line.
    pub(super) end: Spot,
}

/// Places the entries of a key in rows below what is drawn, as many per row as there is room for.
pub(super) struct KeyRows {
    room: f64,
    x: f64,
    middle: f64,
}

impl KeyRows {
    /// Rows that begin where the picture ends.
    pub(super) fn new(canvas: &Canvas) -> Self {
        Self { room: canvas.width.pixels(), x: 0.0, middle: canvas.height + LINE / 2.0 }
    }

    /// The left edge and the middle of the next entry.
    pub(super) fn place(&mut self, width: f64) -> [f64; 2] {
        if self.x > 0.0 && self.x + width > self.room {
            (self.x, self.middle) = (0.0, self.middle + LINE);
        }
        let place = [self.x, self.middle];
        self.x += width + GUTTER;
        place
    }

    /// The lower edge of the last row.
    pub(super) fn bottom(&self) -> f64 {
        self.middle + LINE / 2.0
    }
}

/// The room for names to the right of a frame.
pub(super) fn width_at_ends<'a>(labels: impl Iterator<Item = &'a str>) -> f64 {
    LEADER + MARK + labels.map(text_width).fold(0.0, f64::max).min(NAME_WIDTH)
}

/// Draws names to the right of a frame, each as near to the end of its line as the others allow.
pub(super) fn draw_at_ends(canvas: &mut Canvas, entries: &mut [LegendEntry], frame: Frame) {
    entries.sort_by(|one, other| one.end.y.total_cmp(&other.end.y));
    let wanted = entries.iter().map(|entry| entry.end.y).collect::<Vec<_>>();
    let x = frame.right + LEADER;
    for (LegendEntry { label, series, end }, y) in entries.iter().zip(apart(&wanted, frame.top, frame.bottom))
    {
        if (y - end.y).abs() > 1.0 || frame.right - end.x > 1.0 {
            let leader = format!("M{} {}L{} {}H{}", px(end.x), px(end.y), px(x - 8.0), px(y), px(x - 4.0));
            let leader = Path::new().set("d", leader).set("fill", "none").set("stroke", series.colour.light);
            canvas.add(leader.set("stroke-opacity", 0.5));
        }
        let spot = Spot { x, y, attribution: Attribution::Server };
        series::draw_marks(canvas, series.shape, series.colour, &[spot]);
        let name = fit(label, NAME_WIDTH);
        canvas.add(text(x + MARK, y + BASELINE, &name).set("fill", series.colour.light));
    }
}

/// Draws names in columns below the picture, each behind a sample of its line.
pub(super) fn draw_below(canvas: &mut Canvas, entries: &[LegendEntry]) {
    let room = canvas.width.pixels();
    let names = entries.iter().map(|entry| fit(entry.label, room - SAMPLE)).collect::<Vec<_>>();
    let width = SAMPLE + names.iter().map(|name| text_width(name)).fold(0.0, f64::max);
    let mut labels = Group::new();
    let mut rows = KeyRows::new(canvas);
    for (LegendEntry { series, .. }, name) in entries.iter().zip(&names) {
        let [x, y] = rows.place(width);
        canvas.add(series.line(format!("M{} {}h20", px(x), px(y))));
        let spot = Spot { x: x + 10.0, y, attribution: Attribution::Server };
        series::draw_marks(canvas, series.shape, series.colour, &[spot]);
        labels.append(text(x + SAMPLE, y + BASELINE, name));
    }
    canvas.add(labels);
    canvas.height = rows.bottom();
}

/// Draws the meaning of those of the marks that are not the server's own.
pub(super) fn draw_meanings(canvas: &mut Canvas, marks: &[Attribution]) {
    let mut rows = KeyRows::new(canvas);
    for (attribution, meaning) in MEANINGS.into_iter().filter(|(mark, _)| marks.contains(mark)) {
        let [x, y] = rows.place(2.0 * RADIUS + MARK + text_width(meaning));
        let spot = Spot { x: x + 2.0 * RADIUS, y, attribution };
        series::draw_marks(canvas, Shape::Circle, QUIET, &[spot]);
        canvas.add(text(x + 2.0 * RADIUS + MARK, y + BASELINE, meaning).set("fill", QUIET.light));
        canvas.height = rows.bottom();
    }
}

/// Moves places in ascending order apart to a line's height, by as little as possible, between two
/// edges. Places that are too close become one block, which lies around their mean.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // Of each block: the sum of its places as if lines had no height, and the number of lines.
    let mut blocks: Vec<(f64, f64)> = Vec::new();
    let mut height = 0.0;
    for place in wanted {
        blocks.push((place - height, 1.0));
        height += LINE;
        while let [.., (before, many), (after, few)] = blocks.as_slice()
            && before / many > after / few
        {
            let one = (before + after, many + few);
            blocks.truncate(blocks.len() - 2);
            blocks.push(one);
        }
    }
    let mut places = Vec::with_capacity(wanted.len());
    let mut offset = 0.0;
    for (sum, count) in blocks {
        let place = (sum / count).min(bottom - (height - LINE)).max(top);
        let end = offset + LINE * (count - 0.5);
        while offset < end {
            places.push(place + offset);
            offset += LINE;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_moved_apart_by_as_little_as_possible() {
        for (wanted, expected) in [
            (&[][..], &[][..]),
            (&[50.0], &[50.0]),
            (&[50.0, 100.0], &[50.0, 100.0]),
            (&[50.0, 50.0], &[41.5, 58.5]),
            (&[50.0, 50.0, 100.0], &[41.5, 58.5, 100.0]),
            (&[2.0, 2.0], &[10.0, 27.0]),
            (&[190.0, 198.0], &[181.0, 198.0]),
            (&[60.0, 60.0, 60.0], &[43.0, 60.0, 77.0]),
        ] {
            assert_eq!(expected, apart(wanted, 10.0, 198.0), "{wanted:?}");
        }
    }
}
