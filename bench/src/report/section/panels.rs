//! Line charts of many servers. A chart has no more lines than can be distinguished, and axes of its
//! own, so that one server far from the others does not flatten the lines of all others.

use crate::report::chart::{Axis, Chart, Line, Lines, MOST_LINES, Plot, Scale};
use crate::report::value::Quantity;

/// What the charts of one figure have in common.
pub(super) struct Panels {
    /// The id of the first chart. The other charts' ids have their number behind it.
    pub(super) id: String,
    pub(super) title: String,
    /// What one line stands for.
    pub(super) each: &'static str,
    /// The end of the description, behind the names.
    pub(super) rest: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Panels {
    /// Charts of a time by the rate of an open loop, with a line per server.
    pub(super) fn by_rate(id: &str, title: &str, label: &str) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            each: "server",
            rest: " The tables below have the figures.",
            x: Axis { label: "Requests due".into(), quantity: Quantity::Rate, scale: Scale::Log },
            y: Axis { label: label.into(), quantity: Quantity::Time, scale: Scale::Log },
        }
    }

    /// Divides lines, the cheapest first, among charts whose numbers of lines differ by at most
    /// one.
    pub(super) fn charts(&self, lines: Vec<Line>) -> Vec<Chart> {
        let all = lines.len();
        let panels = all.div_ceil(MOST_LINES);
        let mut lines = lines.into_iter();
        let mut first = 1;
        let panel = |place: usize| {
            let own: Vec<Line> = lines.by_ref().take((all + place) / panels).collect();
            let last = first + own.len() - 1;
            let title = if panels == 1 {
                self.title.clone()
            } else {
                format!("{}: {first} to {last} of {all} servers, the cheapest first", self.title)
            };
            let id = if place == 0 { self.id.clone() } else { format!("{}-{}", self.id, place + 1) };
            first = last + 1;
            self.chart(id, title, own)
        };
        (0..panels).map(panel).collect()
    }

    fn chart(&self, id: String, title: String, own: Vec<Line>) -> Chart {
        let names: Vec<&str> = own.iter().map(|line| line.label.as_str()).collect();
        let description = format!("{title}, one line per {}: {}.{}", self.each, names.join(", "), self.rest);
        Chart { id, title, description, plot: lines(self.x.clone(), self.y.clone(), own) }
    }
}

/// A plot of lines in the order of their names, so that a server looks the same in all charts.
pub(in crate::report) fn lines(x: Axis, y: Axis, own: impl IntoIterator<Item = Line>) -> Plot {
    let mut lines: Vec<Line> = own.into_iter().collect();
    lines.sort_by(|a, b| a.label.cmp(&b.label));
    Plot::Lines(Lines { x, y, lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::Scale;
    use crate::report::value::Quantity;

    #[test]
    fn many_lines_are_shared_out_among_charts() {
        let axis = Axis { label: String::new(), quantity: Quantity::Time, scale: Scale::Log };
        let (id, title) = ("cost".into(), "Cost".into());
        let panels = Panels { id, title, each: "server", rest: "", x: axis.clone(), y: axis };
        // The number of lines, and the id, the title and the number of lines of each chart.
        let cases: [(usize, &[&str]); 5] = [
            (0, &[]),
            (1, &["cost | Cost | 1"]),
            (8, &["cost | Cost | 8"]),
            (
                9,
                &[
                    "cost | Cost: 1 to 4 of 9 servers, the cheapest first | 4",
                    "cost-2 | Cost: 5 to 9 of 9 servers, the cheapest first | 5",
                ],
            ),
            (
                16,
                &[
                    "cost | Cost: 1 to 8 of 16 servers, the cheapest first | 8",
                    "cost-2 | Cost: 9 to 16 of 16 servers, the cheapest first | 8",
                ],
            ),
        ];
        for (count, expected) in cases {
            let line = |place: usize| Line { label: format!("{place}"), points: vec![], has_marks: true };
            let shown = |Chart { id, title, plot, .. }: &Chart| {
                let Plot::Lines(Lines { lines, .. }) = plot else { panic!() };
                format!("{id} | {title} | {}", lines.len())
            };
            let charts = panels.charts((0..count).map(line).collect());
            assert_eq!(charts.iter().map(shown).collect::<Vec<_>>(), expected, "{count}");
        }
    }
}
