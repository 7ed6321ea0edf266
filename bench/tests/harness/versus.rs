//! `bench versus` with mock servers: two folders of a server, two checkouts, two commits.

use std::process::Command;

use crate::mock::{Checkout, suite, workload};

/// A checkout with the server `good`, and in its folder `other` a second checkout, in which the
/// server of that name behaves as `mode` says.
fn checkout(mode: &str) -> Checkout {
    // The real tool, since the output of the mock makes a run invalid unless the run is disturbed.
    let load = workload("load").tool("visit").with("connections", 4).with("requests", 1000);
    let checkout = Checkout::new(&["good"], &suite(&[load]));
    let manifest = std::fs::read_to_string(checkout.path("servers/mock/good/server.toml")).unwrap();
    let other = manifest.replace(", \"good\"", &format!(", \"{mode}\""));
    checkout.write("other/servers/mock/good/server.toml", &other);
    checkout.write("other/bench/workloads/README", "");
    checkout
}

const FLAGS: &str = "--workload load --repetitions 1 --out out";

#[test]
fn two_states_are_measured_side_by_side() {
    let checkout = checkout("good");
    // One repetition is too few for a claim.
    let text = checkout.expect(
        &format!("versus servers/mock/good other/servers/mock/good {FLAGS}"),
        3,
        "0 better, 0 worse, 0 cannot be distinguished, 1 not judged.",
    );
    for said in ["Head : base", "it cannot be said whether HEAD is worse"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let mut names: Vec<String> = checkout.loaded().records.into_iter().map(|run| run.server.name).collect();
    names.sort();
    // A disturbed run is repeated, so a name may occur twice.
    names.dedup();
    assert_eq!(names, ["good-base", "good-base-duplicate", "good-head"]);
    checkout.assert_nothing_runs();
}

/// No second repetition fits into a budget of less than a millisecond.
#[test]
fn repetitions_go_on_until_the_budget_is_spent() {
    let checkout = checkout("good");
    let arguments = "versus . other --servers good --workload load --out out --until 0.001% --budget 0.00001";
    let text = checkout.expect(arguments, 3, "load: after 1 repetition ");
    assert!(
        checkout.loaded().records.iter().all(|run| run.until.is_some_and(|until| until.width == 1e-5)),
        "{text}"
    );
    let both = format!("{arguments} --repetitions 2").replace("--out out", "--out again");
    checkout.expect(&both, 2, "cannot be used with");
    checkout.assert_nothing_runs();
}

#[test]
fn a_state_that_does_not_work_any_more_is_worse() {
    let checkout = checkout("wrong");
    let text =
        checkout.expect(&format!("versus . other {FLAGS} --servers good"), 1, "broken: head has no figures");
    assert!(text.contains("CPU/request"), "{text}");
}

#[test]
fn commits_are_unpacked_and_removed() {
    let checkout = checkout("wrong");
    let git = |words: &str| {
        let words = format!("-c user.name=one -c user.email=one@example.org {words}");
        let output = Command::new("git").args(words.split(' ')).current_dir(checkout.path("")).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !(git("init --quiet") && git("add servers bench") && git("commit --quiet --message before")) {
        return eprintln!("skipped: there is no `git` here");
    }
    checkout.change("servers/mock/good/server.toml", |manifest| manifest.replace("\"good\"]", "\"wrong\"]"));
    assert!(git("commit --quiet --all --message after"));
    let text = checkout.expect(&format!("versus HEAD~1 HEAD {FLAGS}"), 1, "broken: head has no figures");
    assert!(text.contains("compared with HEAD~1 ("), "{text}");
    let kept = std::fs::read_dir(checkout.path("target/versus")).unwrap().flatten();
    for folder in kept {
        assert!(!folder.path().join("checkout").exists(), "{folder:?}");
    }
}

#[test]
fn what_cannot_be_compared_is_one_line() {
    let checkout = checkout("good");
    let cases = [
        ("versus . .", "BASE and HEAD are the same"),
        ("versus . no-such-commit", "HEAD: no-such-commit is neither a folder nor a commit of"),
        ("versus . bench", "HEAD: bench: it is neither the folder of a server nor a checkout"),
        ("versus . other --servers better", "BASE: "),
        ("versus . other --servers good --workload no-such", "unknown workload `no-such`"),
    ];
    for (arguments, expected) in cases {
        let text = checkout.expect(arguments, 1, expected);
        assert_eq!(text.lines().count(), 1, "{arguments}: {text}");
    }
    assert!(!checkout.path("out").exists());
}
