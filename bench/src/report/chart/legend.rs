//! Which line is whose: names at the lines' ends, or in columns below.

use svg::node::Node;
use svg::node::element::{Group, Path};

use super::canvas::{BASELINE, Canvas, Frame, fit, px, text, text_width};
use super::palette::QUIET;
use super::series::{self, RADIUS, Series, Shape, Spot};
use crate::report::value::Attribution;

/// From one line of names to the next.
const LINE: f64 = 17.0;

/// From a frame to the marks beside it.
const LEADER: f64 = 16.0;

/// From a mark to its name.
const MARK: f64 = 9.0;

/// How wide a piece of a line is shown beside its name.
const SAMPLE: f64 = 26.0;

/// Between two columns of names.
const GUTTER: f64 = 16.0;

/// Names at the lines' ends are no wider, so that there is room for the lines.
const NAME_WIDTH: f64 = 260.0;

/// Whose fact a mark is, if it is not the server's.
const WORDS: [(Attribution, &str); 3] = [
    (Attribution::Tool, "client-bound"),
    (Attribution::Invalid, "invalid or disturbed"),
    (Attribution::Reference, "not measured here"),
];

/// A line's name.
pub(super) struct Entry<'a> {
    /// The name.
    pub(super) label: &'a str,
    /// What the line looks like.
    pub(super) series: Series,
    /// Where the line ends.
    pub(super) end: Spot,
}

/// The room that names need to the right of a frame.
pub(super) fn width_at_ends<'a>(labels: impl Iterator<Item = &'a str>) -> f64 {
    LEADER + MARK + labels.map(text_width).fold(0.0, f64::max).min(NAME_WIDTH)
}

/// Names to the right of a frame, each as near to its line's end as the others leave room for.
pub(super) fn draw_at_ends(canvas: &mut Canvas, entries: &mut [Entry], frame: Frame) {
    entries.sort_by(|one, other| one.end.y.total_cmp(&other.end.y));
    let wanted = entries.iter().map(|entry| entry.end.y).collect::<Vec<_>>();
    let x = frame.right + LEADER;
    for (Entry { label, series, end }, y) in entries.iter().zip(apart(&wanted, frame.top, frame.bottom)) {
        if (y - end.y).abs() > 1.0 || frame.right - end.x > 1.0 {
            let leader = format!("M{} {}L{} {}H{}", px(end.x), px(end.y), px(x - 8.0), px(y), px(x - 4.0));
            let leader = Path::new().set("d", leader).set("fill", "none").set("stroke", series.colour.light);
            canvas.add(leader.set("stroke-opacity", 0.5));
        }
        series::draw_marks(
            canvas,
            series.shape,
            series.colour,
            &[Spot { x, y, attribution: Attribution::Server }],
        );
        let name = fit(label, NAME_WIDTH);
        canvas.add(text(x + MARK, y + BASELINE, &name).set("fill", series.colour.light));
    }
}

/// Names below, in as many columns as there is room for. Returns where they end.
pub(super) fn draw_below(canvas: &mut Canvas, entries: &[Entry], top: f64) -> f64 {
    let room = canvas.width.pixels();
    let names = entries.iter().map(|entry| fit(entry.label, room - SAMPLE)).collect::<Vec<_>>();
    let column = SAMPLE + GUTTER + names.iter().map(|name| text_width(name)).fold(0.0, f64::max);
    let mut labels = Group::new();
    let (mut x, mut y) = (0.0, top + LINE / 2.0);
    for (Entry { series, .. }, name) in entries.iter().zip(&names) {
        if x > 0.0 && x + column - GUTTER > room {
            (x, y) = (0.0, y + LINE);
        }
        canvas.add(series.line(format!("M{} {}h20", px(x), px(y))));
        series::draw_marks(
            canvas,
            series.shape,
            series.colour,
            &[Spot { x: x + 10.0, y, attribution: Attribution::Server }],
        );
        labels.append(text(x + SAMPLE, y + BASELINE, name));
        x += column;
    }
    canvas.add(labels);
    y + LINE / 2.0
}

/// What the marks say that are not the server's own, from a height down. Returns where that ends.
pub(super) fn draw_key(canvas: &mut Canvas, marks: &[Attribution], top: f64) -> f64 {
    let (mut x, mut bottom) = (f64::INFINITY, top);
    for (attribution, words) in WORDS.into_iter().filter(|(attribution, _)| marks.contains(attribution)) {
        let width = 2.0 * RADIUS + MARK + text_width(words);
        if x + width > canvas.width.pixels() {
            (x, bottom) = (0.0, bottom + LINE);
        }
        let y = bottom - LINE / 2.0;
        series::draw_marks(canvas, Shape::Circle, QUIET, &[Spot { x: x + 2.0 * RADIUS, y, attribution }]);
        canvas.add(text(x + 2.0 * RADIUS + MARK, y + BASELINE, words).set("fill", QUIET.light));
        x += width + GUTTER;
    }
    bottom
}

/// Places in rising order moved apart to a line's height, as little as that takes, between two edges. Where places would
/// come too close they become one block, which lies around their mean.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // Of each block: the sum of its places as if all lines had no height, and how many they are.
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
    fn names_are_moved_apart_as_little_as_that_takes() {
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
