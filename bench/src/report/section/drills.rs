//! Fault drills as a part of a section: the result of each server, and the reasons of failures.

use super::family::distinct;
use super::words;
use crate::report::document::{Fact, Table};
use crate::report::field::Field;
use crate::report::value::Value;
use crate::store::drills::{DrillRecord, OutcomeRecord, SizeRecord};
use crate::store::record::Protocol;
use crate::text::numbers;
use crate::text::numbers::as_f64;

/// How the table is to be read.
pub(super) const ABOUT: &str = "A drill starts a server and injects one kind of fault. A server that passes has a figure: bytes, counts, \
    or seconds until it ended, never a speed. A number in brackets refers to a note: a failure, and its reason where the \
    server's manifest has one.";

/// The cell of a server that failed.
pub(crate) const FAILED: &str = "FAILS";

/// A server over a protocol, and its cells.
type DrilledRow<'a> = ((&'a str, Protocol), Vec<Value>);

/// A row per server and protocol, and a column per drill; `None` when there are no records.
pub(in crate::report) fn table(records: &[DrillRecord]) -> Option<Table> {
    let drilled = distinct(records.iter().map(|record| (record.server.name.as_str(), record.protocol)));
    let drills = distinct(records.iter().map(|record| record.drill.as_str()));
    if records.is_empty() {
        return None;
    }
    let mut notes = Vec::new();
    let mut rows: Vec<DrilledRow> = Vec::new();
    for (server, protocol) in drilled {
        let of_drill = |drill: &&str| {
            let is_it = |record: &&DrillRecord| {
                record.server.name == server && record.protocol == protocol && record.drill == **drill
            };
            records.iter().find(is_it)
        };
        let cells = drills.iter().map(|drill| of_drill(drill).map(|record| cell(record, &mut notes)).into());
        rows.push(((server, protocol), cells.collect()));
    }
    let drill = |(place, drill): (usize, &&str)| {
        Field::text(*drill, move |(_, cells): &DrilledRow| cells[place].clone()).essential()
    };
    let server = Field::text("Server", |((server, _), _): &DrilledRow| *server).essential();
    let protocol = Field::text("Protocol", |((_, protocol), _): &DrilledRow| protocol.as_str()).essential();
    let is_told = !records.iter().all(|record| record.protocol.is_plain());
    let named = std::iter::once(server).chain(is_told.then_some(protocol));
    let fields = named.chain(drills.iter().enumerate().map(drill));
    let mut table = Table::from_fields("drills", "Fault drills", fields, &rows);
    table.notes = notes;
    table.notes.extend(sizes(records));
    Some(table)
}

pub(super) fn facts(records: &[DrillRecord]) -> Vec<Fact> {
    let drills = distinct(records.iter().map(|record| (record.drill.as_str(), record.about.as_str())));
    drills.into_iter().map(|(drill, about)| Fact::new(drill, about)).collect()
}

/// The figure or the failure, with the number of its note where it has one.
fn cell(record: &DrillRecord, notes: &mut Vec<String>) -> Value {
    let DrillRecord { server, drill, protocol, outcome, known, .. } = record;
    let (text, more) = match (outcome, known) {
        (OutcomeRecord::Passed(figure), None) => return Value::from(figure.as_str()),
        (OutcomeRecord::Passed(figure), Some(reason)) => {
            (figure.as_str(), format!("passes, although listed as a known failure: {reason}"))
        }
        (OutcomeRecord::Failed(wrong), Some(reason)) => (FAILED, format!("{wrong}. Known: {reason}")),
        (OutcomeRecord::Failed(wrong), None) => {
            (FAILED, format!("{wrong}. Not a known failure of this server."))
        }
    };
    let number = notes.len() + 1;
    let over = if protocol.is_plain() { String::new() } else { format!(" over {protocol}") };
    notes.push(format!("({number}) {} {drill}{over}: {more}", server.name));
    format!("{text} ({number})").into()
}

/// A note per size of the drills, with the servers that it was used for.
fn sizes(records: &[DrillRecord]) -> Vec<String> {
    let sizes = distinct(records.iter().map(|record| record.size));
    let sentence = |size: SizeRecord| {
        let of_it = records.iter().filter(|record| record.size == size);
        let servers = words::list(&distinct(of_it.map(|record| record.server.name.as_str())));
        match size {
            SizeRecord::Short => format!("Short drills, with fewer connections and less time: {servers}."),
            SizeRecord::Full { connections } => {
                let connections = numbers::whole(as_f64(connections as u64));
                format!("Full drills, with up to {connections} connections at once: {servers}.")
            }
        }
    };
    sizes.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_note() {
        let known = |reason: &str, record: DrillRecord| DrillRecord { known: Some(reason.into()), ..record };
        let records = [
            DrillRecord::example("one", "idle", Ok("12 B each")),
            known("Nothing is bounded.", DrillRecord::example("one", "kill", Err("no end"))),
            DrillRecord::example("two", "kill", Err("it has ended")),
            known("It is slow.", DrillRecord::example("three", "idle", Ok("9 B each"))),
        ];
        let table = table(&records).unwrap();
        let heads: Vec<&str> = table.columns.iter().map(|column| column.header.as_str()).collect();
        assert_eq!(heads, ["Server", "idle", "kill"]);
        assert_eq!(
            table.shown(&heads),
            ["one | 12 B each | FAILS (1)", "two | – | FAILS (2)", "three | 9 B each (3) | –"]
        );
        assert_eq!(
            table.notes,
            [
                "(1) one kill: no end. Known: Nothing is bounded.",
                "(2) two kill: it has ended. Not a known failure of this server.",
                "(3) three idle: passes, although listed as a known failure: It is slow.",
                "Short drills, with fewer connections and less time: one, two and three.",
            ]
        );
        let expected = ["idle", "kill"].map(|drill| Fact::new(drill, format!("what {drill} does")));
        assert_eq!(facts(&records), expected);
        assert!(super::table(&[]).is_none());
    }

    #[test]
    fn each_protocol_has_a_row() {
        let over =
            |protocol, outcome| DrillRecord { protocol, ..DrillRecord::example("one", "idle", outcome) };
        let records = [
            over(Protocol::Http1, Ok("12 B each")),
            over(Protocol::H2, Err("no room")),
            DrillRecord::example("two", "kill", Ok("up in 3 ms")),
        ];
        let table = table(&records).unwrap();
        let heads: Vec<&str> = table.columns.iter().map(|column| column.header.as_str()).collect();
        assert_eq!(heads, ["Server", "Protocol", "idle", "kill"]);
        let expected =
            ["one | http/1.1 | 12 B each | –", "one | h2 | FAILS (1) | –", "two | http/1.1 | – | up in 3 ms"];
        assert_eq!(table.shown(&heads), expected);
        assert_eq!(table.notes[0], "(1) one idle over h2: no room. Not a known failure of this server.");
    }

    #[test]
    fn each_size_has_a_note() {
        let mut whole = DrillRecord::example("two", "idle", Ok("12 B each"));
        whole.size = SizeRecord::Full { connections: 10_000 };
        let records = [DrillRecord::example("one", "idle", Ok("12 B each")), whole];
        assert_eq!(
            table(&records).unwrap().notes,
            [
                "Short drills, with fewer connections and less time: one.",
                "Full drills, with up to 10,000 connections at once: two.",
            ]
        );
    }
}
