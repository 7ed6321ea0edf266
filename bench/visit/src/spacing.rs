//! The value of `--arrivals`: how the requests of an open loop are spaced.

use std::fmt;

use clap::ValueEnum;

/// How the requests of an open loop are spaced. In flags and in the report: `even` or `poisson`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Spacing {
    /// Evenly spaced.
    #[default]
    Even,
    /// At random, with exponential gaps, as from independent visitors.
    Poisson,
}

impl fmt::Display for Spacing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Even => "even",
            Self::Poisson => "poisson",
        })
    }
}
