//! The instructions per request stay within their budgets. The budgets of shared code are in
//! `bench/budgets.toml`, and the budget of a whole server is in its manifest.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by its panic"
)]

mod budget;
mod code;
mod gungraun;
mod servers;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use bench::machine::host::Host;
use bench::measure::microbench;
use bench::servers::checkout::Checkout;
use bench::text::toml_file;

use budget::{Budgets, Count};

/// The file of the budgets, from the root of the checkout.
const FILE: &str = "bench/budgets.toml";

/// The program that counts instructions, and the one with which gungraun runs it.
const NEEDED: [&str; 2] = ["valgrind", "gungraun-runner"];

#[test]
fn nothing_takes_more_instructions_than_its_budget() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = Checkout::read(Some(&root)).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    let budgets: Budgets = toml_file::read(&checkout.root.join(FILE)).unwrap();
    if let Some(missing) = NEEDED.iter().find(|program| host.find(program).is_none()) {
        return say(&format!("skipped: there is no `{missing}` here; scripts/setup --tests installs it"));
    }
    let mut counts = code::count(&host, &checkout, &budgets.code);
    counts.extend(servers::count(&host, &checkout));
    let compiler = microbench::compiler(&host, &checkout).unwrap();
    let compiler = format!("{compiler}, {}", std::env::consts::ARCH);
    counts.iter().for_each(|count| say(&count.to_string()));
    if budgets.counted_with != compiler {
        return say(&format!(
            "not compared: {FILE} was counted with {}, and this is {compiler}",
            budgets.counted_with
        ));
    }
    let over: Vec<String> = counts.iter().filter(|count| count.is_over()).map(Count::to_string).collect();
    let over = over.join("\n");
    assert!(over.is_empty(), "over the budget; if it is worth that, change {FILE} or the manifest\n{over}");
}

#[test]
fn methodology_has_the_budgets_of_the_servers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("METHODOLOGY.md")).unwrap();
    let header = "| | read | write | wait | other | sum | instructions | allocations |";
    let (_, table) = page.split_once(header).unwrap();
    let rows = table.lines().skip(2).map_while(|row| row.strip_prefix("| ")?.strip_suffix('|'));
    let rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let shown = rows.map(|row| (row[0].to_owned(), row[6].replace(',', "")));
    let shown: BTreeMap<String, String> = shown.filter(|(_, budget)| !budget.is_empty()).collect();
    let checkout = Checkout::read(Some(&root)).unwrap();
    let budgets = checkout
        .servers
        .iter()
        .filter_map(|server| Some((server.name.clone(), format!("{:.0}", server.instructions?))));
    assert_eq!(shown, budgets.collect());
}

/// Prints a line that is shown even if the test does not fail: the test harness captures only the
/// output of macros.
fn say(text: &str) {
    let mut terminal = std::io::stderr();
    writeln!(terminal, "budgets: {text}").unwrap();
}
