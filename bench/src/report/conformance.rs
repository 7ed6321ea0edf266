//! How many conformance cases servers pass, as `bench verify` tells it.

use super::document::{Column, Priority, Table};
use super::section::server;
use super::value::{Quantity, Value};
use crate::checks::verify::Verification;
use conformance::{self, Case, Severity};

/// How badly a case can fail, the worst first.
const SEVERITIES: [(&str, Severity); 3] =
    [("smuggled", Severity::Smuggling), ("wrong", Severity::Wrong), ("strict", Severity::Strict)];

/// A row a server: how many cases it passes, how badly it fails the others, and how many it passes of each subject.
pub(super) fn table(verified: &[(&str, Verification)]) -> Table {
    let subjects = subjects();
    let heads = ["all"].into_iter().chain(SEVERITIES.map(|(head, _)| head)).chain(subjects.iter().copied());
    let columns = heads.map(|head| Column::new(head, Quantity::Count).with_priority(Priority::High));
    let columns = std::iter::once(server()).chain(columns);
    let mut table = Table::new("conformance", "Cases that pass, of those that apply", columns);
    for (name, verification) in verified {
        let mut row = vec![Value::from(*name), share(verification, |_| true)];
        row.extend(SEVERITIES.map(|(_, severity)| verification.failed(severity).to_string().into()));
        let of_subject = |subject| share(verification, |case| conformance::subject(case) == subject);
        row.extend(subjects.iter().copied().map(of_subject));
        table.rows.push(row);
    }
    let note = "smuggled, wrong and strict are cases that fail: a request was answered that was hidden within another, a rule of HTTP \
        was broken, or the RFCs leave a choice and this endpoint does not.";
    table.notes.push(note.into());
    table
}

/// The subjects of the cases, in the order in which they are asked.
fn subjects() -> Vec<&'static str> {
    let mut subjects: Vec<&str> = conformance::cases().iter().map(Case::subject).collect();
    subjects.dedup();
    subjects
}

/// `passed/asked`, of the cases that are chosen by name.
fn share(verification: &Verification, chosen: impl Fn(&str) -> bool) -> Value {
    let findings: Vec<_> = verification.findings.iter().filter(|finding| chosen(finding.case)).collect();
    let passed = findings.iter().filter(|finding| finding.wrong.is_none()).count();
    if findings.is_empty() { Value::Absent } else { format!("{passed}/{}", findings.len()).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::{Finding, Wrong};

    #[test]
    fn cases_are_counted_by_subject_and_failures_by_how_bad_they_are() {
        let wrong = |severity| Some(Wrong { severity, reason: String::new(), got: String::new() });
        let finding = |case, wrong| Finding { case, rule: "", wrong };
        let few = vec![
            finding("host/one", None),
            finding("host/two", wrong(Severity::Strict)),
            finding("smuggling/one", wrong(Severity::Smuggling)),
        ];
        let all = vec![finding("host/one", None), finding("smuggling/one", None)];
        let table =
            table(&[("few", few), ("all", all)].map(|(name, found)| (name, Verification::new(found, &[]))));
        let heads: Vec<&str> = table.columns.iter().map(|column| column.header.as_str()).collect();
        let has = |row: usize, head: &str| {
            let column = heads.iter().position(|of_column| *of_column == head).unwrap();
            table.rows[row][column].text()
        };
        let row = |row| {
            ["Server", "all", "smuggled", "wrong", "strict", "host", "smuggling", "timing"]
                .map(|head| has(row, head))
        };
        assert_eq!(
            row(0),
            [Some("few"), Some("1/3"), Some("1"), Some("0"), Some("1"), Some("1/2"), Some("0/1"), None]
        );
        assert_eq!(
            row(1),
            [Some("all"), Some("2/2"), Some("0"), Some("0"), Some("0"), Some("1/1"), Some("1/1"), None]
        );
    }
}
