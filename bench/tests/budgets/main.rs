//! What a request costs in instructions stays within its budget, which stands in `bench/budgets.toml`, and for a whole server in
//! its manifest.
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

use std::io::Write;
use std::path::Path;

use bench::machine::host::Host;
use bench::measure::microbench;
use bench::servers::checkout::Checkout;

use budget::{Budgets, Count};

/// Where the budgets stand, from the checkout's top.
const FILE: &str = "bench/budgets.toml";

/// What counts instructions, and what gungraun runs it by.
const NEEDED: [&str; 2] = ["valgrind", "gungraun-runner"];

#[test]
fn nothing_takes_more_instructions_than_its_budget() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = Checkout::read(Some(&root)).unwrap();
    let host = Host::this_machine(checkout.tools()).unwrap();
    let budgets = Budgets::read(&checkout.root.join(FILE)).unwrap();
    if let Some(missing) = NEEDED.iter().find(|program| host.find(program).is_none()) {
        return say(&format!(
            "skipped: there is no `{missing}` on this machine; scripts/setup --tests installs it"
        ));
    }
    let mut counts = code::count(&host, &checkout, &budgets.code);
    counts.extend(servers::count(&host, &checkout));
    let compiler = microbench::compiler(&host, &checkout).unwrap();
    let compiler = format!("{compiler}, {}", std::env::consts::ARCH);
    counts.iter().for_each(|count| say(&count.to_string()));
    if budgets.counted_with != compiler {
        return say(&format!(
            "nothing is held: {FILE} was counted with {}, and this is {compiler}",
            budgets.counted_with
        ));
    }
    let over: Vec<String> = counts.iter().filter(|count| count.is_over()).map(Count::to_string).collect();
    assert!(
        over.is_empty(),
        "over the budget; if it is worth that, change {FILE} or the manifest\n{}",
        over.join("\n")
    );
}

/// Says something that is to be seen although the test does not fail: only what macros print is held back.
fn say(text: &str) {
    let mut terminal = std::io::stderr();
    writeln!(terminal, "budgets: {text}").unwrap();
}
