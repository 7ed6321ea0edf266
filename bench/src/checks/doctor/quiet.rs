//! Whether other processes use the cores: measured first at rest, then with every core busy.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use procfs::process::Stat;

use super::finding::{Finding, Level};
use crate::analysis::verdict::DISTURBED_FROM;
use crate::machine::cores::{self, CoreTimes};
use crate::machine::host::Host;
use crate::text::numbers::{self, as_f64};
use crate::text::visible::visible;

/// How long the harness rests. The kernel counts hundredths of a second, each of which is 0.25 % of
/// the time of two cores.
const REST: Duration = Duration::from_secs(2);

/// How long each core is kept busy: at least a hundred ticks of the scheduler.
const PROBE: Duration = Duration::from_secs(1);

/// A longer gap is not caused by an interrupt but by another process or machine, and makes an
/// answer slow.
const AWAY_FROM: Duration = Duration::from_millis(1);

/// A load average per core above which the last minute was not quiet. It halves in 40 s.
const LOAD_FROM: f64 = 0.25;

/// The interval between two checks whether the user has interrupted the command.
const POLL: Duration = Duration::from_millis(50);

/// Observes the machine for three seconds. Fails when the user interrupts the command.
pub(crate) fn quietness(host: &Host, load_averages: Option<[f32; 3]>) -> anyhow::Result<Vec<Finding>> {
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

/// How the cores were used during `work`, as shares of all of their time.
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

/// A process by its number and its start time, since the kernel reuses numbers.
type Key = (i32, u64);

/// A process's name, and how long it has been running on cores, in ticks.
type Used = (String, u64);

/// Every visible process except this one.
fn processes() -> HashMap<Key, Used> {
    let own = std::process::id().cast_signed();
    let stats = procfs::process::all_processes()
        .into_iter()
        .flatten()
        .filter_map(|process| process.ok()?.stat().ok());
    let others = stats.filter(|stat| stat.pid != own);
    let used = |stat: Stat| (visible(&stat.comm).into_owned(), stat.utime + stat.stime);
    others.map(|stat| ((stat.pid, stat.starttime), used(stat))).collect()
}

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

/// The longest time for which a core did not run a loop that only reads the clock.
struct Gap {
    core: usize,
    away: Duration,
}

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

/// `share` is the share of all cores' time that was used while the harness rested.
fn used(share: f64, busiest: Option<&Busiest>) -> Finding {
    let most = busiest.map_or_else(
        || "; which ones is not visible from here".into(),
        |one| format!(", most of it `{}` (pid {})", one.name, one.pid),
    );
    let text = format!("other processes use {} of the cores' time{most}", percent(share));
    Level::Bad.unless(share <= DISTURBED_FROM, text, ": measurements will be disturbed; end them, or wait")
}

fn steal(share: f64) -> Finding {
    let text = format!("{} of the cores' time went to other machines on the same hardware", percent(share));
    let advice = ": measurements will be disturbed; measure at another time, or on another machine";
    Level::Bad.unless(share <= DISTURBED_FROM, text, advice)
}

fn away(gap: &Gap) -> Finding {
    let longest = numbers::duration(gap.away.as_secs_f64());
    let text = format!("the longest gap of a busy core is {longest} (core {})", gap.core);
    Level::Note.unless(gap.away <= AWAY_FROM, text, ": this alone may make the slowest answers slow")
}

fn load_average(minute: f64, cores: f64) -> Finding {
    let text = format!("load average of the last minute: {minute:.2}");
    Level::Note.unless(minute <= LOAD_FROM * cores, text, ": the machine was busy before; has that ended?")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_finding;
    use super::*;

    #[test]
    fn readings_become_findings() {
        let compiler = Busiest { name: "rustc".into(), pid: 7, ticks: 1 };
        let gap = |microseconds| Gap { core: 1, away: Duration::from_micros(microseconds) };
        let cases = [
            (used(0.004, None), (Level::Ok, "other processes use 0.4 % of the cores' time")),
            (used(0.05, Some(&compiler)), (Level::Ok, "use 5.0 % of")),
            (used(0.23, Some(&compiler)), (Level::Bad, "time, most of it `rustc` (pid 7): measurements")),
            (used(0.23, None), (Level::Bad, "which ones is not visible from here: measurements")),
            (steal(0.0), (Level::Ok, "0.0 %")),
            (steal(0.2), (Level::Bad, "20.0 % of the cores' time went to other machines")),
            (away(&gap(210)), (Level::Ok, "is 210 µs (core 1)")),
            (away(&gap(4200)), (Level::Note, "is 4.20 ms (core 1): this alone")),
            (load_average(0.5, 2.0), (Level::Ok, "0.50")),
            (load_average(0.51, 2.0), (Level::Note, "has that ended?")),
        ];
        for (finding, expected) in cases {
            assert_finding(&finding, expected);
        }
    }

    #[test]
    fn the_busiest_process_is_found() {
        let look = |processes: &[(i32, u64, &str, u64)]| {
            let used = processes
                .iter()
                .map(|(pid, started, name, ticks)| ((*pid, *started), ((*name).into(), *ticks)));
            used.collect::<HashMap<Key, Used>>()
        };
        let before = look(&[(1, 0, "init", 900), (7, 5, "rustc", 10)]);
        let cases = [
            (look(&[(1, 0, "init", 900), (7, 5, "rustc", 110)]), Some((7, 100))),
            // A new process, a new one with a reused number, one that ended, none.
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
