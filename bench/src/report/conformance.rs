//! How many conformance cases servers pass: the table of `bench verify --conformance`.

use super::document::{Column, Priority, Table};
use super::section::server;
use super::value::{Quantity, Value};
use crate::checks::verify::Verification;
use conformance::{Case, CaseResult, Severity, cases, subject_of};

/// The severities, the worst first.
const SEVERITIES: [(&str, Severity); 3] =
    [("smuggled", Severity::Smuggling), ("wrong", Severity::Wrong), ("strict", Severity::Strict)];

/// A row per server: cases passed, failures by severity, and cases passed per subject.
pub(super) fn table(verified: &[(&str, Verification)]) -> Table {
    let subjects = subjects();
    let heads = ["all"].into_iter().chain(SEVERITIES.map(|(head, _)| head)).chain(subjects.iter().copied());
    let columns = heads.map(|head| Column::new(head, Quantity::Count).with_priority(Priority::High));
    let columns = std::iter::once(server()).chain(columns);
    let mut table = Table::new("conformance", "Cases that pass, of those that were sent", columns);
    for (name, verification) in verified {
        let mut row = vec![Value::from(*name), passed(verification, |_| true)];
        row.extend(SEVERITIES.map(|(_, severity)| verification.failed(severity).to_string().into()));
        row.extend(subjects.iter().map(|subject| passed(verification, |case| subject_of(case) == *subject)));
        table.rows.push(row);
    }
    let severities = "smuggled, wrong and strict are failures: the server answered a request that was hidden within another, broke \
        a rule of HTTP, or made a choice that the RFCs allow and this endpoint does not.";
    table.notes.push(severities.into());
    table.notes.extend(flaky(verified));
    table.notes.extend(only_split(verified));
    table
}

/// Which cases are flaky, as they are why a number is a range.
fn flaky(verified: &[(&str, Verification)]) -> Vec<String> {
    let cases = names(verified, Verification::is_flaky);
    let about = "A range has flaky cases, which the manifest says pass on some runs only";
    cases.map(|cases| format!("{about}: {cases}.")).into_iter().collect()
}

/// Which cases fail only when split: a measurement does not split, and these count as passed.
fn only_split(verified: &[(&str, Verification)]) -> Vec<String> {
    let fails = |verification: &Verification, result: &CaseResult| {
        verification.only_split().any(|failed| failed.case == result.case)
    };
    let about = "Counted as passed, since they fail only when the request arrives in two pieces";
    names(verified, fails).map(|cases| format!("{about}: {cases}.")).into_iter().collect()
}

/// `axum 3, ntex 1`: how many cases of each server are chosen; `None` where there are none.
fn names(
    verified: &[(&str, Verification)],
    is_chosen: impl Fn(&Verification, &CaseResult) -> bool,
) -> Option<String> {
    let counts = verified.iter().map(|(name, verification)| {
        let chosen = verification.results.iter().filter(|result| is_chosen(verification, result));
        (name, chosen.count())
    });
    let counts: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}")).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// The subjects in the order of the cases.
fn subjects() -> Vec<&'static str> {
    let mut subjects: Vec<&str> = cases().iter().map(Case::subject).collect();
    subjects.dedup();
    subjects
}

/// `passed/sent` of the cases that are chosen by name.
fn passed(verification: &Verification, chosen: impl Fn(&str) -> bool) -> Value {
    let found = verification.count(chosen);
    (found.cases > 0).then(|| found.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::server::KnownFailure;
    use conformance::Failure;

    #[test]
    fn cases_are_counted_by_subject_and_failures_by_severity() {
        let result = |case, severity: Option<Severity>, split| {
            let failure = |severity| Failure { severity, split, reason: String::new(), got: String::new() };
            CaseResult { case, rule: "", failure: severity.map(failure) }
        };
        let flaky = KnownFailure { cases: vec!["host/url".into()], reason: String::new(), flaky: true };
        let few = vec![
            result("host/list", None, None),
            result("host/two", Some(Severity::Strict), None),
            result("smuggling/in-a-chunk", Some(Severity::Smuggling), None),
        ];
        let mixed = vec![
            result("host/list", Some(Severity::Wrong), Some(7)),
            result("host/url", Some(Severity::Wrong), None),
            result("smuggling/in-a-chunk", None, None),
        ];
        let verified = [("few", Verification::new(few, &[])), ("mixed", Verification::new(mixed, &[flaky]))];
        let table = table(&verified);
        let heads: Vec<&str> = table.columns.iter().map(|column| column.header.as_str()).collect();
        let has = |row: usize, head: &str| {
            let column = heads.iter().position(|of_column| *of_column == head).unwrap();
            table.rows[row][column].text()
        };
        let expected = [
            ("Server", Some("few"), Some("mixed")),
            ("all", Some("1/3"), Some("2–3/3")),
            ("smuggled", Some("1"), Some("0")),
            ("wrong", Some("0"), Some("0")),
            ("strict", Some("1"), Some("0")),
            ("host", Some("1/2"), Some("1–2/2")),
            ("smuggling", Some("0/1"), Some("1/1")),
            ("timing", None, None),
        ];
        for (head, few, mixed) in expected {
            assert_eq!((has(0, head), has(1, head)), (few, mixed), "{head}");
        }
        let notes: Vec<&str> = table.notes[1..].iter().filter_map(|note| note.rsplit(": ").next()).collect();
        assert_eq!(notes, ["mixed 1.", "mixed 1."]);
    }
}
