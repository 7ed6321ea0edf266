//! Whether others use the cores: seen first by resting, then by keeping every core busy.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Finding, Level};
use crate::analysis::verdict::DISTURBED_FROM;
use crate::machine::cores::{self, CoreTimes};
use crate::machine::host::Host;
use crate::text::numbers;
use crate::text::numbers::as_f64;

/// For how long we rest. The kernel counts in hundredths of a second: on two cores one of them is 0.25 %.
const REST: Duration = Duration::from_secs(2);

/// For how long each core is kept busy: some hundred ticks of the scheduler.
const PROBE: Duration = Duration::from_secs(1);

/// A core that was away for longer did something else than to take an interrupt, and an answer that waited for it is among
/// the slowest.
const AWAY_FROM: Duration = Duration::from_millis(1);

/// A load average a core, above which the minute before was not quiet. It halves in 40 s once nothing runs.
const LOAD_FROM: f64 = 0.25;

/// How often we look whether somebody asked us to stop.
const POLL: Duration = Duration::from_millis(50);

/// Looks for three seconds; nothing when somebody asks us to stop meanwhile.
pub fn quietness(host: &Host, load_averages: Option<[f32; 3]>) -> anyhow::Result<Vec<Finding>> {
    let cores = cores::usable()?;
    let processes = processes();
    let (rested, rest) = shares(&cores, || rest(host));
    let busiest = busiest(&processes, &self::processes());
    rest?;
    let (probed, gaps) = shares(&cores, || probe(&cores));
    host.check_interrupted()?;
    Ok([
        rested.map(|rested| used(rested.busy, busiest.as_ref())),
        probed.map(|probed| steal(probed.steal)),
        gaps.into_iter().max_by_key(|gap| gap.away).map(|gap| away(&gap)),
        load_averages.map(|[minute, ..]| load_average(f64::from(minute), as_f64(cores.len() as u64))),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// How the cores were used while `work` was done: parts of all of their time.
fn shares<T>(cores: &[usize], work: impl FnOnce() -> T) -> (Option<CoreTimes>, T) {
    let (before, began) = (cores::times(cores), Instant::now());
    let worked = work();
    let (after, took) = (cores::times(cores), began.elapsed().as_secs_f64() * as_f64(cores.len() as u64));
    let share = |(before, after): (CoreTimes, CoreTimes)| {
        let used = after.since(&before);
        CoreTimes { busy: used.busy / took, steal: used.steal / took }
    };
    (before.zip(after).map(share), worked)
}

fn rest(host: &Host) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < REST {
        host.check_interrupted()?;
        std::thread::sleep(POLL.min(REST.saturating_sub(began.elapsed())));
    }
    Ok(())
}

/// A process by its number and when it was started, as numbers are used again.
type Key = (i32, u64);

/// A process's name, and how long it has been running on cores, in ticks.
type Used = (String, u64);

/// Every process that can be seen, but ours.
fn processes() -> HashMap<Key, Used> {
    let own = std::process::id().cast_signed();
    let stats = procfs::process::all_processes()
        .into_iter()
        .flatten()
        .filter_map(|process| process.ok()?.stat().ok());
    let others = stats.filter(|stat| stat.pid != own);
    others.map(|stat| ((stat.pid, stat.starttime), (stat.comm, stat.utime + stat.stime))).collect()
}

/// Who used the cores most from one look to the next.
#[derive(Debug, PartialEq)]
struct Busiest {
    name: String,
    pid: i32,
    ticks: u64,
}

fn busiest(before: &HashMap<Key, Used>, after: &HashMap<Key, Used>) -> Option<Busiest> {
    let used = after.iter().map(|(key, (name, ticks))| Busiest {
        name: name.clone(),
        pid: key.0,
        ticks: ticks.saturating_sub(before.get(key).map_or(0, |(_, ticks)| *ticks)),
    });
    used.max_by_key(|one| (one.ticks, one.pid)).filter(|one| one.ticks > 0)
}

/// For how long a core was away from a loop that does nothing but read the clock, at most.
struct Gap {
    core: usize,
    away: Duration,
}

/// Keeps every core busy at once.
fn probe(cores: &[usize]) -> Vec<Gap> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = cores.iter().map(|core| scope.spawn(|| worst_gap(*core))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
    })
}

fn worst_gap(core: usize) -> Option<Gap> {
    cores::pin(&[core]).ok()?;
    let began = Instant::now();
    let (mut last, mut away) = (began, Duration::ZERO);
    while last - began < PROBE {
        let now = Instant::now();
        away = away.max(now - last);
        last = now;
    }
    Some(Gap { core, away })
}

/// A share of the time of all cores, while we used nothing.
fn used(share: f64, busiest: Option<&Busiest>) -> Finding {
    let used = format!("others use {} of the cores' time", percent(share));
    let most = busiest.map_or_else(
        || "; who they are cannot be seen from here".into(),
        |one| format!(", most of it `{}` (pid {})", one.name, one.pid),
    );
    if share > DISTURBED_FROM {
        Level::Bad.finding(format!(
            "busy: {used}{most}: measurements will be disturbed; end what runs, or wait for it"
        ))
    } else {
        Level::Ok.finding(format!("quiet enough: {used}"))
    }
}

fn steal(share: f64) -> Finding {
    let text = format!("{} of the cores' time went to other machines on the same hardware", percent(share));
    if share > DISTURBED_FROM {
        Level::Bad
            .finding(format!("{text}: measurements will be disturbed; measure at another time, or elsewhere"))
    } else {
        Level::Ok.finding(text)
    }
}

fn away(gap: &Gap) -> Finding {
    let text = format!(
        "no busy core stood still for longer than {} (core {})",
        numbers::duration(gap.away.as_secs_f64()),
        gap.core
    );
    if gap.away > AWAY_FROM {
        Level::Note.finding(format!("{text}: the slowest answers may be slow for this alone"))
    } else {
        Level::Ok.finding(text)
    }
}

fn load_average(minute: f64, cores: f64) -> Finding {
    let text = format!("load average of the last minute: {minute:.2}");
    if minute > LOAD_FROM * cores {
        Level::Note.finding(format!("{text}: it was busy before we looked; is that over?"))
    } else {
        Level::Ok.finding(text)
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::assert_finding;
    use super::*;

    #[test]
    fn readings_become_a_verdict() {
        let compiler = Busiest { name: "rustc".into(), pid: 7, ticks: 1 };
        let gap = |microseconds| Gap { core: 1, away: Duration::from_micros(microseconds) };
        let cases = [
            (used(0.004, None), (Level::Ok, "quiet enough: others use 0.4 % of the cores' time")),
            (used(0.05, Some(&compiler)), (Level::Ok, "quiet enough")),
            (
                used(0.23, Some(&compiler)),
                (
                    Level::Bad,
                    "busy: others use 23.0 % of the cores' time, most of it `rustc` (pid 7): measurements",
                ),
            ),
            (used(0.23, None), (Level::Bad, "who they are cannot be seen from here")),
            (steal(0.0), (Level::Ok, "0.0 %")),
            (steal(0.2), (Level::Bad, "20.0 % of the cores' time went to other machines")),
            (away(&gap(210)), (Level::Ok, "longer than 210 µs (core 1)")),
            (away(&gap(4200)), (Level::Note, "longer than 4.20 ms (core 1): the slowest answers")),
            (load_average(0.5, 2.0), (Level::Ok, "0.50")),
            (load_average(0.51, 2.0), (Level::Note, "is that over?")),
        ];
        for (finding, expected) in cases {
            assert_finding(&finding, expected);
        }
    }

    #[test]
    fn finds_who_used_most() {
        let look = |processes: &[(i32, u64, &str, u64)]| {
            let used = processes
                .iter()
                .map(|(pid, started, name, ticks)| ((*pid, *started), ((*name).into(), *ticks)));
            used.collect::<HashMap<Key, Used>>()
        };
        let before = look(&[(1, 0, "init", 900), (7, 5, "rustc", 10)]);
        let cases = [
            (look(&[(1, 0, "init", 900), (7, 5, "rustc", 110)]), Some((7, 100))),
            // It began, or has an old number, or ended.
            (look(&[(1, 0, "init", 901), (8, 6, "cc", 3)]), Some((8, 3))),
            (look(&[(1, 0, "init", 900), (7, 6, "cc", 4)]), Some((7, 4))),
            (look(&[(1, 0, "init", 900)]), None),
            (look(&[]), None),
        ];
        for (after, expected) in cases {
            let found = busiest(&before, &after).map(|one| (one.pid, one.ticks));
            assert_eq!(found, expected, "{after:?}");
        }
    }

    #[test]
    fn every_core_is_probed() {
        let cores = cores::usable().unwrap();
        let probed: Vec<usize> = probe(&cores).iter().map(|gap| gap.core).collect();
        assert_eq!(probed, cores);
        let own = std::process::id().cast_signed();
        assert!(!processes().is_empty() && processes().keys().all(|(pid, _)| *pid != own));
    }
}
