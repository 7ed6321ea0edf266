//! Decides when there are enough repetitions. A measurement that continues until its intervals are
//! narrow enough looks at them after certain numbers of repetitions, which are fixed before the
//! first repetition: the more looks there may be, the wider an interval has to be (see
//! [`statistics`](super::statistics)).

use std::fmt::{self, Display, Formatter};

use super::summary::{Cell, WorkloadSummary};
use crate::store::record::Bound;
use crate::text::numbers;

/// The numbers of repetitions after which intervals are looked at. The first is the lowest number
/// of values that has an interval with six looks. Twice the repetitions make an interval narrower
/// by a third, so that a look in between would seldom end a measurement that the look before it did
/// not. 256 repetitions take hours.
pub const LOOKS: [u32; 6] = [8, 16, 32, 64, 128, 256];

/// The widest of the intervals that decide about the servers of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Widest<'a> {
    /// The name of the server, or of the duplicate, that the interval belongs to.
    pub server: &'a str,
    /// The interval's width as a share of its median; infinite where there is no interval.
    pub width: f64,
    is_disturbed: bool,
}

/// `3.41 % (hyper)`, or why there is no interval.
impl Display for Widest<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self { server, width, is_disturbed } = self;
        match (width.is_finite(), is_disturbed) {
            (true, _) => write!(out, "{} % ({server})", numbers::significant(width * 100.0)),
            (false, true) => write!(out, "unknown ({server} is disturbed)"),
            (false, false) => write!(out, "unknown ({server} has figures of fewer than {})", LOOKS[0]),
        }
    }
}

/// Returns the widest interval of a workload's leading figure. The intervals are those of each
/// ranked server's ratio to the best one and of the duplicate's ratio to its server, or, with one
/// ranked server, of the figure itself. A disturbed cell has no interval yet, since later
/// repetitions may change its verdict. `None` where all servers are invalid or failed.
pub fn widest<'a>(summary: &'a WorkloadSummary<'a>) -> Option<Widest<'a>> {
    let figure = summary.leading();
    let is_disturbed = |cell: &&Cell| cell.bound() == Some(Bound::Disturbed);
    if let Some(cell) = summary.cells.iter().chain(&summary.duplicate).find(is_disturbed) {
        return Some(Widest { server: cell.name(), width: f64::INFINITY, is_disturbed: true });
    }
    let ranked: Vec<&Cell> = summary.ranked().map(|(cell, _)| cell).collect();
    let (best, others) = ranked.split_first()?;
    let own = others.is_empty().then(|| (best.name(), best.estimate(figure.per_run)));
    let ratios = others.iter().map(|cell| (cell.name(), cell.ratio_to(best, figure)));
    let duplicate = summary.duplicate.as_ref().zip(summary.control(figure));
    let control = duplicate.map(|(cell, (_, ratio))| (cell.name(), Some(ratio)));
    let widths = own.into_iter().chain(ratios).chain(control).map(|(server, estimate)| {
        let estimate = estimate.filter(|estimate| estimate.values >= LOOKS[0] as usize);
        let width = estimate.map_or(f64::INFINITY, |estimate| estimate.width());
        Widest { server, width, is_disturbed: false }
    });
    widths.max_by(|one, other| one.width.total_cmp(&other.width))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use super::*;
    use crate::analysis::statistics::Estimate;
    use crate::analysis::summary::summarise;
    use crate::store::record::{Record, UntilRecord};
    use crate::text::numbers::as_f64;

    const WIDTH: f64 = 0.02;
    const MEASUREMENTS: u64 = 2000;

    /// Whether a measurement stops with this estimate.
    type Rule = fn(&Estimate) -> bool;

    /// Draws one repetition's figure, whose true median is 1.
    type Draw = fn(&mut fastrand::Rng) -> f64;

    /// Draws a skewed figure, as times are: never much less than usual, and sometimes much more.
    fn skewed(random: &mut fastrand::Rng) -> f64 {
        1.0 + 0.02 * (-(1.0 - random.f64()).ln() - LN_2)
    }

    /// Draws a sum of evenly distributed numbers, which is nearly normally distributed.
    fn even(random: &mut fastrand::Rng) -> f64 {
        1.0 + 0.02 * ((0..12).map(|_| random.f64()).sum::<f64>() - 6.0)
    }

    /// Draws a figure of a machine that runs at one of two paces.
    fn two_paces(random: &mut fastrand::Rng) -> f64 {
        let pace = if random.bool() { 0.9 } else { 1.1 };
        pace + 0.002 * (random.f64() - 0.5)
    }

    /// Simulates measurements that stop at the first look at which `is_enough`, or at the last one.
    /// Returns the share whose last interval holds the true median, with intervals for this number
    /// of looks.
    fn held(draw: Draw, looks: usize, is_enough: Rule) -> f64 {
        let holds = |seed: &u64| {
            let mut random = fastrand::Rng::with_seed(*seed);
            let mut values = Vec::new();
            let mut at = LOOKS.iter().map(|count| {
                values.resize_with(*count as usize, || draw(&mut random));
                Estimate::from_looks(values.clone(), looks).unwrap()
            });
            let mut last = at.next().unwrap();
            while !is_enough(&last)
                && let Some(next) = at.next()
            {
                last = next;
            }
            holds_1(&last)
        };
        as_f64((0..MEASUREMENTS).filter(holds).count() as u64) / as_f64(MEASUREMENTS)
    }

    fn holds_1(estimate: &Estimate) -> bool {
        (estimate.low..=estimate.high).contains(&1.0)
    }

    /// The table in METHODOLOGY.md: how often the interval at which a measurement stops holds the
    /// true median. A measurement stops when the interval is narrow enough, or when it seems to
    /// show a difference although there is none. The first column is without the correction.
    #[test]
    fn the_interval_at_which_a_measurement_stops_holds_the_truth() {
        let rules: [(&str, Rule); 2] = [
            ("its interval is narrower than 2 %", |estimate| estimate.width() < WIDTH),
            ("its interval does not hold 1", |estimate| !holds_1(estimate)),
        ];
        let draws: [(&str, Draw); 3] =
            [("nearly normal", even), ("skewed", skewed), ("at two paces", two_paces)];
        let mut rows = Vec::new();
        for (rule, is_enough) in rules {
            for (shape, draw) in draws {
                let [plain, corrected] = [1, 6].map(|looks| held(draw, looks, is_enough));
                assert!(corrected >= 0.95 && plain < corrected, "{rule}, {shape}: {plain}, {corrected}");
                let percent = |share: f64| format!("{:.1} %", share * 100.0);
                rows.push(format!("| {rule} | {shape} | {} | {} |", percent(plain), percent(corrected)));
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../METHODOLOGY.md");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&rows.join("\n")), "METHODOLOGY.md lacks:\n{}", rows.join("\n"));
    }

    /// The probability that at any look the interval, for this number of looks, misses the true
    /// median. It depends only on the number of values below the true median. Each value lies below
    /// it with a probability of one half.
    fn misses(looks: usize) -> f64 {
        // The probability of each number of values below the true median, where no look missed yet.
        let (mut below, mut missed) = (vec![1.0], 0.0);
        for count in LOOKS.map(|count| count as usize) {
            while below.len() <= count {
                let mut next = vec![0.0; below.len() + 1];
                for (number, probability) in below.iter().enumerate() {
                    next[number] += probability / 2.0;
                    next[number + 1] += probability / 2.0;
                }
                below = next;
            }
            let places = (1..=count).map(|place| as_f64(place as u64)).collect();
            let Estimate { low, .. } = Estimate::from_looks(places, looks).unwrap();
            let is_missed = |number: usize| as_f64(number.min(count - number) as u64) < low;
            for (_, probability) in below.iter_mut().enumerate().filter(|(number, _)| is_missed(*number)) {
                missed += std::mem::take(probability);
            }
        }
        missed
    }

    /// METHODOLOGY.md has these shares in percent.
    #[test]
    fn all_looks_together_miss_less_often_than_one_in_twenty() {
        let percent = |looks| (misses(looks) * 1e3).round() / 10.0;
        assert_eq!([1, 6].map(percent), [11.5, 3.2]);
    }

    #[test]
    fn the_widest_interval_is_of_ratios_or_of_one_server() {
        // In each repetition the machine has another pace, and `loose` differs by up to 6 %.
        let runs = |server: &str, repetitions: u32, bound: Bound| -> Vec<Record> {
            let run = |repetition| {
                let mut run = Record::example(server, repetition);
                let loose = if server == "loose" { 0.02 * f64::from(repetition % 4) } else { 0.0 };
                run.set_cpu_seconds(1e-2 * f64::from(1 + repetition % 2) * (1.0 + loose));
                run.set_bound(bound);
                run.server.duplicate_of = server.strip_suffix("-duplicate").map(str::to_owned);
                run.until = Some(UntilRecord { width: WIDTH, looks: 6 });
                run
            };
            (1..=repetitions).map(run).collect()
        };
        let sound = |server, repetitions| runs(server, repetitions, Bound::ServerBound);
        let infinite = f64::INFINITY;
        let cases = [
            ("one server", vec![sound("loose", 8)], Some(("loose", 1.12 / 1.54))),
            ("too few", vec![sound("one", 7)], Some(("one", infinite))),
            ("two equal ones", vec![sound("one", 8), sound("two", 8)], Some(("two", 0.0))),
            ("two", vec![sound("one", 8), sound("loose", 8)], Some(("loose", 0.06 / 1.03))),
            ("one failed", vec![sound("one", 8), sound("two", 7)], Some(("two", infinite))),
            (
                "one is invalid",
                vec![sound("one", 8), sound("two", 8), runs("loose", 8, Bound::Invalid)],
                Some(("two", 0.0)),
            ),
            (
                "a duplicate",
                vec![sound("one", 8), sound("two", 8), sound("one-duplicate", 7)],
                Some(("one-duplicate", infinite)),
            ),
            (
                "one is disturbed",
                vec![sound("one", 8), sound("two", 8), runs("loose", 8, Bound::Disturbed)],
                Some(("loose", infinite)),
            ),
            ("all are invalid", vec![runs("one", 8, Bound::Invalid)], None),
        ];
        for (name, runs, expected) in cases {
            let records = runs.concat();
            let summaries = summarise(&records);
            let found = widest(&summaries[0]).map(|found| (found.server, found.width));
            let is_near = |(one, width): (&str, f64), (other, found): (&str, f64)| {
                one == other && (width == found || (width - found).abs() < 0.02)
            };
            let is_same = found.zip(expected).map(|(found, expected)| is_near(expected, found));
            assert!(is_same.unwrap_or(found == expected), "{name}: {found:?}");
        }
    }
}
