//! Checks that a manifest's lists name known cases, drills, limits and benchmarks, and that no
//! case, drill or limit is listed twice.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::CheckContext;
use super::diagnostic::Diagnostics;
use super::values::{strings, tables};
use crate::checks::drill;
use crate::servers::server::LIMITS;
use crate::text::names;

pub(super) fn check(table: &DeTable, context: &CheckContext, found: &mut Diagnostics) {
    let (failures, limits) = (listed(table, "known_failures", "cases"), listed(table, "limits", "names"));
    check_once(&failures, found);
    check_cases(&failures, found);
    check_once(&limits, found);
    for (at, name) in limits.iter().filter(|(_, name)| !LIMITS.contains(name)) {
        found.error(*at, format!("there is no limit `{name}`; {}", names::suggest(name, &LIMITS)));
    }
    let costs = table.get("costs").and_then(|costs| costs.get_ref().as_table());
    let benchmarks = costs.into_iter().flat_map(|costs| costs.values()).filter_map(strings).flatten();
    check_benchmarks(benchmarks, context.benchmarks, found);
}

/// The strings in `field` of each table in `list`, with their offsets.
fn listed<'a>(table: &'a DeTable, list: &str, field: &str) -> Vec<(usize, &'a str)> {
    tables(table, list).filter_map(|item| item.get(field)).filter_map(strings).flatten().collect()
}

fn check_cases(listed: &[(usize, &str)], found: &mut Diagnostics) {
    let cases: Vec<&str> = conformance::all_cases().iter().map(|case| case.name).collect();
    let drills = drill::known_names();
    let drills: Vec<&str> = drills.iter().map(String::as_str).collect();
    for (at, name) in listed {
        let (kind, known, where_else) = if drill::is_drill(name) {
            ("drill", &drills, "`bench drill --list` shows them")
        } else {
            ("case", &cases, "`bench verify --conformance` names those that fail")
        };
        if !known.contains(name) {
            found.error(*at, format!("there is no {kind} `{name}`; {}", hint(name, known, where_else)));
        }
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

/// Adds notes, not errors: a benchmark is known only on a machine on which it has run.
fn check_benchmarks<'a>(
    listed: impl Iterator<Item = (usize, &'a str)>,
    known: &[String],
    found: &mut Diagnostics,
) {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for (at, name) in listed.filter(|(_, name)| !known.is_empty() && !known.contains(name)) {
        let hint = hint(name, &known, "is it new?");
        found.note(at, format!("no benchmark `{name}` has run here; {hint}"));
    }
}

/// Returns the most similar known name as a question, or `otherwise` if no name is similar.
fn hint(name: &str, known: &[&str], otherwise: &str) -> String {
    names::nearest(name, known).map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}
