//! The answers, in sentences: what is cheapest, what is fastest, and what cannot be told apart.

use super::section::{self, Family, Question, list};
use crate::analysis::statistics::Rank;
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::store::record::{Bound, Record, TaskRecord};
use crate::text::numbers;

/// So many servers are named in a sentence; of more the first few are, since the tables have all.
const NAMED: usize = 8;
/// See [`NAMED`].
const FEW: usize = 5;

/// The workload that stands for all: of those that ask how fast and how cheap the one with the most connections, else the first
/// that was a load, else the first.
pub(super) fn leading<'a>(families: &[Family<'a>]) -> Option<&'a WorkloadSummary<'a>> {
    let members = |wanted: &dyn Fn(Question) -> bool| -> Vec<&'a WorkloadSummary<'a>> {
        let families = families.iter().filter(|family| wanted(family.question));
        families
            .flat_map(|family| family.members.iter().copied())
            .filter(|member| has_figures(member))
            .collect()
    };
    let plain = members(&|question| question == Question::Load);
    let all = members(&|_| true);
    let most = plain.iter().rev().max_by_key(|summary| summary.workload.connections);
    let load = all.iter().find(|summary| summary.workload.task == TaskRecord::Load);
    most.or(load).or(all.first()).copied()
}

fn has_figures(summary: &WorkloadSummary) -> bool {
    summary.cells.iter().any(|cell| cell.median(summary.leading()).is_some())
}

/// The sentences. With a server that others are held against, their figures are so many times its own.
pub(super) fn answers(families: &[Family], baseline: Option<&str>) -> Vec<String> {
    let Some(summary) = leading(families) else {
        let is_measured =
            families.iter().flat_map(|family| &family.members).any(|member| member.is_measured());
        return vec![if is_measured {
            "It is not known of any server here what it is ranked by; the tables have the rest.".into()
        } else {
            "There are no figures here yet.".into()
        }];
    };
    let mut answers = vec![best(summary)];
    answers.extend(match baseline {
        Some(name) => Some(held_against(summary, name)),
        None => others(summary),
    });
    answers.extend(ties(summary));
    for member in loads(families) {
        answers.extend(fastest(member));
    }
    answers
}

/// The loads by which it is said what is fastest: those of the questions that ask it, or else the leading one.
fn loads<'a>(families: &[Family<'a>]) -> Vec<&'a WorkloadSummary<'a>> {
    let plain = families.iter().filter(|family| family.question == Question::Load);
    let plain: Vec<_> = plain.flat_map(|family| family.members.iter().copied()).collect();
    let loads = if plain.is_empty() { leading(families).into_iter().collect() } else { plain };
    loads
        .into_iter()
        .filter(|member| member.workload.task == TaskRecord::Load && has_figures(member))
        .collect()
}

/// Who is best by the leading figure.
fn best(summary: &WorkloadSummary) -> String {
    let ranks = summary.ranks();
    let cells: Vec<&Cell> = measured(summary).collect();
    let figure = |cell: &Cell| shown(summary, cell.median(summary.leading()).unwrap_or_default());
    let (adjective, what) = words(summary.workload.task);
    let place = match summary.workload.task {
        TaskRecord::Start => String::new(),
        _ => format!(" with {}", section::connections(summary.workload.connections)),
    };
    let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return String::new() };
    let ties: Vec<&str> = cells
        .iter()
        .zip(ranks)
        .filter(|(_, rank)| rank.best == 1)
        .map(|(cell, _)| cell.server.name.as_str())
        .collect();
    let name = &first.server.name;
    if cells.len() == 1 {
        format!("{name} takes {} {what}{place}; there is no other server to compare it with.", figure(first))
    } else if ties.len() == cells.len() {
        format!(
            "No server can be told from the others: from {} ({name}) to {} ({}) {what}{place}.",
            figure(first),
            figure(last),
            last.server.name
        )
    } else if let [one] = ties.as_slice() {
        format!("{one} is the {adjective}: {} {what}{place}.", figure(first))
    } else {
        format!(
            "{} are the {adjective}, and cannot be told apart: {} {what}{place}, or little more.",
            some(&ties),
            figure(first)
        )
    }
}

/// What the best is, and what its figure is of.
fn words(task: TaskRecord) -> (&'static str, &'static str) {
    match task {
        TaskRecord::Load => ("cheapest", "of CPU time a request"),
        TaskRecord::Start => ("first to answer", "from exec to the first answer"),
        TaskRecord::Hold => ("smallest", "of memory a connection"),
    }
}

/// The leading figure with its unit.
fn shown(summary: &WorkloadSummary, figure: f64) -> String {
    match summary.workload.task {
        TaskRecord::Load | TaskRecord::Start => numbers::duration(figure),
        TaskRecord::Hold => numbers::bytes(figure),
    }
}

/// How the others stand to the best.
fn others(summary: &WorkloadSummary) -> Option<String> {
    let ranks = summary.ranks();
    let first = measured(summary).next()?;
    let ratio = |cell: &Cell| cell.ratio_to(first, summary.leading());
    let others: Vec<String> = measured(summary)
        .zip(ranks)
        .filter(|(_, rank)| rank.best > 1)
        .filter_map(|(cell, _)| Some(format!("{} {}", cell.server.name, numbers::ratio(ratio(cell)?.median))))
        .collect();
    (!others.is_empty())
        .then(|| format!("Beside {}, others take: {}.", first.server.name, some_up_to(others)))
}

/// How all stand to the server that a person has chosen.
fn held_against(summary: &WorkloadSummary, name: &str) -> String {
    let Some(baseline) = section::baseline_cell(summary, name) else {
        return format!(
            "{name} has no figures under {} for others to be held against.",
            summary.workload.name
        );
    };
    let (noise, leading) = (summary.noise(), summary.leading());
    let is_told =
        |cell: &Cell| summary.is_below(cell, baseline, noise) || summary.is_below(baseline, cell, noise);
    let others = measured(summary).filter(|cell| cell.server.name != name);
    let (told, equal): (Vec<&Cell>, Vec<&Cell>) = others.partition(|cell| is_told(cell));
    let ratio = |cell: &&Cell| {
        Some(format!("{} {}", cell.server.name, numbers::ratio(cell.ratio_to(baseline, leading)?.median)))
    };
    let told: Vec<String> = told.iter().filter_map(ratio).collect();
    let equal: Vec<&str> = equal.iter().map(|cell| cell.server.name.as_str()).collect();
    match (told.is_empty(), equal.is_empty()) {
        (true, true) => format!("There is no other server to hold against {name}."),
        (true, false) => format!("{} cannot be told from {name}.", some(&equal)),
        (false, true) => format!("Held against {name}, others take: {}.", some_up_to(told)),
        (false, false) => {
            let others = some_up_to(told);
            format!("Held against {name}, others take: {others}. {} cannot be told from it.", some(&equal))
        }
    }
}

/// Servers with their ratios, of many the first few and the last, which says how far they go.
fn some_up_to(mut others: Vec<String>) -> String {
    let up_to = if others.len() > NAMED {
        let more = others.len() - FEW;
        let last = others.pop().unwrap_or_default();
        others.truncate(FEW);
        others.push(format!("{more} more"));
        format!(", up to {last}")
    } else {
        String::new()
    };
    list(&others.iter().map(String::as_str).collect::<Vec<_>>()) + &up_to
}

/// The servers, of many the first few.
fn some(names: &[&str]) -> String {
    if names.len() <= NAMED {
        return list(names);
    }
    let (few, rest) = names.split_at(FEW);
    let more = format!("{} more", rest.len());
    list(&few.iter().copied().chain([more.as_str()]).collect::<Vec<_>>())
}

/// Who shares ranks, beyond the best.
fn ties(summary: &WorkloadSummary) -> Option<String> {
    let ranks = summary.ranks();
    let mut groups: Vec<(Rank, Vec<&str>)> = Vec::new();
    for (cell, rank) in
        measured(summary).zip(ranks).filter(|(_, rank)| rank.best > 1 && rank.best != rank.worst)
    {
        match groups.iter_mut().find(|(known, _)| known == rank) {
            Some((_, names)) => names.push(&cell.server.name),
            None => groups.push((*rank, vec![&cell.server.name])),
        }
    }
    let said: Vec<String> = groups
        .iter()
        .filter(|(_, names)| names.len() > 1)
        .map(|(rank, names)| format!("{} share ranks {rank}", some(names)))
        .collect();
    (!said.is_empty()).then(|| format!("Cannot be told apart: {}.", said.join("; ")))
}

/// Who answers the most, where that is a fact about servers.
fn fastest(summary: &WorkloadSummary) -> Option<String> {
    let of_bound = |wanted: Bound| -> Vec<&Cell> {
        summary.cells.iter().filter(|cell| cell.bound() == Some(wanted)).collect()
    };
    let with = section::connections(summary.workload.connections);
    let client = of_bound(Bound::ClientBound);
    if !client.is_empty() {
        let names: Vec<&str> = client.iter().map(|cell| cell.server.name.as_str()).collect();
        return Some(format!(
            "With {with} it cannot be told which server is fastest: the load tool was at its own limit with {}.",
            some(&names)
        ));
    }
    let mut valid = [of_bound(Bound::ServerBound), of_bound(Bound::LatencyBound)].concat();
    valid.retain(|cell| cell.median(Record::per_second).is_some());
    let most = valid.iter().max_by(|a, b| {
        let speed = |cell: &Cell| cell.median(Record::per_second).unwrap_or_default();
        speed(a).total_cmp(&speed(b))
    })?;
    let is_as_fast = |cell: &&&Cell| {
        let ratio = cell.ratio_to(most, Record::per_second);
        !ratio.is_some_and(|ratio| ratio.is_below(1.0))
    };
    let names: Vec<&str> = valid.iter().filter(is_as_fast).map(|cell| cell.server.name.as_str()).collect();
    let speed = numbers::whole(most.median(Record::per_second)?);
    let how = match most.bound() {
        Some(Bound::LatencyBound) => ", where neither side was busy and the round trip is the fact",
        _ => "",
    };
    Some(match names.as_slice() {
        [one] => format!("With {with} {one} is fastest: {speed} requests/s{how}."),
        many => format!(
            "With {with} {} are fastest, and cannot be told apart: up to {speed} requests/s{how}.",
            some(many)
        ),
    })
}

/// The cells that have the leading figure, the best first.
fn measured<'s, 'a>(summary: &'s WorkloadSummary<'a>) -> impl Iterator<Item = &'s Cell<'a>> {
    let leading = summary.leading();
    summary.cells.iter().filter(move |cell| cell.median(leading).is_some())
}
