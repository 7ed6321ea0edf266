//! What may be wrong with a measurement, in sentences, each with what to do about it.

use super::section::{distinct, host, list, noise};
use crate::analysis::looks;
use crate::analysis::statistics;
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::analysis::verdict;
use crate::machine::Machine;
use crate::machine::conflict::{Conflict, conflicts};
use crate::store::record::{Bound, ErrorKind, Record};
use crate::store::results::Loaded;
use crate::text::numbers;

/// A noise floor of at least this share is worth a warning: the best servers differ by less.
const NOISY_FROM: f64 = 0.05;

/// A load average per core, before the first run, that shows that other processes were at work.
const BUSY_FROM: f32 = 0.25;

/// What may be wrong with a machine: a sentence in two parts, between which its host is named.
type MachineWarning = fn(&Machine) -> Option<[String; 2]>;

const OF_MACHINE: [MachineWarning; 4] = [busy, nice, governor, swapped];

pub(super) fn warnings(loaded: &Loaded, summaries: &[WorkloadSummary]) -> Vec<String> {
    let machine = &loaded.machine;
    let of_runs = [
        failed(summaries),
        invalid(summaries),
        disturbed(summaries),
        client_bound(summaries),
        network_bound(summaries),
        delayed(summaries),
        attached(summaries),
        overlapping(machine, summaries),
    ];
    let of_figures = [few(summaries), wide(summaries), noisy(summaries), smuggling(summaries)];
    let torn = [loaded.torn.clone(), loaded.drills_torn.clone()].into_iter().flatten();
    torn.chain(divided_cores(machine))
        .chain(shared_cores(machine))
        .chain(machines(machine))
        .chain(unavailable(summaries))
        .chain([of_runs.as_slice(), &of_figures].concat().into_iter().flatten())
        .collect()
}

/// What may be wrong with the machines, each sentence once, with its hosts if there are several.
fn machines(machine: &Machine) -> Vec<String> {
    let Some(hosts) = &machine.hosts else {
        return OF_MACHINE.iter().filter_map(|warning| Some(warning(machine)?.concat())).collect();
    };
    let loads = hosts.loads.iter().map(|(link, machine)| (link, machine));
    let all: Vec<_> = std::iter::once((&hosts.server, machine)).chain(loads).collect();
    let told = OF_MACHINE.iter().flat_map(|warning| {
        grouped(all.iter().filter_map(|(link, machine)| Some((warning(machine)?, host(link)))))
    });
    told.map(|([begin, end], names)| format!("{begin} on {}{end}", list(&names))).collect()
}

/// Warns if the sides shared a core. With several hosts, each side has its own cores.
fn shared_cores(machine: &Machine) -> Option<String> {
    let shares =
        machine.hosts.is_none() && machine.server_cores.iter().any(|core| machine.tool_cores.contains(core));
    shares.then(|| {
        "The servers and the load tool shared a core, so each slowed the other down: these figures compare pairs, \
         not servers. Give each its own cores (`--server-cores`, `--tool-cores`), on a machine with two or more."
            .into()
    })
}

/// What the servers and the load tool shared according to the topology, by the user's choice or
/// because there are too few cores. Empty if they were on several hosts.
fn divided_cores(machine: &Machine) -> Vec<String> {
    let Some(topology) = machine.topology.as_ref().filter(|_| machine.hosts.is_none()) else {
        return Vec::new();
    };
    let told = conflicts(topology, &machine.server_cores, &machine.tool_cores).into_iter().map(|conflict| {
        let words = conflict.to_string();
        let advice = if conflict.is_severe() {
            " Give each whole cores (`--server-cores`, `--tool-cores`; `bench doctor` draws them), on a machine with \
             two or more."
        } else {
            ""
        };
        let (first, rest) = words.split_at(1);
        format!("{}{rest}.{advice}", first.to_uppercase())
    });
    told.collect()
}

fn busy(machine: &Machine) -> Option<[String; 2]> {
    let load = machine.load_averages?[0];
    let cores = f32::from(u16::try_from(machine.cores?).ok()?);
    let end = format!(" (load average {load:.2} on {cores} cores): stop them and measure again.");
    (load / cores >= BUSY_FROM).then(|| ["Other processes were at work before the first run".into(), end])
}

fn nice(machine: &Machine) -> Option<[String; 2]> {
    machine.nice.filter(|value| *value > 0).map(|value| {
        let begin = format!("The servers and the load tool ran with the nice value {value}");
        [begin, ", so that they waited for all other processes: measure again without `nice`.".into()]
    })
}

fn governor(machine: &Machine) -> Option<[String; 2]> {
    let governors = machine.frequency.governors.as_deref()?.iter().map(String::as_str);
    let slow: Vec<&str> = governors.filter(|governor| *governor != "performance").collect();
    (!slow.is_empty()).then(|| {
        let end = ", which slows down cores that are not busy: set another one with `cpupower frequency-set -g \
                   performance`.";
        [format!("The frequency governor was `{}`", slow.join(", ")), end.into()]
    })
}

fn swapped(machine: &Machine) -> Option<[String; 2]> {
    machine.swapped_bytes.filter(|bytes| *bytes > 0).map(|_| {
        let end = ": stop the processes that use it and measure again.";
        ["Memory was swapped out before the first run".into(), end.into()]
    })
}

/// What this machine lacks, with the servers that were left out because of it.
fn unavailable(summaries: &[WorkloadSummary]) -> Vec<String> {
    let failures = |cell: &Cell| -> Vec<String> {
        let failures = cell.failures().filter(|failure| failure.kind == ErrorKind::Unavailable);
        failures.map(|failure| failure.message.clone()).collect()
    };
    let mut lacks: Vec<String> =
        summaries.iter().flat_map(WorkloadSummary::with_floor).flat_map(failures).collect();
    lacks.sort();
    lacks.dedup();
    let said = lacks.iter().filter_map(|lack| {
        let cells = server_names(summaries, |cell| cell.failures().any(|failure| failure.message == *lack))?;
        Some(format!("Left out: {cells}: {lack}."))
    });
    said.collect()
}

fn failed(summaries: &[WorkloadSummary]) -> Option<String> {
    let has_failed = |cell: &Cell| cell.failures().any(|failure| failure.kind != ErrorKind::Unavailable);
    let cells = server_names(summaries, has_failed)?;
    Some(format!("Runs without figures, since they failed: {cells}. The notes below the tables say why."))
}

fn invalid(summaries: &[WorkloadSummary]) -> Option<String> {
    let cells = server_names(summaries, |cell| cell.bound() == Some(Bound::Invalid))?;
    Some(format!(
        "Invalid, and so not ranked: {cells}. These figures say nothing about the servers; the notes below the \
         tables say why."
    ))
}

fn disturbed(summaries: &[WorkloadSummary]) -> Option<String> {
    let again: usize =
        summaries.iter().flat_map(WorkloadSummary::with_floor).map(|cell| cell.set_aside).sum();
    let runs = numbers::counted(again, "run");
    let again = (again > 0).then(|| format!("{runs} repeated, since an attempt was disturbed or failed."));
    let still = server_names(summaries, |cell| cell.bound() == Some(Bound::Disturbed)).map(|cells| {
        format!("Disturbed, and so not ranked: {cells}. Measure again when the machine is quiet.")
    });
    let said: Vec<String> = again.into_iter().chain(still).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// Servers that were already running, and what is not known about them.
fn attached(summaries: &[WorkloadSummary]) -> Option<String> {
    let is_attached = |cell: &Cell| cell.server.is_attached && cell.measured().next().is_some();
    let has_cpu = |run: &Record| run.cpu.as_ref().is_some_and(|cpu| cpu.server.is_some());
    server_names(summaries, is_attached).map(|cells| {
        let unknown = server_names(summaries, |cell| is_attached(cell) && !cell.measured().any(has_cpu));
        let unknown = unknown.map_or_else(String::new, |cells| {
            format!(" CPU time unknown, since no process was named (`--pid`): {cells}.")
        });
        format!(
            "Attached to, not started, pinned or stopped by this measurement: {cells}. Its user chose its cores, and \
             earlier requests may have warmed it up.{unknown}"
        )
    })
}

/// Attached servers that could run on the load tool's cores.
fn overlapping(machine: &Machine, summaries: &[WorkloadSummary]) -> Option<String> {
    let shares_cores = |run: &Record| {
        run.server_cores.iter().any(|core| run.tool_cores.contains(core))
            || machine.topology.iter().any(|topology| {
                let conflicts = conflicts(topology, &run.server_cores, &run.tool_cores);
                conflicts.iter().any(Conflict::is_severe)
            })
    };
    let shares = |cell: &Cell| {
        cell.server.is_attached && cell.measured().any(|run| run.hosts.is_none() && shares_cores(run))
    };
    let cells = server_names(summaries, shares)?;
    Some(format!(
        "Could use the load tool's cores, so each slowed the other down: {cells}. Pin the server to other cores, for \
         example with `taskset`, and measure again."
    ))
}

fn client_bound(summaries: &[WorkloadSummary]) -> Option<String> {
    let cells = server_names(summaries, |cell| cell.bound() == Some(Bound::ClientBound))?;
    Some(format!(
        "The load tool was at its own limit: {cells}. These requests/s compare the tool with itself; CPU time per \
         request compares the servers."
    ))
}

fn network_bound(summaries: &[WorkloadSummary]) -> Option<String> {
    let cells = server_names(summaries, |cell| cell.bound() == Some(Bound::NetworkBound))?;
    Some(format!(
        "The link of the server's host was nearly full: {cells}. These requests/s are the network's; CPU time \
         per request compares the servers."
    ))
}

/// Servers whose answers seem to wait for acknowledgements.
fn delayed(summaries: &[WorkloadSummary]) -> Option<String> {
    let cells = server_names(summaries, |cell| verdict::waits_for_acknowledgements(&cell.runs))?;
    Some(format!(
        "Each answer took about 40 ms, while neither the server nor the load tool was busy: {cells}. That is the \
         pattern of a delayed acknowledgement: such a server likely writes head and body apart without \
         `TCP_NODELAY`, so that the body waits until the client's kernel has acknowledged the head."
    ))
}

fn few(summaries: &[WorkloadSummary]) -> Option<String> {
    let is_few = |summary: &&WorkloadSummary| {
        let most = summary.cells.iter().map(|cell| cell.measured().count()).max().unwrap_or(0);
        // With `--until` the user does not choose the number of repetitions: `wide` warns instead.
        (1..statistics::ENOUGH).contains(&most) && summary.until().is_none()
    };
    let names: Vec<&str> =
        summaries.iter().filter(is_few).map(|summary| summary.workload.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Fewer than {} repetitions, too few to distinguish servers: {}. Use `--repetitions {}` or more.",
            statistics::ENOUGH,
            some(&names, summaries.len()),
            statistics::ENOUGH
        )
    })
}

/// Workloads whose repetitions ended before their intervals were as narrow as was asked for.
fn wide(summaries: &[WorkloadSummary]) -> Option<String> {
    let wide = |summary: &WorkloadSummary| {
        let until = summary.until()?;
        let found = looks::widest(summary).filter(|found| found.width >= until.width)?;
        Some((numbers::percent(until.width), format!("{}: {found}", summary.workload.name)))
    };
    let (asked, wide): (Vec<String>, Vec<String>) = summaries.iter().filter_map(wide).unzip();
    Some(format!(
        "The widest interval is not narrower than {}, as was asked for: {}. A quieter machine makes intervals narrower; \
         `bench measure --resume` continues for another budget.",
        asked.first()?,
        list(&wide)
    ))
}

fn noisy(summaries: &[WorkloadSummary]) -> Option<String> {
    let noisy = |summary: &WorkloadSummary| {
        let noise = noise(summary).filter(|noise| *noise >= NOISY_FROM)?;
        Some(format!("{} (±{:.1} %)", summary.workload.name, noise * 100.0))
    };
    let noisy: Vec<String> = summaries.iter().filter_map(noisy).collect();
    (!noisy.is_empty()).then(|| {
        format!(
            "The noise is large: a server differed from itself under {}. Use more repetitions or a quieter machine.",
            list(&noisy)
        )
    })
}

/// Servers that save time by not keeping the rules of HTTP.
fn smuggling(summaries: &[WorkloadSummary]) -> Option<String> {
    let smuggles = |cell: &&Cell| cell.server.conformance.as_ref().is_some_and(|found| found.smuggled > 0);
    let cells = summaries.iter().flat_map(|summary| &summary.cells).filter(smuggles);
    let names = distinct(cells.map(Cell::name));
    (!names.is_empty()).then(|| {
        format!(
            "{} answer{} requests that are hidden within others: part of the speed comes from not parsing HTTP.",
            list(&names),
            if names.len() == 1 { "s" } else { "" }
        )
    })
}

/// The servers with cells for which `is_such` is true, and their workloads, grouped by workloads.
fn server_names(summaries: &[WorkloadSummary], is_such: impl Fn(&Cell) -> bool) -> Option<String> {
    let names = summaries.iter().flat_map(|summary| {
        let cells = summary.with_floor().filter(|cell| is_such(cell));
        cells.map(|cell| (cell.name(), summary.workload.name.as_str()))
    });
    let by_server = grouped(names).into_iter();
    let by_workloads = grouped(by_server.map(|(server, workloads)| (workloads, server))).into_iter();
    let said: Vec<String> = by_workloads
        .map(|(workloads, servers)| format!("{} ({})", list(&servers), some(&workloads, summaries.len())))
        .collect();
    (!said.is_empty()).then(|| list(&said))
}

/// The names of up to three workloads, or the number of more; `everywhere` if they are all.
fn some(workloads: &[&str], all: usize) -> String {
    match workloads.len() {
        count if count == all && all > 1 => "everywhere".into(),
        1..=3 => list(workloads),
        count => format!("{count} of {all} workloads"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;

    /// Seven runs of a server, with this median latency.
    fn runs(server: &str, p50_seconds: f64) -> Vec<Record> {
        Record::seven(server, |run| {
            let latency = run.latency.as_mut().unwrap();
            (latency.percentiles, latency.mean_seconds) = ([(50, p50_seconds)].into(), None);
            let cpu = run.cpu.as_mut().unwrap();
            (cpu.server.as_mut().unwrap().seconds, cpu.tool.seconds) = (0.02, 0.04);
            run.verdict = verdict::judge_run(run);
        })
    }

    #[test]
    fn a_delayed_acknowledgement_is_named_as_what_the_figures_show() {
        let cases = [
            (vec![runs("prompt", 0.001)], None),
            (vec![runs("prompt", 0.001), runs("slow", 0.044)], Some("slow (work)")),
            (vec![runs("slow", 0.044), runs("late", 0.041)], Some("slow and late (work)")),
        ];
        for (servers, expected) in cases {
            let records = servers.concat();
            let said = delayed(&summarise(&records));
            let begin = "Each answer took about 40 ms, while neither the server nor the load tool was busy: ";
            let named =
                said.as_ref().map(|said| said.strip_prefix(begin).unwrap().split('.').next().unwrap());
            assert_eq!(named, expected);
            assert!(said.is_none_or(|said| said.contains("likely writes head and body apart")));
        }
    }
}
