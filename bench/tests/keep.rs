//! `--keep`: what `bench drill` and `bench microbench` leave in a result folder, and what a report says of it; and `--save`, what a
//! later run is held against. With a mock server, and a mock cargo that leaves captured files of criterion's.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]

mod mock;

use std::fs;

use bench::report;
use bench::report::document::Section;
use bench::report::value::Value;
use bench::store::drills::OutcomeRecord;
use bench::store::microbench::{BenchRecord, CodeRecord, CostsRecord};
use bench::store::results::Loaded;

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
    let known_failure = "[[known_failures]]\ncases = [\"drill/half-close\"]\nreason = \"It is dead.\"\n";
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + known_failure).unwrap();
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
    let manifest = checkout.path("servers/mock/tidy/server.toml");
    let costs = "[costs]\nown = [\"connection/pipelined/1\"]\n";
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + costs).unwrap();
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
    let pages = loaded.code.as_ref().unwrap().pages.as_deref().unwrap();
    assert!(pages.ends_with("target/criterion/report/index.html"), "{pages}");
    assert!(fs::exists(pages).unwrap());
    let own = vec!["connection/pipelined/1".to_owned()];
    let costs = CostsRecord { server: "tidy".into(), framework: Vec::new(), own };
    assert_eq!(loaded.code.unwrap().costs, [costs]);
}

#[test]
fn a_run_is_held_against_one_that_was_saved() {
    let checkout = checkout();
    let (output, text) = checkout.run("microbench connection --save before");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("criterion-saved/before.json"), "{text}");

    // As if the one had taken longer by half, and the other half as long.
    let saved = checkout.path("target/criterion-saved/before.json");
    let mut before: CodeRecord = serde_json::from_str(&fs::read_to_string(&saved).unwrap()).unwrap();
    for bench in &mut before.benches {
        let factor = if bench.name == "pipelined/1" { 1.5 } else { 0.5 };
        for end in [&mut bench.median.seconds, &mut bench.median.low_seconds, &mut bench.median.high_seconds]
        {
            *end *= factor;
        }
    }
    checkout.write("target/criterion-saved/changed.json", &serde_json::to_string(&before).unwrap());

    let cases = [
        ("before", [("pipelined/1 ", "1.00", "the same"), ("pipelined/16 ", "1.00", "the same")]),
        ("changed", [("pipelined/1 ", "0.67", "faster"), ("pipelined/16 ", "2.00", "slower")]),
    ];
    for (name, rows) in cases {
        let (output, text) = checkout.run(&format!("microbench connection --against {name}"));
        assert!(output.status.success(), "{text}");
        for (bench, ratio, difference) in rows {
            let line = text.lines().find(|line| line.contains(bench)).unwrap();
            assert!(line.contains(ratio) && line.trim_end().ends_with(difference), "{name}: {line}");
        }
        assert!(text.contains(&format!("`{name}` was saved of a run at ")), "{text}");
    }

    let (_, text) = checkout.run("microbench request --against before");
    assert!(
        text.lines().any(|line| line.contains("parse/browser") && line.trim_end().ends_with("new")),
        "{text}"
    );
    assert!(text.contains("Of `before`, 2 more benchmarks did not run now."), "{text}");
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
        ("microbench --against absent", "error: --against: nothing is saved as `absent`: there is none"),
    ];
    for (arguments, expected) in cases {
        let (output, text) = checkout.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {text}");
        assert!(text.contains(expected) && !text.contains("Benchmarking"), "{arguments}: {text}");
    }
    assert!(!checkout.path("target").exists());

    checkout.write("target/criterion-saved/before.json", "{}");
    let cases = [
        ("microbench --save before", 1, "criterion-saved/before.json is there already"),
        ("microbench --against befor", 1, "nothing is saved as `befor`: did you mean `before`?"),
        ("microbench --against before", 1, "criterion-saved/before.json: it is damaged"),
        ("microbench --save ../before", 2, "it is made of letters, digits"),
        ("microbench --save .before", 2, "it is made of letters, digits"),
    ];
    for (arguments, code, expected) in cases {
        let (output, text) = checkout.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        assert!(text.contains(expected) && !text.contains("Benchmarking"), "{arguments}: {text}");
    }
    assert!(!checkout.path("target/criterion").exists());
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
