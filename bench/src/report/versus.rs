//! Two states of servers that were measured in one session, as a document.

use super::comparison::kind_name;
use super::document::{Document, Fact, Section, Table};
use super::field::Field;
use super::value::Quantity;
use crate::analysis::compare::{FigureKind, Judgement};
use crate::analysis::summary::{WorkloadSummary, grouped, summarise};
use crate::analysis::versus::{SMALL, Versus, versus};
use crate::store::results::Loaded;

/// The comparison as a document. `labels` are what the user called the states.
pub fn document(loaded: &Loaded, labels: [&str; 2]) -> Document {
    let summaries = summarise(&loaded.records);
    let all = versus(&summaries);
    let machine = &loaded.machine;
    let tables = grouped(all.iter().map(|one| (&one.workload.name, one)))
        .into_iter()
        .map(|(name, rows)| table(&rows, summaries.iter().find(|summary| summary.workload.name == *name)));
    let section = Section::new(
        "versus",
        "Did the change help?",
        "The servers of both states ran at the same time and were loaded in turn, so that ratios are paired. A state is worse or better \
         where the interval of the ratio excludes 1, and the ratio differs from 1 by more than the noise.",
    );
    Document {
        title: format!("{} compared with {}", labels[1], labels[0]),
        origin: vec![
            Fact::new("Base", labels[0].to_owned()),
            Fact::new("Head", labels[1].to_owned()),
            Fact::new("Where", format!("{}, {}", machine.host, machine.counted_cores())),
            Fact::new("When", machine.started.clone()),
        ],
        answers: vec![answer(&all)],
        sections: section.with([], tables).into_iter().collect(),
        ..Document::default()
    }
}

fn answer(all: &[Versus]) -> String {
    let count = |judgement: Judgement| all.iter().filter(|one| one.judgement == judgement).count();
    let [worse, better, same] = [Judgement::Worse, Judgement::Better, Judgement::Same].map(count);
    let unsaid = all.len() - worse - better - same;
    let unsaid = if unsaid == 0 { String::new() } else { format!(", {unsaid} not judged") };
    format!("{better} better, {worse} worse, {same} cannot be distinguished{unsaid}.")
}

fn table(rows: &[&Versus], summary: Option<&WorkloadSummary>) -> Table {
    let kind = rows.first().map_or(FigureKind::Cost, |one| one.kind);
    let quantity = if kind == FigureKind::Memory { Quantity::Memory } else { Quantity::Time };
    let fields = [
        Field::text("Server", |one: &&Versus| one.server.clone()),
        Field::new("Base", quantity, |one: &&Versus| one.medians[0]),
        Field::new("Head", quantity, |one: &&Versus| one.medians[1]),
        Field::new("Head : base", Quantity::Ratio, |one: &&Versus| one.ratio).with_intervals(),
        Field::text("Judgement", |one: &&Versus| one.judgement.to_string()),
    ];
    let (name, title) = rows.first().map_or_else(Default::default, |one| {
        let workload = one.workload;
        (
            format!("versus-{}", workload.name),
            format!("{}, {} ({})", kind_name(kind), workload.title, workload.name),
        )
    });
    let mut table = Table::from_fields(name, title, fields.map(Field::essential), rows.iter());
    table.has_one_unit = true;
    let noise = summary.and_then(WorkloadSummary::noise);
    table.notes.push(match noise {
        Some(noise) => format!("Differences below {:.1} % are noise (A/A).", noise * 100.0),
        None => "The noise is unknown: the duplicate (A/A) has no figures.".into(),
    });
    let most = rows.iter().filter_map(|one| one.repetitions_needed).max();
    table.notes.extend(most.map(|count| {
        format!(
            "A difference of {:.0} % would need {count} repetitions, by the width of these intervals.",
            SMALL * 100.0
        )
    }));
    table
}
