//! `--keep`: what `bench drill` and `bench microbench` leave in a result folder, and what a report says of it. With a mock server,
//! and a mock cargo that leaves captured files of criterion's.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

mod mock;

use std::fs;

use bench::drill::OutcomeRecord;
use bench::microbench::BenchRecord;
use bench::report;
use bench::report::document::{Section, Value};
use bench::results::Loaded;

use mock::Checkout;

/// A checkout with a result folder, `out`, in which nothing was measured yet.
fn checkout() -> Checkout {
    let checkout = Checkout::new(&["dead", "tidy"], "about = \"none\"\nsuites = [\"none\"]\n");
    checkout.write("out/machine.json", include_str!("folder/machine.json"));
    checkout.write("out/measurements.jsonl", "");
    checkout
}

fn section(loaded: &Loaded, id: &str) -> Section {
    report::document(loaded).sections.into_iter().find(|section| section.id == id).unwrap()
}

#[test]
fn findings_become_part_of_a_result_folder() {
    let checkout = checkout();
    let manifest = checkout.path("servers/mock/dead/server.toml");
    let gap = "[[gaps]]\ncases = [\"drill/half-close\"]\nreason = \"It is dead.\"\n";
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + gap).unwrap();
    for _ in 0..2 {
        let (output, text) = checkout.run("drill --short --drills half-close --keep out");
        assert!(output.status.success(), "{text}");
    }
    let kept = fs::read_to_string(checkout.path("out/drills.jsonl")).unwrap();
    let kept: Vec<&str> = kept.lines().collect();
    assert_eq!(kept.len(), 4, "{kept:?}");

    // Of two findings the later one counts.
    let loaded = checkout.loaded();
    let lines: Vec<String> =
        loaded.drills.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(lines, kept[2..]);
    let [dead, tidy] = loaded.drills.as_slice() else { panic!("{lines:?}") };
    assert_eq!((dead.server.name.as_str(), dead.known.as_deref()), ("dead", Some("It is dead.")));
    assert_eq!(tidy.server.version.as_deref(), Some("server-tidy 1 (mock 1)"));
    let (OutcomeRecord::Failed(wrong), OutcomeRecord::Passed(figure)) = (&dead.outcome, &tidy.outcome) else {
        panic!("{lines:?}")
    };
    assert!(wrong.contains("no luck today"), "{wrong}");

    let http = section(&loaded, "http");
    let table = http.tables.iter().find(|table| table.name == "drills").unwrap();
    assert_eq!(
        table.rows,
        [["dead", "FAILS (1)"], ["tidy", figure.as_str()]].map(|row| row.map(Value::from))
    );
    assert_eq!(table.notes[0], format!("(1) dead half-close: {wrong}. Known: It is dead."));
    checkout.assert_nothing_runs();
}

#[test]
fn only_what_a_run_has_made_is_told_and_kept() {
    let checkout = checkout();
    checkout.write("target/criterion/old/thing/new/benchmark.json", "of another time");
    let (output, text) = checkout.run("microbench request");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("request/parse/browser") && text.contains("Benchmarking request"), "{text}");

    let (output, text) = checkout.run("microbench connection --keep out");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("criterion/report/index.html") && text.contains("out/code.json"), "{text}");
    let loaded = checkout.loaded();
    let mut names: Vec<String> =
        loaded.code.as_ref().unwrap().benches.iter().map(BenchRecord::full_name).collect();
    names.sort_unstable();
    assert_eq!(names, ["connection/pipelined/1", "connection/pipelined/16"]);
    assert_eq!(section(&loaded, "code").tables[0].rows.len(), 2);
}

#[test]
fn what_cannot_be_kept_is_an_error_before_anything_runs() {
    let checkout = checkout();
    checkout.write("out/code.json", "{}");
    let cases = [
        ("drill --keep absent", "error: --keep: absent is not a folder of results"),
        ("drill --keep servers", "error: --keep: cannot read servers/machine.json"),
        ("microbench --keep absent", "error: --keep: absent is not a folder of results"),
        ("microbench --keep out", "error: --keep: out/code.json is there already"),
    ];
    for (arguments, expected) in cases {
        let (output, text) = checkout.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {text}");
        assert!(text.contains(expected) && !text.contains("Benchmarking"), "{arguments}: {text}");
    }
    assert!(!checkout.path("target").exists());
}

#[test]
fn a_microbenchmark_that_does_not_come_to_pass_is_an_error() {
    let checkout = checkout();
    for (filter, expected) in
        [("fails", "failed with exit status: 1"), ("xyz", "no benchmark has `xyz` in its name")]
    {
        let (output, text) = checkout.run(&format!("microbench {filter} --keep out"));
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(checkout.loaded().code.is_none());
    }
}
