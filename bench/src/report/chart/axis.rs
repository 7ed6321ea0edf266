//! Axes: lines at the ticks, their labels, and the caption.

use std::fmt::Write;

use svg::node::Node;
use svg::node::element::{Group, Path};

use super::axis_scale::AxisScale;
use super::canvas::{BASELINE, Canvas, Frame, TEXT, fit, px, text, text_width};
use super::palette::{GRID, QUIET};

/// The height of the labels of a horizontal axis with the caption below them.
pub(super) const AXIS_HEIGHT: f64 = 44.0;

/// The height of the caption above a vertical axis.
pub(super) const CAPTION_HEIGHT: f64 = 26.0;

/// The distance from a horizontal axis to the baseline of its labels, which are below the labels of
/// a vertical axis.
const LABEL_DROP: f64 = 18.0;

/// The least room between two labels beside each other.
const LABEL_GAP: f64 = 8.0;

/// Draws a horizontal axis, with its labels and its caption below a frame.
pub(super) fn draw_horizontal(canvas: &mut Canvas, scale: &AxisScale, label: &str, frame: Frame) {
    let mut grid = String::new();
    let mut labels = Group::new().set("fill", QUIET.light).set("text-anchor", "middle");
    let mut free = f64::INFINITY;
    // The last tick shows where the axis ends, so labels that would overlap its label are left out.
    for tick in scale.ticks.iter().rev() {
        let x = frame.x(tick.place);
        let _ = write!(grid, "M{} {}V{}", px(x), px(frame.top), px(frame.bottom));
        let half = text_width(&tick.label) / 2.0;
        let middle = x.min(canvas.width.pixels() - half).max(half);
        if middle + half <= free {
            labels.append(text(middle, frame.bottom + LABEL_DROP, &tick.label));
            free = middle - half - LABEL_GAP;
        }
    }
    canvas.add(Path::new().set("d", grid).set("stroke", GRID.light));
    canvas.add(labels);
    let caption = fit(&scale.caption(label), canvas.width.pixels() - frame.left);
    canvas.add(text(frame.left, frame.bottom + AXIS_HEIGHT - 8.0, &caption).set("fill", QUIET.light));
}

/// Draws a vertical axis, with its labels to the left of a frame and its caption above it.
pub(super) fn draw_vertical(canvas: &mut Canvas, scale: &AxisScale, label: &str, frame: Frame) {
    let mut grid = String::new();
    let mut labels = Group::new().set("fill", QUIET.light).set("text-anchor", "end");
    let mut free = f64::INFINITY;
    for tick in &scale.ticks {
        let y = frame.y(tick.place);
        let _ = write!(grid, "M{} {}H{}", px(frame.left), px(y), px(frame.right));
        if y + TEXT <= free {
            labels.append(text(frame.left - LABEL_GAP, y + BASELINE, &tick.label));
            free = y;
        }
    }
    canvas.add(Path::new().set("d", grid).set("stroke", GRID.light));
    canvas.add(labels);
    let caption = fit(&scale.caption(label), canvas.width.pixels());
    canvas.add(text(0.0, frame.top - CAPTION_HEIGHT + TEXT, &caption).set("fill", QUIET.light));
}

/// Draws the line at which lengths begin, from one corner of a frame to another.
pub(super) fn draw_base(canvas: &mut Canvas, from: [f64; 2], to: [f64; 2]) {
    let [[x, y], [right, bottom]] = [from, to].map(|corner| corner.map(px));
    canvas.add(Path::new().set("d", format!("M{x} {y}L{right} {bottom}")).set("stroke", QUIET.light));
}

/// The width of the labels of a vertical axis.
pub(super) fn label_width(scale: &AxisScale) -> f64 {
    scale.ticks.iter().map(|tick| text_width(&tick.label)).fold(0.0, f64::max) + LABEL_GAP
}
