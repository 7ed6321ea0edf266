//! `bench report`: the tables of a measurement, from its records alone.

use super::{Outcome, print};
use crate::cli::Report;
use crate::{report, results};

pub(super) fn run(arguments: &Report) -> anyhow::Result<Outcome> {
    print(&report::text(&results::load(&arguments.folder)?))
}
