//! How many conformance cases servers pass: the table of `bench verify --conformance`.

use super::document::Table;
use super::field::Field;
use super::value::{Quantity, Value};
use crate::checks::verify::Verification;
use conformance::{CaseResult, Severity, subject_of};

/// The severities, the worst first.
const SEVERITIES: [(&str, Severity); 3] =
    [("smuggled", Severity::Smuggling), ("wrong", Severity::Wrong), ("strict", Severity::Strict)];

/// A row per server: cases passed, failures by severity, and cases passed per subject.
pub(super) fn table(verified: &[(&str, &Verification)]) -> Table {
    type Row<'a> = (&'a str, &'a Verification);
    let failed = |(header, severity): (&'static str, Severity)| {
        Field::new(header, Quantity::Count, move |(_, of_row): &Row| of_row.failed(severity).to_string())
    };
    let subject = |subject: &'static str| {
        let is_of = move |case: &str| subject_of(case) == subject;
        Field::new(subject, Quantity::Count, move |(_, verification): &Row| passed(verification, is_of))
    };
    let fields = [
        Field::text("Server", |(name, _): &Row| *name),
        Field::new("all", Quantity::Count, |(_, verification): &Row| passed(verification, |_| true)),
    ];
    let fields =
        fields.into_iter().chain(SEVERITIES.map(failed)).chain(subjects(verified).into_iter().map(subject));
    let title = "Cases that pass, of those that were sent";
    let mut table = Table::from_fields("conformance", title, fields.map(Field::essential), verified);
    let severities = "smuggled, wrong and strict are failures: the server answered a request that was hidden within another, broke \
        a rule of HTTP, or made a choice that the RFCs allow and this endpoint does not.";
    table.notes.push(severities.into());
    // Explains why a number is a range.
    let flaky = names(verified, Verification::is_flaky).map(|cases| {
        format!("A range has flaky cases, which the manifest says pass on some runs only: {cases}.")
    });
    // A measurement does not split requests, so these cases count as passed.
    let fails_split = |verification: &Verification, result: &CaseResult| {
        verification.only_split().any(|failed| failed.case == result.case)
    };
    let split = names(verified, fails_split).map(|cases| {
        format!("Counted as passed, since they fail only when the request arrives in two pieces: {cases}.")
    });
    table.notes.extend([flaky, split].into_iter().flatten());
    table
}

/// `axum 3, ntex 1`: how many cases of each server are chosen; `None` where there are none.
fn names(
    verified: &[(&str, &Verification)],
    is_chosen: impl Fn(&Verification, &CaseResult) -> bool,
) -> Option<String> {
    let counts = verified.iter().map(|(name, verification)| {
        let chosen = verification.run.results.iter().filter(|result| is_chosen(verification, result));
        (name, chosen.count())
    });
    let counts: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}")).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// The subjects of the cases that were sent, in the order of the cases.
fn subjects(verified: &[(&str, &Verification)]) -> Vec<&'static str> {
    let mut subjects: Vec<&str> = Vec::new();
    for result in verified.iter().flat_map(|(_, verification)| &verification.run.results) {
        let subject = subject_of(result.case);
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
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
    use conformance::{Failure, Outcome, Rule, Run};

    #[test]
    fn cases_are_counted_by_subject_and_failures_by_severity() {
        let result = |case, severity: Option<Severity>, split| {
            let failure = |severity| Failure {
                severity,
                split,
                reason: String::new(),
                got: String::new(),
                stops_early: false,
                is_dropped: false,
            };
            let outcome = severity.map_or(Outcome::Passed, |severity| Outcome::Failed(failure(severity)));
            CaseResult { case, rule: Rule::new(""), outcome }
        };
        let reason = String::new();
        let flaky = KnownFailure { cases: vec!["host/url".into()], reason, flaky: true, only_split: false };
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
        let of = |results, known: &[KnownFailure]| {
            Verification::compare(Run { results, ..Run::default() }, known, 0)
        };
        let (few, mixed) = (of(few, &[]), of(mixed, &[flaky]));
        let verified = [("few", &few), ("mixed", &mixed)];
        let table = table(&verified);
        let headers = ["Server", "all", "smuggled", "wrong", "strict", "host", "smuggling"];
        assert_eq!(
            table.shown(&headers),
            ["few | 1/3 | 1 | 0 | 1 | 1/2 | 0/1", "mixed | 2–3/3 | 0 | 0 | 0 | 1–2/2 | 1/1"]
        );
        let notes: Vec<&str> = table.notes[1..].iter().filter_map(|note| note.rsplit(": ").next()).collect();
        assert_eq!(notes, ["mixed 1.", "mixed 1."]);
    }
}
