//! Makes the runs of a repetition that are made in slices, in turn, and returns the others.

use std::time::{Duration, Instant};

use super::Measurement;
use super::contender::Contender;
use super::prepare::Setup;
use crate::measure::plan::Planned;
use crate::measure::run::slices::{self, Alone, SlicedRun};
use crate::measure::run::{Run, RunOutput};
use crate::servers::workload::Workload;
use crate::store::record::Record;
use crate::text::progress::Stage;

/// A repetition after its runs in slices.
#[derive(Default)]
pub(super) struct Turns {
    /// The runs that were made in slices.
    pub(super) made: Vec<(Planned, Record, RunOutput)>,
    /// The average time that each of those runs took.
    pub(super) taken: Duration,
    /// The runs that are still to be made, one after another. If a run is among them because its
    /// server uses CPU time while no requests are sent to it, it has the share of a core that the
    /// server uses.
    pub(super) alone: Vec<(Planned, Option<f64>)>,
}

/// Makes the runs of a repetition of one workload that are made in slices. Their errors are in
/// their records, even if the user interrupted. A server that did not keep its connections in one
/// of the `done` runs is not tried in slices again.
pub(super) fn make(
    measurement: &Measurement,
    contenders: &[Contender],
    setups: &[Setup],
    done: &[Record],
    repetition: &[Planned],
    stage: &Stage,
) -> Turns {
    let Measurement { sides, workloads, seed, .. } = *measurement;
    let Some(first) = repetition.first() else { return Turns::default() };
    let (workload, setup) = (&workloads[first.workload], &setups[first.workload]);
    let sliced = workload.load().and_then(|load| Some((load, load.slice?)));
    let is_in_turn = |planned: &Planned| {
        let contender = &contenders[planned.contender];
        sliced.is_some()
            && contender.server.attached.is_none()
            && !loses_connections(done, workload, contender)
    };
    let (in_turn, alone): (Vec<Planned>, Vec<Planned>) =
        repetition.iter().partition(|planned| is_in_turn(planned));
    let alone = alone.into_iter().map(|planned| (planned, None)).collect();
    let mut turns = Turns { alone, ..Turns::default() };
    let Some((load, slice)) = sliced else { return turns };

    let began = Instant::now();
    let sliced_run = |planned: &Planned| {
        let contender = &contenders[planned.contender];
        let record = contender.record(workload, setup, Some(planned.repetition), 1);
        SlicedRun::new(Run::new(sides, setup, workload, contender.runs()), load, record)
    };
    let mut sliced_runs: Vec<SlicedRun> = in_turn.iter().map(sliced_run).collect();
    let repetitions = measurement.progress_of(workload, first.repetition);
    // The order differs in each repetition, and is the same after a resume.
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(u64::from(first.repetition)));
    slices::measure(&mut sliced_runs, slice, &mut random, |now| {
        stage.now(format!("{repetitions}: {}, {now}", workload.name));
    });
    turns.taken = began.elapsed() / u32::try_from(in_turn.len().max(1)).unwrap_or(u32::MAX);
    for (planned, sliced_run) in in_turn.into_iter().zip(sliced_runs) {
        let SlicedRun { record, output, alone, .. } = sliced_run;
        let (why, idle_share) = match alone {
            None => {
                turns.made.push((planned, record, output));
                continue;
            }
            Some(Alone::Busy(share)) => {
                (format!("uses {:.0} % of a core while idle", share * 100.0), Some(share))
            }
            Some(Alone::Connections(open)) => {
                (format!("keeps {open} of {} connections open", load.connections), None)
            }
        };
        if planned.repetition == 1 {
            let (workload, server) = (&workload.name, &record.server.name);
            stage.warn(&format!("{workload} {server}: measured alone, since it {why}"));
        }
        turns.alone.push((planned, idle_share));
    }
    turns
}

/// Whether the server had to be measured alone under the workload because it did not keep its
/// connections. The CPU time that it uses while no requests are sent to it does not count, since it
/// may differ each time.
fn loses_connections(done: &[Record], workload: &Workload, contender: &Contender) -> bool {
    done.iter().any(|run| {
        let is_its = run.workload.name == workload.name && run.server.name == contender.name;
        let is_alone = run.workload.slice_seconds.is_some() && run.slices.is_none() && run.is_measured();
        is_its && is_alone && run.cpu.as_ref().is_none_or(|cpu| cpu.idle_share.is_none())
    })
}
