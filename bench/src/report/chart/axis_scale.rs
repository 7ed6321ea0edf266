//! The scale of an axis: where figures lie on it, and the ticks.

use super::{Axis, Scale};
use crate::report::value::{Figure, Quantity, Unit};
use crate::text::numbers;

/// A linear axis has at least this many tick distances, and, with steps of 1, 2 and 5, at most 8.
const TICK_STEPS: f64 = 3.0;

/// Up to this number of points can be the ticks of an axis; with more, ticks are round figures.
const FEW_POINTS: usize = 10;

/// The ticks of an axis of percentiles.
const PERCENTILES: [f64; 6] = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999];

/// The rounding error of calculations with fractions.
const TOLERANCE: f64 = 1e-9;

/// An upper bound on the ticks of an axis. It ends the iteration where figures are so large, or so
/// close to each other, that adding a step does not change them.
const MOST_TICKS: usize = 10;

/// Maps the figures of an axis to places.
#[derive(Clone, Debug)]
pub(super) struct AxisScale {
    pub(super) unit: Unit,
    pub(super) ticks: Vec<Tick>,
    scale: Scale,
    /// The ends of the axis, transformed by the scale.
    ends: [f64; 2],
}

/// A labelled figure of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Its place, from 0 at the beginning of the axis to 1 at its end.
    pub(super) place: f64,
    /// The figure in the axis' unit, without the unit's symbol.
    pub(super) label: String,
}

impl AxisScale {
    /// A scale that includes all figures and ends at round ones; `None` if there are no figures.
    pub(super) fn new(axis: &Axis, figures: &[f64]) -> Option<Self> {
        let [low, high] =
            range(figures.iter().copied().filter(|figure| axis.scale.spread(*figure).is_some()))?;
        let unit = |figure: f64| axis.quantity.unit(std::iter::once(figure));
        Some(match axis.scale {
            // The axis ends at the first tick that is not below the highest figure.
            Scale::Linear => {
                let unit = unit(high);
                let end = if high > 0.0 { high * unit.factor } else { 1.0 };
                let step = even_step([0.0, end]);
                Self::linear(unit, [0.0, (end / step - TOLERANCE).ceil() * step / unit.factor])
            }
            Scale::Log => Self::by_logarithm(unit((low * high).sqrt()), [low, high]),
            Scale::Percentile => {
                let place = |share: f64| axis.scale.spread(share).unwrap_or(0.0);
                let end = place(high).max(1.0);
                let ticks = PERCENTILES.into_iter().filter(|share| place(*share) <= end + TOLERANCE);
                Self::with_ticks(axis.scale, unit(high), [0.0, end], ticks)
            }
        })
    }

    /// A scale for points. Few counts, or few points of a logarithmic axis, are also its ticks.
    pub(super) fn for_points(axis: &Axis, points: &[f64]) -> Option<Self> {
        let mut distinct =
            points.iter().copied().filter(|point| axis.scale.spread(*point).is_some()).collect::<Vec<_>>();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let is_few = (2..=FEW_POINTS).contains(&distinct.len());
        let has_points_as_ticks = match axis.scale {
            Scale::Linear => is_few && axis.quantity == Quantity::Count,
            Scale::Log => is_few,
            Scale::Percentile => false,
        };
        match distinct.as_slice() {
            [low, .., high] if has_points_as_ticks => {
                let unit = axis.quantity.unit(std::iter::once((low * high).sqrt()));
                let ends = [axis.scale.spread(low * unit.factor)?, axis.scale.spread(high * unit.factor)?];
                Some(Self::with_ticks(
                    axis.scale,
                    unit,
                    ends,
                    distinct.iter().map(|point| point * unit.factor),
                ))
            }
            _ => Self::new(axis, points),
        }
    }

    /// A linear scale from one figure to a higher one.
    pub(super) fn linear(unit: Unit, [low, high]: [f64; 2]) -> Self {
        let high = if high > low { high } else { low + 1.0 / unit.factor };
        let ends = [low * unit.factor, high * unit.factor];
        Self::with_ticks(Scale::Linear, unit, ends, even_ticks(ends))
    }

    /// The place of a figure, from 0 to 1; `None` outside of the axis, as for the logarithm of 0.
    pub(super) fn place(&self, figure: f64) -> Option<f64> {
        let [low, high] = self.ends;
        let figure = if self.scale == Scale::Percentile { figure } else { figure * self.unit.factor };
        let place = (self.scale.spread(figure)? - low) / (high - low);
        (-TOLERANCE..=1.0 + TOLERANCE).contains(&place).then_some(place)
    }

    /// The label of the axis, with the unit.
    pub(super) fn caption(&self, label: &str) -> String {
        match self.unit.symbol {
            "" => label.to_owned(),
            symbol => format!("{label}, {symbol}"),
        }
    }

    fn with_ticks(scale: Scale, unit: Unit, ends: [f64; 2], ticks: impl IntoIterator<Item = f64>) -> Self {
        let [low, high] = ends;
        let tick = |figure: f64| {
            let label = plain(if scale == Scale::Percentile { figure * 100.0 } else { figure });
            Some(Tick { place: (scale.spread(figure)? - low) / (high - low), label })
        };
        Self { unit, ticks: ticks.into_iter().filter_map(tick).collect(), scale, ends }
    }

    /// A logarithmic scale that includes all figures. Its ends are 1, 2 or 5 times a power of ten.
    fn by_logarithm(unit: Unit, figures: [f64; 2]) -> Self {
        let [low, high] = figures.map(|figure| figure * unit.factor);
        let round = round_figures(low, high);
        let begin = round.iter().rfind(|figure| **figure <= low * (1.0 + TOLERANCE)).copied().unwrap_or(low);
        let end = round
            .iter()
            .find(|figure| **figure >= high * (1.0 - TOLERANCE) && **figure > begin)
            .copied()
            .unwrap_or(high);
        let is_decade = |figure: f64| (figure.log10() - figure.log10().round()).abs() < TOLERANCE;
        let has_decades_alone = end / begin >= 100.0;
        let ticks = round
            .into_iter()
            .filter(|figure| (begin..=end).contains(figure) && (!has_decades_alone || is_decade(*figure)));
        Self::with_ticks(Scale::Log, unit, [begin.log10(), end.log10()], ticks)
    }
}

impl Scale {
    /// A figure, transformed; `None` if it cannot be on this scale.
    fn spread(self, figure: f64) -> Option<f64> {
        let place = match self {
            Self::Linear => figure,
            Self::Log => figure.log10(),
            Self::Percentile if figure < 0.0 => f64::NAN,
            Self::Percentile => -(1.0 - figure).log10(),
        };
        place.is_finite().then_some(place)
    }
}

/// Returns the figure if its value is finite, with its interval if both ends are finite.
pub(super) fn known(figure: Figure) -> Option<Figure> {
    let interval = figure.interval.filter(|ends| ends.iter().all(|end| end.is_finite()));
    figure.value.is_finite().then_some(Figure { interval, ..figure })
}

/// The lowest and the highest of some figures.
pub(super) fn range(figures: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    figures
        .map(|figure| [figure, figure])
        .reduce(|[low, high], [figure, _]| [low.min(figure), high.max(figure)])
}

/// A figure with its unit: `8.12 µs`, `9.75×`, `12`.
pub(super) fn with_unit(figure: f64, quantity: Quantity, unit: Unit) -> String {
    let is_close = unit.symbol.is_empty() || matches!(quantity, Quantity::Ratio | Quantity::Rate);
    let space = if is_close { "" } else { " " };
    format!("{}{space}{}", quantity.number(figure, unit), unit.symbol)
}

/// A round figure without trailing zeros: `0.5`, `20`, `1,000`.
fn plain(figure: f64) -> String {
    let digits = format!("{:.6}", figure.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), numbers::whole);
    let sign = if figure < 0.0 { "-" } else { "" };
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// The distance between two ticks: 1, 2 or 5 times a power of ten.
fn even_step([low, high]: [f64; 2]) -> f64 {
    let most = (high - low) / TICK_STEPS;
    let decade = 10_f64.powf(most.log10().floor());
    [5.0, 2.0].map(|factor| factor * decade).into_iter().find(|step| *step <= most).unwrap_or(decade)
}

fn even_ticks(ends: [f64; 2]) -> Vec<f64> {
    let [low, high] = ends;
    let step = even_step(ends);
    let first = (low / step - TOLERANCE).ceil();
    std::iter::successors(Some(first), |place| Some(place + 1.0))
        .map(|place| place * step)
        .take_while(|figure| *figure <= high + step * TOLERANCE)
        .take(MOST_TICKS)
        .collect()
}

/// 1, 2 and 5 times each power of ten around a range.
fn round_figures(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor();
    std::iter::successors(Some(first), |exponent| Some(exponent + 1.0))
        .take_while(|exponent| *exponent <= high.log10() + 1.0)
        .flat_map(|exponent| [1.0, 2.0, 5.0].map(|factor| factor * 10_f64.powf(exponent)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(quantity: Quantity, scale: Scale) -> Axis {
        Axis { label: String::new(), quantity, scale }
    }

    fn labels(scale: Scale, quantity: Quantity, figures: &[f64]) -> String {
        AxisScale::new(&axis(quantity, scale), figures).map_or("none".into(), |scale| {
            let labels = scale.ticks.iter().map(|tick| tick.label.clone()).collect::<Vec<_>>();
            format!("{} {}", labels.join(" "), scale.unit.symbol).trim_end().to_owned()
        })
    }

    #[test]
    fn ticks_are_round_and_labelled() {
        use Quantity::{Count, Ratio, Share, Time};
        use Scale::{Linear, Log, Percentile};
        for (scale, quantity, figures, expected) in [
            (Linear, Count, &[3.0, 9.0][..], "0 2 4 6 8 10"),
            (Linear, Count, &[0.0], "0 0.2 0.4 0.6 0.8 1"),
            (Linear, Ratio, &[0.012], "0 0.002 0.004 0.006 0.008 0.01 0.012 ×"),
            (Linear, Time, &[0.000_8, 0.003], "0 1 2 3 ms"),
            (Linear, Count, &[400_000.0], "0 100,000 200,000 300,000 400,000"),
            (Linear, Count, &[f64::NAN, f64::INFINITY], "none"),
            (Log, Time, &[80e-6, 0.9], "0.1 1 10 100 1,000 ms"),
            (Log, Time, &[3e-3, 45e-3], "2 5 10 20 50 ms"),
            (Log, Time, &[3.1e-3, 4.5e-3], "2 5 ms"),
            (Log, Count, &[10.0], "10 20"),
            (Log, Count, &[0.0, 10.0, 2000.0], "10 100 1,000"),
            (Log, Count, &[0.0, -1.0], "none"),
            (Percentile, Share, &[0.0, 0.9, 0.9999, 1.0], "0 50 90 99 99.9 99.99 %"),
            (Percentile, Share, &[0.5, 0.995], "0 50 90 99 %"),
            (Percentile, Share, &[0.0], "0 50 90 %"),
            (Percentile, Share, &[1.0], "none"),
        ] {
            assert_eq!(expected, labels(scale, quantity, figures), "{scale:?} {figures:?}");
        }
    }

    #[test]
    fn few_points_are_the_ticks() {
        for (scale, points, expected) in [
            (Scale::Log, &[64.0, 1.0, 8192.0, 8.0, 64.0][..], &["1", "8", "64", "8,192"][..]),
            (Scale::Linear, &[1.0, 2.0, 3.0], &["1", "2", "3"]),
        ] {
            let scale = AxisScale::for_points(&axis(Quantity::Count, scale), points).unwrap();
            let labels = scale.ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>();
            assert_eq!(expected, labels);
            let ends = [scale.ticks.first(), scale.ticks.last()].map(|tick| tick.unwrap().place);
            assert_eq!([0.0, 1.0], ends);
        }
    }

    #[test]
    fn figures_are_placed_by_the_scale() {
        let place = |scale, figures: &[f64], figure| {
            let scale = AxisScale::new(&axis(Quantity::Count, scale), figures).unwrap();
            scale.place(figure).map(|place| (place * 1000.0).round() / 1000.0)
        };
        assert_eq!(Some(0.25), place(Scale::Linear, &[10.0], 2.5));
        assert_eq!(Some(0.5), place(Scale::Log, &[1.0, 100.0], 10.0));
        assert_eq!(None, place(Scale::Log, &[1.0, 100.0], 0.0));
        assert_eq!(Some(0.667), place(Scale::Percentile, &[0.999], 0.99));
        assert_eq!(None, place(Scale::Percentile, &[0.999], 1.0));
        assert_eq!(None, place(Scale::Linear, &[10.0], f64::NAN));
    }

    #[test]
    fn figures_have_their_unit() {
        let microseconds = Unit { symbol: "µs", factor: 1e6 };
        assert_eq!("8.12 µs", with_unit(8.12e-6, Quantity::Time, microseconds));
        for (quantity, figure, expected) in [
            (Quantity::Ratio, 9.754, "9.75×"),
            (Quantity::Rate, 12_345.0, "12,345/s"),
            (Quantity::Count, 3.0, "3"),
            (Quantity::Share, 0.017, "1.7 %"),
        ] {
            assert_eq!(expected, with_unit(figure, quantity, quantity.unit(std::iter::once(figure))));
        }
    }
}
