//! Whether a manifest's lists name cases, drills, limits and benchmarks, each once.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::CheckContext;
use super::diagnostic::Diagnostics;
use super::values::{strings, tables};
use crate::checks::drill::{self, DRILLS};
use crate::servers::server::LIMITS;
use crate::text::names;

pub(super) fn check(table: &DeTable, context: &CheckContext, found: &mut Diagnostics) {
    check_cases(&listed(table, "known_failures", "cases"), found);
    check_limits(&listed(table, "limits", "names"), found);
    let costs = table.get("costs").and_then(|costs| costs.get_ref().as_table());
    let benchmarks = costs.into_iter().flat_map(|costs| costs.values()).filter_map(strings).flatten();
    check_benchmarks(benchmarks, context.benchmarks, found);
}

/// The names in a field of each of several tables.
fn listed<'a>(table: &'a DeTable, list: &str, field: &str) -> Vec<(usize, &'a str)> {
    tables(table, list).filter_map(|item| item.get(field)).filter_map(strings).flatten().collect()
}

fn check_cases(listed: &[(usize, &str)], found: &mut Diagnostics) {
    let cases: Vec<&str> = conformance::cases().iter().map(|case| case.name).collect();
    let drills: Vec<&str> = DRILLS.iter().map(|drill| drill.name).collect();
    check_once(listed, found);
    for (at, name) in listed {
        let (kind, known, where_else) = if drill::is_drill(name) {
            ("drill", &drills, "`bench drill --list` shows them")
        } else {
            ("case", &cases, "`bench verify --conformance` names those that fail")
        };
        if !known.contains(name) {
            let hint = names::nearest(name, known);
            let hint = hint.map_or_else(|| where_else.to_owned(), |near| format!("did you mean `{near}`?"));
            found.error(*at, format!("there is no {kind} `{name}`; {hint}"));
        }
    }
}

fn check_limits(listed: &[(usize, &str)], found: &mut Diagnostics) {
    check_once(listed, found);
    for (at, name) in listed.iter().filter(|(_, name)| !LIMITS.contains(name)) {
        found.error(*at, format!("there is no limit `{name}`; {}", names::suggest(name, &LIMITS)));
    }
}

fn check_once(listed: &[(usize, &str)], found: &mut Diagnostics) {
    let mut first = BTreeMap::new();
    for (at, name) in listed {
        if let Some(before) = first.insert(*name, *at) {
            let line = found.line(before);
            found.error(*at, format!("`{name}` is listed twice; it is also on line {line}"));
        }
    }
}

/// The benchmarks are known only where they have run.
fn check_benchmarks<'a>(
    listed: impl Iterator<Item = (usize, &'a str)>,
    known: &[String],
    found: &mut Diagnostics,
) {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for (at, name) in listed.filter(|(_, name)| !known.is_empty() && !known.contains(name)) {
        let hint = names::nearest(name, &known);
        let hint = hint.map_or_else(|| "is it new?".to_owned(), |near| format!("did you mean `{near}`?"));
        found.note(at, format!("no benchmark `{name}` has run here; {hint}"));
    }
}
