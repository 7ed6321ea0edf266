//! `--keep`: the results that `bench drill` and `bench microbench` store in a result folder, and
//! the report of that folder. The tests use mock servers, and a mock cargo that copies files
//! captured from criterion.

use std::fs;

use bench::report;
use bench::report::document::Section;
use bench::report::value::Value;
use bench::store::drills::OutcomeRecord;
use bench::store::microbench::{BenchRecord, CostsRecord};
use bench::store::results::Loaded;

use crate::mock::Checkout;

/// A checkout with a result folder, `out`, without a measurement yet.
fn checkout() -> Checkout {
    let checkout = Checkout::new(&["dead", "tidy"], "about = \"none\"\nsuites = [\"none\"]\n");
    checkout.write("out/machine.json", include_str!("../folder/machine.json"));
    checkout.write("out/measurements.jsonl", "");
    checkout
}

fn section(loaded: &Loaded, id: &str) -> Section {
    report::document(loaded).sections.into_iter().find(|section| section.id == id).unwrap()
}

#[test]
fn findings_become_part_of_a_result_folder() {
    let checkout = checkout();
    let known = "[[known_failures]]\ncases = [\"drill/half-close\"]\nreason = \"It is dead.\"\n";
    checkout.extend_manifest("dead", known);
    for _ in 0..2 {
        checkout.succeed("drill --short --drills half-close --keep out");
    }
    let kept = fs::read_to_string(checkout.path("out/drills.jsonl")).unwrap();
    let kept: Vec<&str> = kept.lines().collect();
    assert_eq!(kept.len(), 4, "{kept:?}");

    // The later one of two findings of the same drill counts.
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
fn only_benchmarks_of_this_run_are_shown_and_kept() {
    let checkout = checkout();
    checkout.extend_manifest("tidy", "[costs]\nown = [\"connection/pipelined/1\"]\n");
    checkout.write("target/criterion/old/thing/new/benchmark.json", "of an earlier run");
    let text = checkout.succeed("microbench request -- --save-baseline before");
    assert!(text.contains("request/parse/browser"), "{text}");
    assert!(text.contains("Benchmarking request --save-baseline before"), "{text}");

    let text = checkout.succeed("microbench connection --keep out");
    assert!(text.contains("criterion/report/index.html") && text.contains("out/microbench.json"), "{text}");
    let kept = checkout.loaded().microbench.unwrap();
    let mut names: Vec<String> = kept.benches.iter().map(BenchRecord::full_name).collect();
    names.sort_unstable();
    assert_eq!(names, ["connection/pipelined/1", "connection/pipelined/16"]);
    assert_eq!(section(&checkout.loaded(), "microbench").tables[0].rows.len(), 2);
    let pages = kept.pages.unwrap();
    assert!(pages.ends_with("target/criterion/report/index.html"), "{pages}");
    assert!(fs::exists(pages).unwrap());
    let own = vec!["connection/pipelined/1".to_owned()];
    assert_eq!(kept.costs, [CostsRecord { server: "tidy".into(), framework: Vec::new(), own }]);
}

#[test]
fn what_cannot_be_kept_is_an_error_before_anything_runs() {
    let checkout = checkout();
    checkout.write("out/microbench.json", "{}");
    let cases = [
        ("drill --keep absent", "error: --keep: absent is not a folder of results"),
        ("drill --keep servers", "error: --keep: cannot read servers/machine.json"),
        ("microbench --keep absent", "error: --keep: absent is not a folder of results"),
        ("microbench --keep out", "error: --keep: out/microbench.json is there already"),
    ];
    for (arguments, expected) in cases {
        let text = checkout.expect(arguments, 1, "");
        assert!(text.contains(expected) && !text.contains("Benchmarking"), "{arguments}: {text}");
    }
    assert!(!checkout.path("target").exists());
}

#[test]
fn a_run_without_benchmarks_is_an_error_and_keeps_nothing() {
    let checkout = checkout();
    for (filter, expected) in
        [("fails", "failed with exit status: 1"), ("xyz", "no benchmark has `xyz` in its name")]
    {
        checkout.expect(&format!("microbench {filter} --keep out"), 1, expected);
        assert!(checkout.loaded().microbench.is_none());
    }
}
