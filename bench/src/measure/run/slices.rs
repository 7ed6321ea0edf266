//! A repetition in slices: several servers run side by side, and one at a time is loaded for a
//! moment.
//!
//! ```text
//! stand up  a │ b │ c     each is started, verified, connected to its tool and warmed up;
//!                         a server that does not keep its connections is measured alone
//! silence   a b c         so is a server that uses CPU time while no requests are sent
//! block 1   c │ a │ b     one slice each, in an order that is shuffled for each block
//! block 2   a │ c │ b
//! …
//! take down a b c
//! ```
//!
//! A slice is a `warm` and a `run` command to the tool, which answers each command once the last
//! request is answered. So no request is in flight when the counters are read, and they count this
//! slice alone.

mod live_server;

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::{Run, RunOutput};
use crate::analysis::verdict;
use crate::servers::workload::{Amount, Load};
use crate::store::record::{ErrorRecord, Record};

use live_server::LiveServer;

/// The length of the load before each slice, as a share of the slice. The load is in no figure: it
/// refills the caches that other servers have used meanwhile. METHODOLOGY.md has the experiment.
const WARM_UP: f64 = 0.1;

/// The time that a slice takes beside its load and its warm-up: for the last answers of both, and
/// to read the counters.
const BORDER: Duration = Duration::from_millis(4);

/// The minimum number of round trips in a slice. At the end of a slice, connections become silent
/// one by one, for one round trip: so for most of the slice all of them are busy.
const ROUND_TRIPS: f64 = 10.0;

/// The time for which no requests are sent, to see which servers use CPU time nevertheless.
const IDLE_LOOK: Duration = Duration::from_millis(50);

/// The maximum number of looks at the CPU time of idle servers. The looks end early when no server
/// uses more than [`IDLE_FROM`].
const IDLE_LOOKS: u32 = 3;

/// The largest share of a core that an idle server may use: it takes at most a hundredth from the
/// server that is measured.
const IDLE_FROM: f64 = 0.01;

/// If slices were disturbed, at most one block is added per this number of planned blocks.
const MORE_BLOCKS: u32 = 4;

/// A run in slices, with its record.
pub(in crate::measure) struct SlicedRun<'a> {
    pub(in crate::measure) run: Run<'a>,
    pub(in crate::measure) record: Record,
    pub(in crate::measure) output: RunOutput,
    /// Why the run has to be made alone, if it has.
    pub(in crate::measure) alone: Option<Alone>,
    load: &'a Load,
    live_server: Option<LiveServer>,
}

/// Why a server is not measured beside others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::measure) enum Alone {
    /// It uses this share of a core while no requests are sent to it.
    Busy(f64),
    /// Only this number of connections is open, and the others would be opened again for each
    /// slice.
    Connections(u64),
}

/// The share that a server has of the blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share {
    /// The length of its slices.
    slice: Duration,
    /// The server has one slice in this number of blocks.
    every: u32,
}

/// Returns the number of blocks into which the time of a load is divided.
fn blocks(load: &Load, slice: Duration) -> u32 {
    let time = match load.amount {
        Amount::Time(time) => time,
        Amount::Requests(_) => Duration::ZERO,
    };
    let each = slice.mul_f64(1.0 + WARM_UP) + BORDER;
    let blocks = (time.as_secs_f64() / each.as_secs_f64()).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a day by a slice")]
    (blocks as u32).max(1)
}

/// Returns the share of a server with this round trip. A slow server has longer slices, and fewer
/// of them in the same ratio.
fn share(slice: Duration, blocks: u32, round_trip_seconds: f64) -> Share {
    let every = (round_trip_seconds * ROUND_TRIPS / slice.as_secs_f64()).ceil().clamp(1.0, f64::from(blocks));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the number of blocks"
    )]
    Share { slice: slice.mul_f64(every), every: every as u32 }
}

/// Makes the runs of a repetition in slices. The figures of each, or the error that it ended with,
/// are in its record afterwards. `now` is called before each block.
pub(in crate::measure) fn measure(
    sliced_runs: &mut [SlicedRun],
    slice: Duration,
    random: &mut fastrand::Rng,
    now: impl Fn(&str),
) {
    now("starting");
    let Some(blocks) = sliced_runs.first().map(|sliced_run| blocks(sliced_run.load, slice)) else { return };
    let warm_up = |sliced_run: &SlicedRun| sliced_run.run.server.warm_up(sliced_run.load.warm_up);
    let mut order: Vec<usize> = (0..sliced_runs.len()).collect();
    // Each server is warmed up as soon as it is started: a server may close connections that wait
    // for their first request, as Node does after its limit for a head. The longest warm-up comes
    // first, so that the other servers wait less for their first slice.
    order.sort_by_key(|index| Reverse(warm_up(&sliced_runs[*index])));
    for index in &order {
        let sliced_run = &mut sliced_runs[*index];
        let (host, warm_up) = (sliced_run.run.sides.harness(), warm_up(sliced_run));
        sliced_run.stand_up();
        sliced_run.step(|live_server, load, output| {
            live_server.prepare(host, warm_up, slice, blocks, load, output)
        });
        sliced_run.look_at_connections();
    }
    take_down_busy(sliced_runs);
    let began = Instant::now();
    for block in 1..=blocks + blocks / MORE_BLOCKS {
        if block > blocks && sliced_runs.iter().all(|sliced_run| sliced_run.has_enough(blocks)) {
            break;
        }
        now(&format!("block {block} of {}", blocks.max(block)));
        random.shuffle(&mut order);
        for index in &order {
            let host = sliced_runs[*index].run.sides.harness();
            sliced_runs[*index]
                .step(|live_server, load, output| live_server.slice(host, block, load, output));
        }
    }
    for sliced_run in sliced_runs {
        sliced_run.take_down(began);
    }
}

/// Takes down the servers that use CPU time while no requests are sent to them. A server that does
/// so only for a moment, to finish what the warm-up has left, stays.
fn take_down_busy(sliced_runs: &mut [SlicedRun]) {
    for _ in 0..IDLE_LOOKS {
        let before: Vec<_> =
            sliced_runs.iter().map(|sliced_run| (Instant::now(), sliced_run.cpu())).collect();
        std::thread::sleep(IDLE_LOOK);
        for (sliced_run, (since, before)) in sliced_runs.iter_mut().zip(before) {
            let used = before.zip(sliced_run.cpu()).map(|(before, after)| after.saturating_sub(before));
            let share = used.map(|used| used.as_secs_f64() / since.elapsed().as_secs_f64());
            if sliced_run.live_server.is_some() {
                sliced_run.alone = share.filter(|share| *share > IDLE_FROM).map(Alone::Busy);
            }
        }
        if sliced_runs.iter().all(|sliced_run| sliced_run.live_server.is_none() || sliced_run.alone.is_none())
        {
            return;
        }
    }
    for sliced_run in sliced_runs.iter_mut().filter(|sliced_run| sliced_run.alone.is_some()) {
        sliced_run.live_server = None;
    }
}

impl<'a> SlicedRun<'a> {
    pub(in crate::measure) fn new(run: Run<'a>, load: &'a Load, record: Record) -> Self {
        Self { run, record, output: RunOutput::default(), alone: None, load, live_server: None }
    }

    fn stand_up(&mut self) {
        match LiveServer::new(&self.run, self.load, &mut self.record) {
            Ok(live_server) => self.live_server = Some(live_server),
            Err(error) => self.record.error = Some(error),
        }
        self.look_at_connections();
    }

    /// Takes the server down if not all connections are open.
    fn look_at_connections(&mut self) {
        let open = self.live_server.as_ref().and_then(|live_server| live_server.connections);
        if let Some(open) = open.filter(|open| *open < u64::from(self.load.connections)) {
            self.alone = Some(Alone::Connections(open));
            self.live_server = None;
        }
    }

    /// Makes a step of a run that has not failed. After an error, the processes of the run are
    /// ended.
    fn step(&mut self, step: impl FnOnce(&mut LiveServer, &Load, &mut RunOutput) -> Result<(), ErrorRecord>) {
        let Some(live_server) = &mut self.live_server else { return };
        if let Err(error) = step(live_server, self.load, &mut self.output) {
            self.record.error = Some(error);
            self.live_server = None;
        }
    }

    fn cpu(&self) -> Option<Duration> {
        Some(self.live_server.as_ref()?.server.usage().ok()??.cpu)
    }

    /// Whether the server has as many undisturbed slices as this number of blocks has for it.
    fn has_enough(&self, blocks: u32) -> bool {
        self.live_server.as_ref().is_none_or(|LiveServer { slices, share, .. }| {
            let undisturbed = slices.iter().filter(|slice| !slice.is_disturbed).count();
            undisturbed >= (blocks / share.every) as usize
        })
    }

    fn take_down(&mut self, began: Instant) {
        let Some(live_server) = self.live_server.take() else { return };
        let result = live_server.take_down(self, began);
        self.record.error = result.err();
        self.record.verdict = verdict::judge_run(&self.record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::workload::Mode;

    #[test]
    fn a_load_is_divided_into_blocks() {
        let cases = [(1000, 20, 38), (1000, 100, 9), (5000, 20, 192), (30, 20, 1), (1, 1000, 1)];
        for (time, slice, expected) in cases {
            let load = Load::example("visit", Amount::Time(Duration::from_millis(time)), Mode::KeepAlive);
            assert_eq!(blocks(&load, Duration::from_millis(slice)), expected, "{time} by {slice}");
        }
    }

    #[test]
    fn a_slow_server_has_longer_slices_and_as_many_fewer() {
        // The round trip and the slice in milliseconds, and the number of blocks per slice.
        let cases = [
            (0.0, 20.0, 1),
            (0.7, 20.0, 1),
            (2.0, 20.0, 1),
            (2.1, 40.0, 2),
            (50.0, 500.0, 25),
            (1e6, 760.0, 38),
        ];
        for (round_trip, slice, every) in cases {
            let share = share(Duration::from_millis(20), 38, round_trip / 1e3);
            assert_eq!((share.slice.as_secs_f64() * 1e3, share.every), (slice, every), "{round_trip} ms");
        }
    }
}
