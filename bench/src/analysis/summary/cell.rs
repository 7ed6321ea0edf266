//! All runs of one server under one workload.

use std::collections::HashMap;

use super::RunFigure;
use crate::analysis::statistics::{Estimate, median};
use crate::analysis::verdict::{self, Verdict};
use crate::store::record::{Bound, ConformanceRecord, ErrorRecord, Record, ServerRecord};
use visit_output::Times;

/// All runs of one server under one workload.
#[derive(Debug)]
pub struct Cell<'a> {
    /// The server as it was run.
    pub server: &'a ServerRecord,
    /// Its runs by time: the best attempt of each repetition.
    pub runs: Vec<&'a Record>,
    /// The number of attempts that do not count, since another attempt at the repetition does.
    pub set_aside: usize,
    /// What limited the runs; `None` where no run has figures of a load.
    pub verdict: Option<Verdict>,
    /// The number of planned looks, at each of which the repetitions could end; 1 where the number
    /// of repetitions was fixed.
    pub(super) looks: usize,
}

impl<'a> Cell<'a> {
    /// Creates a cell from the runs of one server under one workload, of which there is at least
    /// one. If a repetition has several attempts, the least disturbed one counts.
    pub(crate) fn new(records: Vec<&'a Record>) -> Self {
        let server = &records[0].server;
        let mut best: HashMap<u32, usize> = HashMap::new();
        let mut runs: Vec<&Record> = Vec::with_capacity(records.len());
        let mut set_aside = 0;
        for record in records {
            let earlier = record.repetition.and_then(|repetition| best.get(&repetition).copied());
            let Some(place) = earlier else {
                best.extend(record.repetition.map(|repetition| (repetition, runs.len())));
                runs.push(record);
                continue;
            };
            set_aside += 1;
            if disturbance(record) < disturbance(runs[place]) {
                runs[place] = record;
            }
        }
        let verdict = verdict::judge_runs(&runs);
        let looks = runs.iter().filter_map(|run| run.until).map(|until| until.looks).max().unwrap_or(1);
        Self { server, runs, set_aside, verdict, looks }
    }

    /// The server's name.
    pub fn name(&self) -> &'a str {
        &self.server.name
    }

    /// The result of the conformance cases; `None` where the server was sent none.
    pub fn conformance(&self) -> Option<&'a ConformanceRecord> {
        self.runs.iter().find_map(|run| run.server.conformance.as_ref())
    }

    /// Returns the cell of one repetition alone; `None` where the repetition has no run.
    pub fn in_repetition(&self, number: u32) -> Option<Cell<'a>> {
        let runs: Vec<&Record> =
            self.runs.iter().copied().filter(|run| run.repetition == Some(number)).collect();
        (!runs.is_empty()).then(|| Cell::new(runs))
    }

    /// The runs that have figures.
    pub fn measured(&self) -> impl Iterator<Item = &'a Record> {
        self.runs.iter().copied().filter(|run| run.is_measured())
    }

    /// The errors of the runs that have no figures.
    pub fn failures(&self) -> impl Iterator<Item = &'a ErrorRecord> {
        self.runs.iter().filter_map(|run| run.error.as_ref())
    }

    /// What limited the runs.
    pub fn bound(&self) -> Option<Bound> {
        self.verdict.as_ref().map(|verdict| verdict.bound)
    }

    /// Returns the verdict of a cell that is invalid or disturbed. Such a cell has no rank and no
    /// ratio, and does not count in the noise floor. `None` for other cells, and for a cell without
    /// figures.
    pub fn not_ranked(&self) -> Option<&Verdict> {
        self.verdict.as_ref().filter(|verdict| matches!(verdict.bound, Bound::Invalid | Bound::Disturbed))
    }

    /// The values of a figure in all runs that have it.
    pub fn values(&self, figure: impl Fn(&Record) -> Option<f64>) -> Vec<f64> {
        self.measured().filter_map(figure).collect()
    }

    /// The median of one figure over all runs that have it.
    pub fn median(&self, figure: impl Fn(&Record) -> Option<f64>) -> Option<f64> {
        median(&mut self.values(figure))
    }

    /// The median of one figure over all runs that have it, with its interval.
    pub fn estimate(&self, figure: impl Fn(&Record) -> Option<f64>) -> Option<Estimate> {
        Estimate::from_looks(self.values(figure), self.looks)
    }

    /// The ratio of a figure to the other cell's, taken within each repetition that both have, so
    /// that a drift of the machine does not count. `None` where either cell is not ranked.
    pub fn ratio_to(&self, other: &Cell, figure: RunFigure) -> Option<Estimate> {
        let is_ranked = self.not_ranked().is_none() && other.not_ranked().is_none();
        is_ranked.then(|| self.raw_ratio_to(other, figure)).flatten()
    }

    /// Like [`Self::ratio_to`], but also for cells that are not ranked. The ratio may be shown
    /// beside their verdicts, and decides nothing.
    pub fn raw_ratio_to(&self, other: &Cell, figure: RunFigure) -> Option<Estimate> {
        let [these, those] = [self, other].map(|cell| cell.by_repetition(figure));
        Estimate::from_looks(ratios(&these, &those), self.looks.max(other.looks))
    }

    /// The values of a figure in all runs that have it, in the order of their repetitions.
    pub(super) fn by_repetition(&self, figure: RunFigure) -> Vec<Repeated> {
        let mut values: Vec<Repeated> =
            self.measured().filter_map(|run| Repeated::new(run, figure)).collect();
        values.sort_unstable_by_key(|value| value.repetition);
        values
    }

    /// The points of the percentile curve of all runs together: a share of the answers, and the
    /// latency in seconds that this share did not exceed. Empty where no run has a histogram, or
    /// one cannot be read.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        self.latencies().map_or_else(Vec::new, |times| times.curve())
    }

    fn latencies(&self) -> Option<Times> {
        let packed = self.measured().filter_map(|run| run.latency.as_ref()?.histogram.as_deref());
        Times::unpack(&packed.collect::<Vec<_>>()).ok()
    }
}

/// A figure in one repetition.
#[derive(Clone, Debug)]
pub(super) struct Repeated {
    repetition: u32,
    run: f64,
    /// The figure in each block, `None` where no slice of the block counts. Empty where the run was
    /// not made in slices.
    blocks: Vec<Option<f64>>,
}

impl Repeated {
    fn new(run: &Record, figure: RunFigure) -> Option<Self> {
        let blocks = run.slices.as_ref().zip(figure.per_slice).map(|(slices, per_slice)| {
            let blocks = slices.block.iter().max().map_or(0, |last| *last as usize + 1);
            let mut values = vec![None; blocks];
            for slice in slices.counted() {
                values[slices.block[slice] as usize] = per_slice(slices, slice);
            }
            values
        });
        Some(Self {
            repetition: run.repetition?,
            run: (figure.per_run)(run)?,
            blocks: blocks.unwrap_or_default(),
        })
    }

    /// The ratio to another server's figure in the same repetition: the median of the ratios within
    /// the blocks of slices, or the ratio of whole runs where there are none.
    fn ratio_to(&self, other: &Self) -> Option<f64> {
        let of_block = |(this, that): (&Option<f64>, &Option<f64>)| ratio((*this)?, (*that)?);
        let mut blocks: Vec<f64> = self.blocks.iter().zip(&other.blocks).filter_map(of_block).collect();
        median(&mut blocks).or_else(|| ratio(self.run, other.run))
    }
}

fn ratio(this: f64, that: f64) -> Option<f64> {
    (that > 0.0).then_some(this / that)
}

/// The ratios in the repetitions that both lists have. Both are in the order of repetitions.
pub(super) fn ratios(these: &[Repeated], mut those: &[Repeated]) -> Vec<f64> {
    let of_repetition = |this: &Repeated| {
        let earlier = those.iter().take_while(|that| that.repetition < this.repetition).count();
        those = &those[earlier..];
        this.ratio_to(those.first().filter(|that| that.repetition == this.repetition)?)
    };
    these.iter().filter_map(of_repetition).collect()
}

/// Returns how much a run was disturbed, for the choice among attempts: 0 for an undisturbed run, 1
/// plus the share of time that was lost for a disturbed run, infinite for a failed run.
fn disturbance(record: &Record) -> f64 {
    let is_disturbed = record.verdict.as_ref().is_some_and(|verdict| verdict.bound == Bound::Disturbed);
    match &record.cpu {
        _ if !record.is_measured() => f64::INFINITY,
        Some(cpu) if is_disturbed => {
            let lost = [cpu.external_seconds, cpu.throttled_seconds, cpu.suspended_seconds];
            1.0 + lost.into_iter().flatten().sum::<f64>() / cpu.wall_seconds
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::SlicesRecord;
    use visit_output::TimesReport;

    /// A run in which this number of answers took a millisecond each.
    fn run(repetition: u32, answers: u64) -> Record {
        let report = TimesReport {
            count: answers,
            mean_seconds: 0.001,
            p50_seconds: 0.001,
            p75_seconds: 0.001,
            p90_seconds: 0.001,
            p95_seconds: 0.001,
            p99_seconds: 0.001,
            p99_9_seconds: 0.001,
            max_seconds: 0.001,
            histogram_nanoseconds: vec![(1_000_000, answers)],
        };
        let mut record = Record::example("one", repetition);
        record.latency.as_mut().unwrap().histogram = Some(report.pack().unwrap());
        record
    }

    #[test]
    fn a_curve_is_of_all_runs_that_have_a_histogram() {
        let silent = Record { latency: None, ..run(3, 1) };
        let damaged = |mut record: Record| {
            record.latency.as_mut().unwrap().histogram = Some("damaged".into());
            record
        };
        let cases = [
            ("two", vec![run(1, 20), run(2, 30)], Some(50)),
            ("one of two", vec![run(1, 20), silent.clone()], Some(20)),
            ("none", vec![silent], Some(0)),
            ("a damaged one", vec![run(1, 20), damaged(run(2, 30))], None),
        ];
        for (name, runs, expected) in cases {
            let latencies = Cell::new(runs.iter().collect()).latencies();
            assert_eq!(latencies.map(|times| times.count()), expected, "{name}");
        }
    }

    #[test]
    fn ratios_are_taken_within_repetitions() {
        let cases = [
            ("the same", vec![(1, 6.0), (2, 8.0)], vec![(1, 3.0), (2, 2.0)], vec![2.0, 4.0]),
            ("some are missing", vec![(1, 6.0), (3, 9.0), (4, 8.0)], vec![(2, 1.0), (3, 3.0)], vec![3.0]),
            ("a divisor of 0", vec![(1, 6.0), (2, 8.0)], vec![(1, 0.0), (2, 2.0)], vec![4.0]),
            ("none", vec![], vec![(1, 1.0)], vec![]),
        ];
        let repeated = |figures: Vec<(u32, f64)>| -> Vec<Repeated> {
            let run = |(repetition, run)| Repeated { repetition, run, blocks: Vec::new() };
            figures.into_iter().map(run).collect()
        };
        for (name, these, those, expected) in cases {
            assert_eq!(ratios(&repeated(these), &repeated(those)), expected, "{name}");
        }
    }

    #[test]
    fn ratios_of_slices_are_taken_within_blocks() {
        let run = |blocks: &[u32], costs: &[f64], disturbed: &[usize]| {
            let mut record = Record::example("one", 1);
            record.set_cpu_seconds(0.003);
            record.slices = Some(SlicesRecord {
                block: blocks.to_vec(),
                answered: vec![1; blocks.len()],
                server_seconds: costs.to_vec(),
                disturbed: disturbed.to_vec(),
                ..SlicesRecord::default()
            });
            record
        };
        let other = run(&[1, 2, 3, 4], &[1.0, 2.0, 4.0, 8.0], &[]);
        let whole = |seconds| {
            let mut record = Record::example("one", 1);
            record.set_cpu_seconds(seconds);
            record
        };
        let cases = [
            ("the median", run(&[1, 2, 3], &[3.0, 8.0, 20.0], &[]), 4.0),
            ("without a disturbed slice", run(&[1, 2, 3], &[3.0, 8.0, 20.0], &[1]), 4.0),
            ("in some blocks", run(&[2, 4], &[6.0, 24.0], &[]), 3.0),
            ("most are disturbed", run(&[1, 2, 3], &[3.0, 8.0, 20.0], &[0, 1]), 4.0),
            ("no block in common", run(&[9], &[3.0], &[]), 1.0),
            ("a run that was made as a whole", whole(0.006), 2.0),
        ];
        for (name, one, expected) in cases {
            let [one, other] = [&one, &other].map(|run| Cell::new(vec![run]));
            let ratio = one.raw_ratio_to(&other, RunFigure::COST).unwrap().median;
            assert!((ratio - expected).abs() < 1e-9, "{name}: {ratio}");
        }
    }

    /// The interval of the ratio of two equal servers holds 1 as often as claimed, on a machine
    /// whose pace was recorded. In each block, the slices of the two servers are two consecutive
    /// recorded slices, in random order.
    #[test]
    fn an_interval_holds_1_while_the_pace_of_the_machine_changes() {
        const BLOCKS: usize = 38;
        let recorded = include_str!("../../../tests/pace.txt");
        for (line, repetitions, claimed) in
            recorded.lines().skip(2).flat_map(|line| [(line, 5, 0.938), (line, 7, 0.984), (line, 10, 0.979)])
        {
            let pace: Vec<f64> = line.split(' ').map(|cost| cost.parse().unwrap()).collect();
            let mut random = fastrand::Rng::with_seed(7);
            let mut holds = 0;
            for _ in 0..1000 {
                let (mut these, mut those) = (Vec::new(), Vec::new());
                for repetition in 1..=repetitions {
                    let from = random.usize(..pace.len() - 2 * BLOCKS);
                    let blocks = pace[from..from + 2 * BLOCKS].chunks(2);
                    let order =
                        blocks.map(|two| if random.bool() { (two[0], two[1]) } else { (two[1], two[0]) });
                    let (this, that) = order.map(|(this, that)| (Some(this), Some(that))).unzip();
                    these.push(Repeated { repetition, run: 1.0, blocks: this });
                    those.push(Repeated { repetition, run: 1.0, blocks: that });
                }
                let ratio = Estimate::from_values(ratios(&these, &those)).unwrap();
                holds += i32::from((ratio.low..=ratio.high).contains(&1.0));
            }
            let share = f64::from(holds) / 1000.0;
            assert!((share - claimed).abs() < 0.02, "{repetitions} repetitions: {share} and not {claimed}");
        }
    }
}
