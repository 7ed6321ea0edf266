//! Whether the names in a manifest's lists are those of cases, drills, limits and benchmarks, each once.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{Remarks, Surroundings, strings, tables};
use crate::checks::drill::{self, DRILLS};
use crate::servers::server::LIMITS;
use crate::text::names;

pub(super) fn check(table: &DeTable, surroundings: &Surroundings, remarks: &mut Remarks) {
    check_cases(&listed(table, "known_failures", "cases"), remarks);
    check_limits(&listed(table, "limits", "names"), remarks);
    let costs = table.get("costs").and_then(|costs| costs.get_ref().as_table());
    let benchmarks = costs.into_iter().flat_map(|costs| costs.values()).filter_map(strings).flatten();
    check_benchmarks(benchmarks, surroundings.benchmarks, remarks);
}

/// The names that stand in a field of each of several tables.
fn listed<'a>(table: &'a DeTable, list: &str, field: &str) -> Vec<(usize, &'a str)> {
    tables(table, list).filter_map(|item| item.get(field)).filter_map(strings).flatten().collect()
}

fn check_cases(listed: &[(usize, &str)], remarks: &mut Remarks) {
    let cases: Vec<&str> = conformance::cases().iter().map(|case| case.name).collect();
    let drills: Vec<&str> = DRILLS.iter().map(|drill| drill.name).collect();
    check_once(listed, remarks);
    for (at, name) in listed {
        let (kind, known, where_else) = if drill::is_drill(name) {
            ("drill", &drills, "`bench drill --list` has them")
        } else {
            ("case", &cases, "`bench verify --conformance` names those that fail")
        };
        if !known.contains(name) {
            let hint = names::nearest(name, known);
            let hint = hint.map_or_else(|| where_else.to_owned(), |near| format!("did you mean `{near}`?"));
            remarks.mistake(*at, format!("there is no {kind} `{name}`; {hint}"));
        }
    }
}

fn check_limits(listed: &[(usize, &str)], remarks: &mut Remarks) {
    check_once(listed, remarks);
    for (at, name) in listed.iter().filter(|(_, name)| !LIMITS.contains(name)) {
        remarks.mistake(*at, format!("there is no limit `{name}`; {}", names::suggest(name, &LIMITS)));
    }
}

fn check_once(listed: &[(usize, &str)], remarks: &mut Remarks) {
    let mut first = BTreeMap::new();
    for (at, name) in listed {
        if let Some(before) = first.insert(*name, *at) {
            let line = remarks.line(before);
            remarks.mistake(*at, format!("`{name}` is listed twice; it is on line {line} already"));
        }
    }
}

/// Which benchmarks there are is known only where they were run.
fn check_benchmarks<'a>(
    listed: impl Iterator<Item = (usize, &'a str)>,
    known: &[String],
    remarks: &mut Remarks,
) {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for (at, name) in listed.filter(|(_, name)| !known.is_empty() && !known.contains(name)) {
        let hint = names::nearest(name, &known);
        let hint = hint.map_or_else(|| "is it new?".to_owned(), |near| format!("did you mean `{near}`?"));
        remarks.note(at, format!("no benchmark `{name}` was ever run here; {hint}"));
    }
}
