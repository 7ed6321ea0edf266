//! `bench measure --until`: repetitions continue until intervals are narrow or the budget is spent.

use std::fs;

use crate::mock::{Checkout, suite, task, workload};
use bench::store::record::{ErrorKind, ErrorRecord, UntilRecord};

/// The repetition of each run of a workload, in order.
fn repetitions(checkout: &Checkout, workload: &str) -> Vec<u32> {
    let records = checkout.loaded().records.into_iter();
    records.filter(|run| run.workload.name == workload).filter_map(|run| run.repetition).collect()
}

/// The intervals are of memory per connection, which other processes do not change. They are narrow
/// enough at ten times the median.
#[test]
fn repetitions_end_at_the_first_look_at_which_intervals_are_narrow() {
    let checkout = Checkout::new(&["good"], &suite(&[task("hold", "hold").with("connections", 20)]));
    let text = checkout.succeed("measure hold --until 1000% --out out");
    assert_eq!(repetitions(&checkout, "hold"), (1..=8).collect::<Vec<_>>(), "{text}");
    for said in [
        "1 server under 1 workload: at most about ",
        "256 runs, at most about ",
        "hold: after 8 repetitions each interval is narrower than 1000 %; the widest is ",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.contains("until each interval is narrower than 1000 %: hold after 8"), "{text}");
    let until = UntilRecord { width: 10.0, looks: 6 };
    assert!(checkout.loaded().records.iter().all(|run| run.until == Some(until)), "{text}");

    // A measurement that has ended does not continue, and an interrupted one ends at the same
    // repetition.
    let path = checkout.path("out/measurements.jsonl");
    let all = fs::read_to_string(&path).unwrap();
    for kept in [8, 7, 3] {
        fs::write(&path, all.lines().take(kept).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let text = checkout.succeed("measure --resume out");
        assert_eq!(repetitions(&checkout, "hold"), (1..=8).collect::<Vec<_>>(), "{kept}: {text}");
        assert_eq!(text.contains("0 runs"), kept == 8, "{kept}: {text}");
    }
    // The measurement ended at the second look, since the host of a run was lost before the first
    // look. Only the lost run is repeated.
    let mut records = checkout.loaded().records;
    records.extend_from_within(..);
    for (record, repetition) in records.iter_mut().zip(1..) {
        record.repetition = Some(repetition);
    }
    records[2].error = Some(ErrorRecord { kind: ErrorKind::HostLost, message: "alpha is lost".into() });
    let lines = records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n");
    fs::write(&path, lines.collect::<String>()).unwrap();
    let text = checkout.succeed("measure --resume out");
    assert_eq!(repetitions(&checkout, "hold"), (1..=16).chain([3]).collect::<Vec<_>>(), "{text}");
    checkout.assert_nothing_runs();
}

/// No second repetition fits into a budget of less than a millisecond.
#[test]
fn repetitions_end_when_the_budget_is_spent() {
    let checkout = Checkout::new(&["good", "other"], &suite(&[workload("load"), task("start", "start")]));
    let text = checkout.succeed("measure mock --until 0.001% --budget 0.00001 --control none --out out");
    for workload in ["load", "start"] {
        assert_eq!(repetitions(&checkout, workload), [1, 1], "{text}");
        assert!(text.contains(&format!("{workload}: after 1 repetition ")), "{text}");
    }
    // A run of `start` is never disturbed, however busy the machine is.
    let said = [
        "start: after 1 repetition the budget is spent; the widest interval is unknown (",
        "until each interval is narrower than 0.001 %: load not after 1, start not after 1",
        "The widest interval is not narrower than 0.001 %, as was asked for: ",
        "`bench measure --resume` continues for another budget",
    ];
    let lines = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in said {
        assert!(lines.contains(said), "{said}: {text}");
    }

    let text = checkout.succeed("measure --resume out");
    assert_eq!(repetitions(&checkout, "start"), [1, 1, 2, 2], "{text}");
    checkout.assert_nothing_runs();
}

#[test]
fn wrong_flags_are_one_line() {
    let checkout = Checkout::new(&["good"], &suite(&[workload("load")]));
    let percent = "it is more than 0 and at most 1000 percent, such as 2%";
    let minutes = "it is a number of minutes, more than 0 and at most 10080";
    let cases = [
        ("--until narrow", percent),
        ("--until 0", percent),
        ("--until=-2%", percent),
        ("--until NaN", percent),
        ("--until 1001%", percent),
        ("--until 2% --budget 0", minutes),
        ("--until 2% --budget inf", minutes),
        ("--until 2% --budget soon", minutes),
        (
            "--until 2% --repetitions 5",
            "the argument '--until <PERCENT>' cannot be used with '--repetitions <N>'",
        ),
        ("--budget 5", "--until <PERCENT>"),
    ];
    for (flags, expected) in cases {
        checkout.expect(&format!("measure load --out out {flags}"), 2, expected);
    }
    assert!(!checkout.path("out").exists());
}
