//! The answers, in sentences: which server is cheapest, which is fastest, which cannot be
//! distinguished, and which are not ranked and why.

use super::section::{self, Family, Question, Rules, has_figures, leading, list, some, some_up_to};
use crate::analysis::statistics::Rank;
use crate::analysis::summary::{Cell, RunFigure, WorkloadSummary, grouped};
use crate::store::record::{Bound, Record, TaskRecord};
use crate::text::numbers;

/// Advice for when the load tool is at its limit, and the comparison that remains valid.
const AT_ITS_LIMIT: &str = "To rank these servers by throughput, add a machine for the load (`--load-host`) or give the load \
    tool more cores (`--tool-cores`); their CPU time per request can be compared as it is.";

/// Advice for when the network is at its limit, and the comparison that remains valid.
const LINK_AT_ITS_LIMIT: &str = "To rank these servers by throughput, connect the server's host by a faster link; their CPU \
    time per request can be compared as it is.";

/// Returns the answers. With a baseline, ratios are to that server instead of the best one. With
/// [`Rules::Kept`], a sentence has the order among the servers that keep the rules of HTTP.
pub(super) fn answers(families: &[Family], baseline: Option<&str>, rules: Rules) -> Vec<String> {
    let Some(summary) = leading(families) else {
        let is_measured =
            families.iter().flat_map(|family| &family.members).any(|member| member.is_measured());
        return vec![if is_measured {
            "No server has the figure by which servers are ranked; the tables have the other figures.".into()
        } else {
            "There are no figures yet.".into()
        }];
    };
    let mut answers = vec![best(summary)];
    answers.extend(match baseline {
        Some(name) => Some(compared(summary, name)),
        None => others(summary),
    });
    answers.extend(ties(summary));
    answers.extend((rules == Rules::Kept).then(|| section::kept_sentence(summary)).flatten());
    answers.extend(not_ranked(summary));
    let mut others = loads(families);
    for (bound, advice) in [(Bound::ClientBound, AT_ITS_LIMIT), (Bound::NetworkBound, LINK_AT_ITS_LIMIT)] {
        let is_limited = |member: &&WorkloadSummary| !limited_by(bound, member).is_empty();
        let (limited, rest) = others.into_iter().partition::<Vec<_>, _>(is_limited);
        answers.extend(limited.iter().filter_map(|member| fastest(member)));
        answers.extend((!limited.is_empty()).then(|| advice.into()));
        others = rest;
    }
    answers.extend(others.iter().filter_map(|member| fastest(member)));
    answers.extend(section::sentences(families));
    answers
}

/// At most three sentences about this workload's servers.
pub(super) fn in_short(summary: &WorkloadSummary) -> Vec<String> {
    let limited = |bound: Bound, what: &str| {
        (!limited_by(bound, summary).is_empty()).then(|| {
            format!("{what} was at its limit, so these requests/s do not rank the servers; their CPU time per request does.")
        })
    };
    [
        Some(best(summary)),
        limited(Bound::ClientBound, "Client-bound: the load tool"),
        limited(Bound::NetworkBound, "Network-bound: the link of the server's host"),
        not_ranked(summary),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The loads that show which server is fastest: those in families with [`Question::Load`], or else
/// the leading workload.
fn loads<'a>(families: &[Family<'a>]) -> Vec<&'a WorkloadSummary<'a>> {
    let plain = families.iter().filter(|family| family.question == Question::Load);
    let plain: Vec<_> = plain.flat_map(|family| family.members.iter().copied()).collect();
    let loads = if plain.is_empty() { leading(families).into_iter().collect() } else { plain };
    let is_load = |member: &&WorkloadSummary| member.workload.task == TaskRecord::Load;
    loads.into_iter().filter(|member| is_load(member) && has_figures(member)).collect()
}

/// Which servers are the best by the leading metric.
fn best(summary: &WorkloadSummary) -> String {
    let ranked: Vec<(&Cell, Rank)> = summary.ranked().collect();
    let (adjective, what, shown) = words(summary.workload.task);
    let shown = |cell: &Cell| shown(cell.median(summary.leading().per_run).unwrap_or_default());
    let place = match summary.workload.task {
        TaskRecord::Start => String::new(),
        _ => format!(" with {}", section::connections(summary.workload.connections)),
    };
    let ([(first, _), ..], [.., (last, _)]) = (ranked.as_slice(), ranked.as_slice()) else {
        return format!("No server can be ranked{place}.");
    };
    let tied: Vec<&Cell> = ranked.iter().filter(|(_, rank)| rank.best == 1).map(|(cell, _)| *cell).collect();
    let name = &first.server.name;
    let first_figure = shown(first);
    match tied.as_slice() {
        _ if ranked.len() == 1 => {
            format!(
                "{name} needs {first_figure} {what}{place}; there is no other ranked server to compare it with."
            )
        }
        tied if tied.len() == ranked.len() => format!(
            "No server can be distinguished from the others: {first_figure} ({name}) to {} ({}) {what}{place}.",
            shown(last),
            last.server.name
        ),
        [one] => format!("{} is the {adjective}: {first_figure} {what}{place}.", one.server.name),
        [.., last] => format!(
            "{} are the {adjective} and cannot be distinguished: {} {what}{place}.",
            some(&names(&tied)),
            range(&first_figure, &shown(last))
        ),
        [] => String::new(),
    }
}

/// The adjective for the best server, the meaning of its figure, and the function that formats it.
fn words(task: TaskRecord) -> (&'static str, &'static str, fn(f64) -> String) {
    match task {
        TaskRecord::Load => ("cheapest", "of CPU time per request", numbers::duration),
        TaskRecord::Start => ("first to respond", "from exec to the first response", numbers::duration),
        TaskRecord::Hold => ("smallest", "of memory per connection", numbers::bytes),
        TaskRecord::Idle => ("cheapest", "of CPU time per second when idle", numbers::duration),
    }
}

/// `4.75 to 4.91 µs`, or with both units where they differ.
fn range(low: &str, high: &str) -> String {
    match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        _ if low == high => low.to_owned(),
        (Some((number, own)), Some((_, unit))) if own == unit => format!("{number} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

/// Compares the servers that are not among the best with the first one.
fn others(summary: &WorkloadSummary) -> Option<String> {
    let (first, _) = summary.ranked().next()?;
    let others = summary.ranked().filter(|(_, rank)| rank.best > 1).map(|(cell, _)| cell);
    let others = ratios(summary, others, first);
    (!others.is_empty())
        .then(|| format!("Compared with {}, the others need: {}.", first.server.name, some_up_to(&others)))
}

/// The name of each server with its ratio to `other`.
fn ratios<'a>(
    summary: &WorkloadSummary,
    cells: impl Iterator<Item = &'a Cell<'a>>,
    other: &Cell,
) -> Vec<String> {
    let ratio = |cell: &Cell| {
        let ratio = cell.ratio_to(other, summary.leading())?.median;
        Some(format!("{} {}", cell.server.name, numbers::ratio(ratio)))
    };
    cells.filter_map(ratio).collect()
}

/// Compares all servers with the one that the user chose.
fn compared(summary: &WorkloadSummary, name: &str) -> String {
    let baseline = match section::baseline(summary, name) {
        Ok(baseline) => baseline,
        Err(why) => {
            return format!("Nothing can be compared with {name} under {}: {why}.", summary.workload.name);
        }
    };
    let noise = summary.noise();
    let differs =
        |cell: &Cell| summary.is_below(cell, baseline, noise) || summary.is_below(baseline, cell, noise);
    let others = summary.ranked().map(|(cell, _)| cell).filter(|cell| cell.server.name != name);
    let (different, equal): (Vec<&Cell>, Vec<&Cell>) = others.partition(|cell| differs(cell));
    let different = ratios(summary, different.into_iter(), baseline);
    let equal = some(&names(&equal));
    match (different.is_empty(), equal.is_empty()) {
        (true, true) => format!("There is no other ranked server to compare with {name}."),
        (true, false) => format!("{equal} cannot be distinguished from {name}."),
        (false, is_alone) => {
            let different = format!("Compared with {name}, the others need: {}.", some_up_to(&different));
            if is_alone { different } else { format!("{different} {equal} cannot be distinguished from it.") }
        }
    }
}

/// Which servers below the best ones share ranks.
fn ties(summary: &WorkloadSummary) -> Option<String> {
    let shared = summary.ranked().filter(|(_, rank)| rank.best > 1 && rank.best != rank.worst);
    let groups = grouped(shared.map(|(cell, rank)| (rank, cell.name())));
    let groups = groups.iter().filter(|(_, names)| names.len() > 1);
    let said: Vec<String> =
        groups.map(|(rank, names)| format!("{} share ranks {rank}", some(names))).collect();
    (!said.is_empty()).then(|| format!("Cannot be distinguished: {}.", said.join("; ")))
}

/// Which servers are not ranked, and why.
fn not_ranked(summary: &WorkloadSummary) -> Option<String> {
    let reason =
        |cell: &Cell| Some(format!("{} ({})", cell.server.name, section::verdict(cell.not_ranked()?)));
    let said: Vec<String> = summary.cells.iter().filter_map(reason).collect();
    (!said.is_empty()).then(|| format!("Not ranked: {}.", list(&said)))
}

/// Which servers are the fastest, or that the load tool or the network was at its limit.
fn fastest(summary: &WorkloadSummary) -> Option<String> {
    let with = section::connections(summary.workload.connections);
    for (bound, what) in
        [(Bound::ClientBound, "the load tool"), (Bound::NetworkBound, "the link of the server's host")]
    {
        let limited = limited_by(bound, summary);
        if !limited.is_empty() {
            return Some(format!(
                "With {with} the fastest servers cannot be ranked by throughput: {what} was at its limit with {}.",
                some(&limited)
            ));
        }
    }
    let speed = |cell: &Cell| cell.median(Record::per_second);
    let is_valid = |cell: &&Cell| {
        let is_own = |bound: Bound| bound.is_of_server() || bound == Bound::LatencyBound;
        cell.bound().is_some_and(is_own) && speed(cell).is_some()
    };
    let valid: Vec<&Cell> = summary.cells.iter().filter(is_valid).collect();
    let most =
        valid.iter().max_by(|a, b| speed(a).unwrap_or_default().total_cmp(&speed(b).unwrap_or_default()))?;
    let is_as_fast = |cell: &&&Cell| {
        let ratio = cell.ratio_to(most, RunFigure::THROUGHPUT);
        !ratio.is_some_and(|ratio| ratio.is_below(1.0))
    };
    let names: Vec<&str> = valid.iter().filter(is_as_fast).map(|cell| cell.name()).collect();
    let how = match most.bound() {
        Some(Bound::LatencyBound) => {
            ", limited by the round trip: neither the server nor the load tool was busy"
        }
        Some(Bound::ThreadBound) => ", limited by a busy thread while the server's cores had time left",
        _ => "",
    };
    let speed = numbers::whole(speed(most)?);
    Some(match names.as_slice() {
        [one] => format!("With {with} {one} is the fastest: {speed} requests/s{how}."),
        many => format!(
            "With {with} {} are the fastest and cannot be distinguished: up to {speed} requests/s{how}.",
            some(many)
        ),
    })
}

fn limited_by<'a>(bound: Bound, summary: &WorkloadSummary<'a>) -> Vec<&'a str> {
    let cells = summary.cells.iter().filter(|cell| cell.bound() == Some(bound));
    cells.map(Cell::name).collect()
}

fn names<'a>(cells: &[&Cell<'a>]) -> Vec<&'a str> {
    cells.iter().map(|cell| cell.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarise;
    use crate::report::section::Source;
    use crate::store::results::Loaded;

    /// Runs of each server: its name, its CPU time per request in microseconds, and what bound it.
    fn runs(servers: &[(&str, f64, Bound)]) -> Loaded {
        let runs = servers.iter().flat_map(|(server, microseconds, bound)| {
            Record::seven(server, |record| {
                record.set_cpu_seconds(microseconds / 1e3);
                record.set_bound(*bound);
            })
        });
        Loaded::example(runs.collect())
    }

    const A_IS_BEST: &str = "a is the cheapest: 5.00 µs of CPU time per request with 10 connections.";
    const BOTH_ARE_FAST: &str =
        "With 10 connections a and b are the fastest and cannot be distinguished: up to 1,000 requests/s.";
    const NOT_RANKED: &str = "Not ranked: bad (invalid: 3 requests failed).";

    #[test]
    #[rustfmt::skip]
    fn cells_that_decide_nothing_are_in_no_sentence_but_their_own() {
        use Bound::{ClientBound, Invalid, NetworkBound, ServerBound};
        let (a, b) = (("a", 5.0, ServerBound), ("b", 10.0, ServerBound));
        let (low, high) = (("bad", 1.0, Invalid), ("bad", 80.0, Invalid));
        // Servers, the baseline, and the answers.
        type Answered<'a> = (&'a [(&'a str, f64, Bound)], Option<&'a str>, &'a [&'a str]);
        let cases: [Answered; 8] = [
            (&[a, b], None, &[A_IS_BEST, "Compared with a, the others need: b 2.00×.", BOTH_ARE_FAST]),
            (&[low, a, b], None, &[
                A_IS_BEST, "Compared with a, the others need: b 2.00×.", NOT_RANKED, BOTH_ARE_FAST,
            ]),
            (&[low, a], None, &[
                "a needs 5.00 µs of CPU time per request with 10 connections; there is no other ranked server to \
                 compare it with.",
                NOT_RANKED, "With 10 connections a is the fastest: 1,000 requests/s.",
            ]),
            (&[low], None, &["No server can be ranked with 10 connections.", NOT_RANKED]),
            (&[a, b, high], Some("bad"), &[
                A_IS_BEST, "Nothing can be compared with bad under work: invalid: 3 requests failed.", NOT_RANKED,
                BOTH_ARE_FAST,
            ]),
            (&[a, b, high], Some("b"), &[
                A_IS_BEST, "Compared with b, the others need: a 0.50×.", NOT_RANKED, BOTH_ARE_FAST,
            ]),
            (&[("a", 5.0, ClientBound), ("c", 5.0, ClientBound), b], None, &[
                "a and c are the cheapest and cannot be distinguished: 5.00 µs of CPU time per request with 10 \
                 connections.",
                "Compared with a, the others need: b 2.00×.",
                "With 10 connections the fastest servers cannot be ranked by throughput: the load tool was at its limit \
                 with a and c.",
                AT_ITS_LIMIT,
            ]),
            (&[("a", 5.0, NetworkBound), b], None, &[
                A_IS_BEST, "Compared with a, the others need: b 2.00×.",
                "With 10 connections the fastest servers cannot be ranked by throughput: the link of the server's host was \
                 at its limit with a.",
                LINK_AT_ITS_LIMIT,
            ]),
        ];
        for (servers, baseline, expected) in cases {
            let loaded = runs(servers);
            let summaries = summarise(&loaded.records);
            let answers = answers(&Source::new(&loaded, &summaries).families, baseline, Rules::Any);
            assert_eq!(answers, expected, "{servers:?}");
        }
    }
}
