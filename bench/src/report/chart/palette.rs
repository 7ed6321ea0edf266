//! The colours of charts: one per role, in a light and a dark scheme.
//!
//! The series are the colours of M. Okabe and K. Ito ("Color universal design", 2008), which the
//! colour-blind can distinguish, made darker for light paper and lighter for dark paper until text
//! in them has a contrast of 4.5 (WCAG 2.1, AA). Colour is never the only difference, though.

use std::fmt::Write;

/// A role's colour. No two roles share the light one, so that CSS rules can replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) struct Colour {
    pub(in crate::report) role: &'static str,
    /// The colour on light paper, as `#` and six lower-case digits.
    pub(in crate::report) light: &'static str,
    pub(in crate::report) dark: &'static str,
}

/// Figures, names and whiskers.
pub(super) const INK: Colour = Colour { role: "ink", light: "#1f2933", dark: "#e4e7eb" };
/// Labels of axes, notes, and outlines of invalid bars.
pub(super) const QUIET: Colour = Colour { role: "quiet", light: "#5a6673", dark: "#9aa5b1" };
/// Lines at the ticks.
pub(super) const GRID: Colour = Colour { role: "grid", light: "#e1e5ea", dark: "#2c343d" };
/// The background, also inside hollow marks.
pub(super) const PAPER: Colour = Colour { role: "paper", light: "#ffffff", dark: "#14181d" };
/// The noise floor.
pub(super) const BAND: Colour = Colour { role: "band", light: "#f6e7c8", dark: "#3d3420" };
pub(super) const BAR: Colour = Colour { role: "bar", light: "#4a8fc7", dark: "#3f86c4" };

/// The colours of lines in their order, repeated if there are more lines.
pub(super) const SERIES: [Colour; 8] = [
    Colour { role: "series-1", light: "#0067a8", dark: "#56b4e9" },
    Colour { role: "series-2", light: "#b34700", dark: "#ff8c4b" },
    Colour { role: "series-3", light: "#007358", dark: "#2fc9a0" },
    Colour { role: "series-4", light: "#a03c78", dark: "#e29bc4" },
    Colour { role: "series-5", light: "#876000", dark: "#e9ae2c" },
    Colour { role: "series-6", light: "#5b4fc0", dark: "#a9a0f5" },
    Colour { role: "series-7", light: "#414b55", dark: "#c6ccd3" },
    Colour { role: "series-8", light: "#646b00", dark: "#dede5e" },
];

pub(in crate::report) const PALETTE: [Colour; 14] = {
    let [one, two, three, four, five, six, seven, eight] = SERIES;
    [INK, QUIET, GRID, PAPER, BAND, BAR, one, two, three, four, five, six, seven, eight]
};

/// CSS rules that replace the light colours of a chart by the dark ones, for a media query.
pub(in crate::report) fn dark_rules() -> String {
    PALETTE.iter().fold(String::new(), |mut rules, Colour { light, dark, .. }| {
        let _ = write!(rules, "[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}");
        rules
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour (WCAG 2.1).
    fn luminance(colour: &str) -> f64 {
        let channel = |place: usize| {
            let share = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn each_role_has_a_colour_of_its_own() {
        let mut colours = PALETTE.map(|colour| colour.light).to_vec();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(PALETTE.len(), colours.len());
    }

    #[test]
    fn text_can_be_read_and_bars_stand_out_in_both_schemes() {
        let text = [INK, QUIET].into_iter().chain(SERIES).map(|colour| (colour, PAPER, 4.5));
        for (one, other, least) in text.chain([(INK, BAND, 4.5), (BAR, PAPER, 3.0), (BAR, INK, 3.0)]) {
            let pair = format!("{} on {}", one.role, other.role);
            assert!(contrast(one.light, other.light) >= least, "light: {pair}");
            assert!(contrast(one.dark, other.dark) >= least, "dark: {pair}");
        }
    }

    #[test]
    fn rules_change_fills_and_strokes() {
        let rules = dark_rules();
        assert!(rules.starts_with(
            "[fill=\"#1f2933\"]{fill:#e4e7eb}[stroke=\"#1f2933\"]{stroke:#e4e7eb}[fill=\"#5a6673\"]"
        ));
        assert_eq!(2 * PALETTE.len(), rules.matches('{').count());
    }
}
