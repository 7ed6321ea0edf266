//! A repetition in slices: several servers stand side by side, and one at a time is loaded for a
//! moment.
//!
//! ```text
//! stand up  a │ b │ c             each is started and verified, the tool's connections opened, and warmed
//!                                 up; one that keeps no connections is taken down, and measured alone
//! silence   a b c                 the same for one that uses CPU time now
//! block 1   c │ a │ b             a slice each, in an order that is shuffled anew
//! block 2   a │ c │ b
//! …
//! take down a b c
//! ```
//!
//! A slice is `warm` and `run` of the tool, which answers each once the last request is answered:
//! so no request is on its way where the counters are read, and they count this slice alone.

mod standing;

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::{Run, RunOutput};
use crate::analysis::verdict;
use crate::servers::workload::{Amount, Load};
use crate::store::record::{ErrorRecord, Record};

use standing::Standing;

/// The load before each slice that is in no figure, as a share of the slice: it refills the caches
/// that other servers have used meanwhile. METHODOLOGY.md has the experiment.
const WARM_UP: f64 = 0.1;

/// What a slice takes beside its load and its warm-up: the last answers of both, and the reading of
/// the counters.
const BORDER: Duration = Duration::from_millis(4);

/// How many round trips a slice has at least. At its end connections fall silent one by one, for one
/// round trip: so for most of its time all of them are busy.
const ROUND_TRIPS: f64 = 10.0;

/// For how long nothing is asked, to see which server uses CPU time all the same.
const IDLE_LOOK: Duration = Duration::from_millis(50);

/// How often that is looked at, until no server does.
const IDLE_LOOKS: u32 = 3;

/// The share of a core that an idle server may use: at most a hundredth of what is measured beside
/// it.
const IDLE_FROM: f64 = 0.01;

/// Blocks that are added at most where slices were disturbed: one to so many that were planned.
const MORE_BLOCKS: u32 = 4;

/// A run that takes part, with its record.
pub(in crate::measure) struct Seat<'a> {
    pub(in crate::measure) run: Run<'a>,
    pub(in crate::measure) record: Record,
    pub(in crate::measure) output: RunOutput,
    /// Why the run has to be made alone, if it has.
    pub(in crate::measure) alone: Option<Alone>,
    load: &'a Load,
    standing: Option<Standing>,
}

/// Why a server is not measured beside others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::measure) enum Alone {
    /// It uses this share of a core although nothing is asked of it.
    Busy(f64),
    /// So many of the connections are open, and the others would be opened anew for each slice.
    Connections(u64),
}

/// What a server has of the blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share {
    /// How long its slices are.
    slice: Duration,
    /// It has one in every so many blocks.
    every: u32,
}

/// In how many blocks the time of a load is divided.
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

/// The share of a server with this round trip: where it is slow its slices are longer, and as many
/// fewer.
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
    seats: &mut [Seat],
    slice: Duration,
    random: &mut fastrand::Rng,
    now: impl Fn(&str),
) {
    now("starting");
    let Some(blocks) = seats.first().map(|seat| blocks(seat.load, slice)) else { return };
    let warm_up = |seat: &Seat| seat.run.server.warm_up(seat.load.warm_up);
    let mut order: Vec<usize> = (0..seats.len()).collect();
    // Each is warmed up as soon as it is started: a server may close connections that wait for their first
    // request, as Node does after its limit for a head. The longest warm-up comes first, so that the others
    // wait less for their first slice.
    order.sort_by_key(|index| Reverse(warm_up(&seats[*index])));
    for index in &order {
        let seat = &mut seats[*index];
        let (host, warm_up) = (seat.run.sides.harness(), warm_up(seat));
        seat.stand_up();
        seat.step(|standing, load, output| standing.prepare(host, warm_up, slice, blocks, load, output));
        seat.look_at_connections();
    }
    take_down_busy(seats);
    let began = Instant::now();
    for block in 1..=blocks + blocks / MORE_BLOCKS {
        if block > blocks && seats.iter().all(|seat| seat.has_enough(blocks)) {
            break;
        }
        now(&format!("block {block} of {}", blocks.max(block)));
        random.shuffle(&mut order);
        for index in &order {
            let host = seats[*index].run.sides.harness();
            seats[*index].step(|standing, load, output| standing.slice(host, block, load, output));
        }
    }
    for seat in seats {
        seat.take_down(began);
    }
}

/// Takes down the servers that use CPU time although nothing is asked of them. One that does so only
/// for a moment, to end what the warm-up has left, stays.
fn take_down_busy(seats: &mut [Seat]) {
    for _ in 0..IDLE_LOOKS {
        let before: Vec<_> = seats.iter().map(|seat| (Instant::now(), seat.cpu())).collect();
        std::thread::sleep(IDLE_LOOK);
        for (seat, (since, before)) in seats.iter_mut().zip(before) {
            let used = before.zip(seat.cpu()).map(|(before, after)| after.saturating_sub(before));
            let share = used.map(|used| used.as_secs_f64() / since.elapsed().as_secs_f64());
            if seat.standing.is_some() {
                seat.alone = share.filter(|share| *share > IDLE_FROM).map(Alone::Busy);
            }
        }
        if seats.iter().all(|seat| seat.standing.is_none() || seat.alone.is_none()) {
            return;
        }
    }
    for seat in seats.iter_mut().filter(|seat| seat.alone.is_some()) {
        seat.standing = None;
    }
}

impl<'a> Seat<'a> {
    pub(in crate::measure) fn new(run: Run<'a>, load: &'a Load, record: Record) -> Self {
        Self { run, record, output: RunOutput::default(), alone: None, load, standing: None }
    }

    fn stand_up(&mut self) {
        match Standing::new(&self.run, self.load, &mut self.record) {
            Ok(standing) => self.standing = Some(standing),
            Err(error) => self.record.error = Some(error),
        }
        self.look_at_connections();
    }

    /// Takes the server down where not all connections are open.
    fn look_at_connections(&mut self) {
        let open = self.standing.as_ref().and_then(|standing| standing.connections);
        if let Some(open) = open.filter(|open| *open < u64::from(self.load.connections)) {
            self.alone = Some(Alone::Connections(open));
            self.standing = None;
        }
    }

    /// Makes a step of a run that has not failed. After an error its processes are ended.
    fn step(&mut self, step: impl FnOnce(&mut Standing, &Load, &mut RunOutput) -> Result<(), ErrorRecord>) {
        let Some(standing) = &mut self.standing else { return };
        if let Err(error) = step(standing, self.load, &mut self.output) {
            self.record.error = Some(error);
            self.standing = None;
        }
    }

    fn cpu(&self) -> Option<Duration> {
        Some(self.standing.as_ref()?.server.usage().ok()??.cpu)
    }

    /// Whether it has the undisturbed slices of this number of blocks.
    fn has_enough(&self, blocks: u32) -> bool {
        self.standing.as_ref().is_none_or(|Standing { slices, share, .. }| {
            let undisturbed = slices.iter().filter(|slice| !slice.is_disturbed).count();
            undisturbed >= (blocks / share.every) as usize
        })
    }

    fn take_down(&mut self, began: Instant) {
        let Some(standing) = self.standing.take() else { return };
        let result = standing.take_down(self, began);
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
        // Milliseconds of a round trip, of a slice, and in which blocks there is one.
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
