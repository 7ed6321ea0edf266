//! The budgets, and counts held against them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use bench::text::toml_file;
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

/// What was counted for a line of the budgets. It is shown as the line that would be right for it.
#[derive(Debug, PartialEq)]
pub(crate) struct Count {
    /// Where the line stands, from the checkout's top.
    pub(crate) file: String,
    /// What stands in front of its number.
    pub(crate) key: String,
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
    pub(crate) fn is_over(&self) -> bool {
        self.counted > self.budget * (1.0 + MARGIN)
    }

    fn can_be_lowered(&self) -> bool {
        self.counted < self.budget * (1.0 - MARGIN)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { file, key, budget, counted } = self;
        let percent = (counted / budget - 1.0) * 100.0;
        write!(f, "{file}: {key} = {counted:.1} # {percent:+.1} %")?;
        if self.is_over() {
            f.write_str(": too many")?;
        } else if self.can_be_lowered() {
            f.write_str(": the budget can be lowered")?;
        }
        Ok(())
    }
}

#[test]
fn counts_are_held_against_their_budgets() {
    let cases = [
        (100.0, "100.0 # +0.0 %"),
        (102.0, "102.0 # +2.0 %"),
        (102.1, "102.1 # +2.1 %: too many"),
        (98.0, "98.0 # -2.0 %"),
        (97.9, "97.9 # -2.1 %: the budget can be lowered"),
    ];
    for (counted, expected) in cases {
        let (file, key) = ("servers/rust/hyper/server.toml".to_owned(), "instructions".to_owned());
        let count = Count { file, key, budget: 100.0, counted };
        assert_eq!(count.to_string(), format!("servers/rust/hyper/server.toml: instructions = {expected}"));
        assert_eq!(count.is_over(), expected.ends_with("too many"), "{count}");
    }
}
