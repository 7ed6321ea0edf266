//! The budgets, and counts held against them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use bench::toml_file;
use serde::Deserialize;

/// By which part a count may be over its budget, for what differs between machines: a C library's version, and what a clock or
/// another thread does. One that is as much below it has become cheaper.
const MARGIN: f64 = 0.02;

/// `bench/budgets.toml`: instructions a request in code that is shared, by name, and what every count was made with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    /// The compiler and the kind of processor.
    pub(crate) counted_with: String,
    pub(crate) code: BTreeMap<String, f64>,
}

/// What was counted for a line of the budgets.
#[derive(Debug, PartialEq)]
pub(crate) struct Count {
    pub(crate) name: String,
    /// Instructions a request.
    pub(crate) budget: f64,
    pub(crate) counted: f64,
}

impl Budgets {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        toml_file::read(path)
    }
}

impl Count {
    /// Counts. What is not as expected is counted three times, and the median is taken: a server's other threads look at
    /// clocks, and a client may come late.
    pub(crate) fn take(name: &str, budget: f64, mut count: impl FnMut() -> f64) -> Self {
        let first = Self { name: name.to_owned(), budget, counted: count() };
        if !first.is_over() && !first.can_be_lowered() {
            return first;
        }
        let mut counts = [first.counted, count(), count()];
        counts.sort_unstable_by(f64::total_cmp);
        Self { counted: counts[1], ..first }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.counted > self.budget * (1.0 + MARGIN)
    }

    fn can_be_lowered(&self) -> bool {
        self.counted < self.budget * (1.0 - MARGIN)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { name, budget, counted } = self;
        let percent = (counted / budget - 1.0) * 100.0;
        write!(f, "{name:<24} {counted:>8.1} of {budget:>8.1}, {percent:+.1} %")?;
        if self.is_over() {
            f.write_str(": too many")?;
        } else if self.can_be_lowered() {
            f.write_str(": the budget can be lowered")?;
        }
        Ok(())
    }
}

#[test]
fn what_is_not_as_expected_is_counted_again() {
    let cases: [(&[f64], f64); 3] =
        [(&[101.0], 101.0), (&[110.0, 100.0, 101.0], 101.0), (&[90.0, 91.0, 110.0], 91.0)];
    for (counts, expected) in cases {
        let mut next = counts.iter().copied();
        assert_eq!(Count::take("hyper", 100.0, || next.next().unwrap()).counted, expected, "{counts:?}");
        assert_eq!(next.next(), None);
    }
}

#[test]
fn counts_are_held_against_their_budgets() {
    let cases = [
        (100.0, 100.0, "100.0 of    100.0, +0.0 %"),
        (100.0, 102.0, "102.0 of    100.0, +2.0 %"),
        (100.0, 102.1, "102.1 of    100.0, +2.1 %: too many"),
        (100.0, 98.0, "98.0 of    100.0, -2.0 %"),
        (100.0, 97.9, "97.9 of    100.0, -2.1 %: the budget can be lowered"),
    ];
    for (budget, counted, expected) in cases {
        let count = Count { name: "hyper".into(), budget, counted };
        assert!(count.to_string().ends_with(expected), "{count}");
        assert_eq!(count.is_over(), expected.ends_with("too many"), "{count}");
    }
}
