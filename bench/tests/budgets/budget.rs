//! The budgets, and counts that are compared with them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The share by which a count may exceed its budget. Counts differ between machines by the version
/// of the C library, and by the work of a clock or another thread. The budget of a count that is
/// lower by more than this share can be lowered.
const MARGIN: f64 = 0.02;

/// `bench/budgets.toml`: instructions per request in shared code, by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    /// The compiler and the kind of processor of every count.
    pub(crate) counted_with: String,
    pub(crate) code: BTreeMap<String, f64>,
}

/// The count for a line of the budgets. It is displayed as that line, with the count as its number.
#[derive(Debug, PartialEq)]
pub(crate) struct Count {
    /// The file of the line, from the root of the checkout.
    pub(crate) file: String,
    /// The text before its number.
    pub(crate) key: String,
    /// Instructions per request.
    pub(crate) budget: f64,
    pub(crate) counted: f64,
}

impl Count {
    pub(crate) fn is_over(&self) -> bool {
        self.counted > self.budget * (1.0 + MARGIN)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { file, key, budget, counted } = self;
        let percent = (counted / budget - 1.0) * 100.0;
        write!(f, "{file}: {key} = {counted:.1} # {percent:+.1} %")?;
        if self.is_over() {
            f.write_str(": too many")?;
        } else if *counted < budget * (1.0 - MARGIN) {
            f.write_str(": the budget can be lowered")?;
        }
        Ok(())
    }
}

#[test]
fn counts_are_compared_with_their_budgets() {
    let cases = [
        (100.0, "100.0 # +0.0 %"),
        (102.0, "102.0 # +2.0 %"),
        (102.1, "102.1 # +2.1 %: too many"),
        (98.0, "98.0 # -2.0 %"),
        (97.9, "97.9 # -2.1 %: the budget can be lowered"),
    ];
    for (counted, expected) in cases {
        let count = Count { file: "a.toml".into(), key: "instructions".into(), budget: 100.0, counted };
        assert_eq!(count.to_string(), format!("a.toml: instructions = {expected}"));
        assert_eq!(count.is_over(), expected.ends_with("too many"), "{count}");
    }
}
