//! Repetitions that continue until intervals are narrow enough, or the budget is spent.

use std::time::Duration;

use crate::analysis::looks::{self, LOOKS, Widest};
use crate::analysis::summary::WorkloadSummary;
use crate::servers::workload::Workload;
use crate::store::record::{Record, UntilRecord};
use crate::text::numbers::{counted, percent};

/// The condition that ends repetitions whose number is not fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Until {
    /// How wide an interval may be, as a share of its median.
    pub width: f64,
    /// The time that the runs of all workloads may take, in equal shares.
    pub budget: Duration,
}

/// The decision after a look at the figures of a workload.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// More repetitions follow, up to this number, after which the next look is made.
    Further(u32),
    /// No repetition follows, since each interval is narrow enough.
    Narrow,
    /// No repetition follows, since no server has figures that could be ranked.
    NoFigures,
    /// No repetition follows, since no further one fits into the budget.
    Spent,
    /// No repetition follows, since the maximum number has been made.
    Most,
}

impl Next {
    /// Whether no repetition follows.
    pub(super) fn is_end(&self) -> bool {
        !matches!(self, Self::Further(_))
    }
}

impl Until {
    /// The maximum number of repetitions.
    pub const MOST: u32 = LOOKS[LOOKS.len() - 1];

    /// Whether the workload may have any number of repetitions. A search may not, since its
    /// repetitions are its steps.
    pub fn applies_to(workload: &Workload) -> bool {
        !workload.searches()
    }

    /// The stored form.
    pub(super) fn record(&self) -> UntilRecord {
        UntilRecord { width: self.width, looks: LOOKS.len() }
    }

    /// Looks at the runs of a workload in `done`, up to a repetition. Returns what follows, and a
    /// sentence about it.
    pub(super) fn look(
        &self,
        done: &[Record],
        workload: &Workload,
        repetition: u32,
        is_spent: bool,
    ) -> (Next, String) {
        let is_its = |run: &&Record| {
            run.workload.name == workload.name
                && run.tool.name == workload.tool()
                && run.repetition.is_some_and(|made| made <= repetition)
        };
        let runs: Vec<&Record> = done.iter().filter(is_its).collect();
        let summary = (!runs.is_empty()).then(|| WorkloadSummary::new(runs, false));
        let widest = summary.as_ref().and_then(looks::widest);
        let next = match &widest {
            None => Next::NoFigures,
            Some(widest) if widest.width < self.width => Next::Narrow,
            Some(_) if is_spent => Next::Spent,
            Some(_) => {
                let later = LOOKS.into_iter().find(|look| *look > repetition);
                later.map_or(Next::Most, Next::Further)
            }
        };
        let said =
            format!("after {} {}", counted(repetition as usize, "repetition"), self.said(&next, widest));
        (next, said)
    }

    fn said(&self, next: &Next, widest: Option<Widest>) -> String {
        let asked = percent(self.width);
        let found = widest.map_or_else(String::new, |widest| widest.to_string());
        match next {
            Next::Further(look) => {
                format!("the widest interval is {found}, and {asked} was asked for: up to {look}")
            }
            Next::Narrow => format!("each interval is narrower than {asked}; the widest is {found}"),
            Next::NoFigures => {
                "all servers are invalid or failed, and more repetitions would not change that".into()
            }
            Next::Spent => {
                format!("the budget is spent; the widest interval is {found}, and {asked} was asked for")
            }
            Next::Most => {
                format!("no more follow; the widest interval is {found}, and {asked} was asked for")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the runs of a server whose cost is the same in each repetition, or differs by a
    /// tenth in every second one.
    fn runs(repetitions: u32, is_steady: bool) -> Vec<Record> {
        let run = |repetition| {
            let mut run = Record::example("one", repetition);
            run.tool.name = "bench".into();
            run.set_cpu_seconds(if is_steady || repetition % 2 == 0 { 1e-2 } else { 1.1e-2 });
            run
        };
        (1..=repetitions).map(run).collect()
    }

    #[test]
    fn a_look_says_what_follows_and_why() {
        let until = Until { width: 0.02, budget: Duration::from_secs(60) };
        let (steady, loose) = (true, false);
        let workload = Workload::example("work", 256);
        let cases = [
            (
                8,
                steady,
                false,
                Next::Narrow,
                "after 8 repetitions each interval is narrower than 2 %; the widest is 0.00 % (one)",
            ),
            (11, steady, true, Next::Narrow, "after 11 repetitions each interval is narrower"),
            (
                8,
                loose,
                false,
                Next::Further(16),
                "after 8 repetitions the widest interval is 9.52 % (one), and 2 % was asked for: up to 16",
            ),
            (128, loose, false, Next::Further(256), "up to 256"),
            (
                11,
                loose,
                true,
                Next::Spent,
                "after 11 repetitions the budget is spent; the widest interval is 9.09 % (one)",
            ),
            (
                1,
                steady,
                true,
                Next::Spent,
                "after 1 repetition the budget is spent; the widest interval is unknown (one has figures of fewer than 8)",
            ),
            (256, loose, false, Next::Most, "after 256 repetitions no more follow; the widest"),
            (0, steady, false, Next::NoFigures, "after 0 repetitions all servers are invalid or failed"),
        ];
        for (repetitions, is_steady, is_spent, expected, said) in cases {
            // Runs after the repetition are not looked at.
            let records = runs(repetitions + 1, is_steady);
            let (next, text) = until.look(&records, &workload, repetitions, is_spent);
            assert_eq!(next, expected, "{text}");
            assert!(text.contains(said), "{text}");
        }
    }
}
