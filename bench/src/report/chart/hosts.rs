//! Where each side ran: a box per host, and a line from the server's host to each host of the load.
//! In a wide picture the load is to the right of the server, in a narrow one below it. As text, the
//! chart is a tree.

use std::fmt::Write;

use serde::Serialize;
use svg::node::element::{Path, Rectangle};

use super::canvas::{Canvas, TEXT, fit, px, text};
use super::palette::{BAR, QUIET};
use super::{Chart, Plot, Width};
use crate::text::numbers::{as_f64, counted};

/// The distance between two lines of text in a box.
const LINE: f64 = 17.0;

/// The distance from the edge of a box to its text.
const PADDING: f64 = 10.0;

/// The distance between two boxes, one above the other.
const GAP: f64 = 10.0;

/// The width of a box where boxes are side by side.
const BOX: f64 = 320.0;

/// The indent of the load's boxes where they are below the server's box.
const INDENT: f64 = 30.0;

/// The largest number of load hosts that are drawn: the table has all.
const MOST: usize = 8;

/// The hosts of a measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Hosts {
    /// The server's host.
    pub(in crate::report) server: HostBox,
    /// The hosts of the load.
    pub(in crate::report) loads: Vec<HostBox>,
}

/// What is written into the box of a host.
#[derive(Clone, Debug, Serialize)]
pub struct HostBox {
    /// The name of the host.
    pub(in crate::report) label: String,
    /// The side that ran there, and its cores.
    pub(in crate::report) side: String,
    /// The interface, and the speed of its link.
    pub(in crate::report) link: String,
}

/// A box in pixels.
struct PlacedBox {
    left: f64,
    top: f64,
    width: f64,
}

/// Draws the boxes and the lines between them; the height follows from their number.
pub(super) fn draw(hosts: &Hosts, canvas: &mut Canvas) {
    let is_wide = canvas.width == Width::Wide;
    let (pixels, height) = (canvas.width.pixels(), PlacedBox::HEIGHT);
    let drawn = hosts.loads.len().min(MOST);
    let from = if is_wide { 1.0 } else { height + GAP };
    let load = |place: usize| PlacedBox {
        left: if is_wide { pixels - BOX - 1.0 } else { INDENT },
        top: from + as_f64(place as u64) * (height + GAP),
        width: if is_wide { BOX } else { pixels - INDENT - 1.0 },
    };
    let loads: Vec<PlacedBox> = (0..drawn).map(load).collect();
    let middles = || loads.iter().map(PlacedBox::middle);
    let [first, last] =
        [middles().next(), middles().next_back()].map(|middle| middle.unwrap_or(height / 2.0));
    let server = if is_wide {
        PlacedBox { left: 1.0, top: (first + last - height) / 2.0, width: BOX }
    } else {
        PlacedBox { left: 1.0, top: 1.0, width: pixels - 2.0 }
    };
    canvas.add(lines(&server, &loads, is_wide));
    server.draw(&hosts.server, true, canvas);
    for (place, host) in loads.iter().zip(&hosts.loads) {
        place.draw(host, false, canvas);
    }
    canvas.height = loads.last().unwrap_or(&server).top + height + 1.0;
    if let Some(more) = hosts.loads.len().checked_sub(drawn).filter(|more| *more > 0) {
        canvas.height += LINE;
        let left = loads.first().map_or(0.0, |place| place.left);
        let words = format!("and {}: see the table", counted(more, "more host"));
        canvas.add(text(left, canvas.height - TEXT / 3.0, &words).set("fill", QUIET.light));
    }
}

/// The path from the server's box to the box of each load host.
fn lines(server: &PlacedBox, loads: &[PlacedBox], is_wide: bool) -> Path {
    let mut commands = String::new();
    for load in loads {
        // Writing to a string cannot fail.
        let _ = if is_wide {
            let from = server.left + server.width;
            let bend = (from + load.left) / 2.0;
            write!(
                commands,
                "M{} {}H{}V{}H{}",
                px(from),
                px(server.middle()),
                px(bend),
                px(load.middle()),
                px(load.left)
            )
        } else {
            let from = server.top + PlacedBox::HEIGHT;
            write!(commands, "M{} {}V{}H{}", px(INDENT / 2.0), px(from), px(load.middle()), px(load.left))
        };
    }
    Path::new().set("d", commands).set("fill", "none").set("stroke", QUIET.light).set("stroke-width", 1.5)
}

impl PlacedBox {
    /// The height of three lines of text.
    const HEIGHT: f64 = 3.0 * LINE + PADDING;

    fn middle(&self) -> f64 {
        self.top + Self::HEIGHT / 2.0
    }

    /// Draws the box with its text. The server's box has a stronger edge.
    fn draw(&self, host: &HostBox, is_server: bool, canvas: &mut Canvas) {
        let (edge, strength) = if is_server { (BAR, 2.0) } else { (QUIET, 1.0) };
        canvas.add(
            Rectangle::new()
                .set("x", px(self.left))
                .set("y", px(self.top))
                .set("width", px(self.width))
                .set("height", px(Self::HEIGHT))
                .set("rx", 4)
                .set("fill", "none")
                .set("stroke", edge.light)
                .set("stroke-width", strength),
        );
        let mut baseline = self.top + PADDING / 2.0 + TEXT;
        for (place, words) in [&host.label, &host.side, &host.link].into_iter().enumerate() {
            // The name is bold, and so wider.
            let room = (self.width - 2.0 * PADDING) * if place == 0 { 0.9 } else { 1.0 };
            let line = text(self.left + PADDING, baseline, &fit(words, room));
            canvas.add(match place {
                0 => line.set("font-weight", 600),
                1 => line,
                _ => line.set("fill", QUIET.light),
            });
            baseline += LINE;
        }
    }
}

impl Hosts {
    /// The hosts as lines of text. Each has two prefixes: one for its first line, and one for the
    /// lines that it is wrapped into.
    pub(in crate::report) fn tree(&self) -> Vec<([&'static str; 2], String)> {
        let line = |host: &HostBox| format!("{}: {}; {}", host.label, host.side, host.link);
        let last = self.loads.len().saturating_sub(1);
        let loads = self.loads.iter().enumerate().map(|(place, load)| {
            let before = if place == last { ["└── ", "    "] } else { ["├── ", "│   "] };
            (before, line(load))
        });
        std::iter::once((["", ""], line(&self.server))).chain(loads).collect()
    }
}

impl Chart {
    /// The lines for a terminal, if this is a chart of hosts.
    pub(in crate::report) fn tree(&self) -> Option<Vec<([&'static str; 2], String)>> {
        if let Plot::Hosts(hosts) = &self.plot { Some(hosts.tree()) } else { None }
    }
}
