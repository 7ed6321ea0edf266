//! When `bench` is killed, all processes that it has started end, however it has started them.

use crate::mock::{Checkout, suite, wait_until, workload};

/// A program with a child, each of which creates a file when it starts. It is one word of a command
/// in a manifest.
const WITH_A_CHILD: &str = "\
    sh -c 'echo > $HOME/pids/child-$$; exec sleep 600' & echo > $HOME/pids/parent-$$; wait";

#[test]
fn nothing_outlives_a_harness_that_is_killed() {
    let command = |key: &str| format!("{key} = [\"sh\", \"-c\", \"{WITH_A_CHILD}\"]\n");
    // What `bench` starts, its arguments, a line of the manifest, and the mocks that run when
    // `bench` is killed.
    let cases = [
        ("a build", "measure hangs --out out", command("build"), ["parent-", "child-"]),
        ("a version", "measure hangs --out out", command("version"), ["parent-", "child-"]),
        ("a check", "verify good", command("check"), ["parent-", "child-"]),
        ("a server and a tool", "measure hangs --out out", String::new(), ["server-", "tool-"]),
        ("a benchmark", "microbench hangs", String::new(), ["parent-", "child-"]),
    ];
    for (what, arguments, line, run_then) in cases {
        let checkout = Checkout::new(&["good"], &suite(&[workload("hangs").with("connections", 3)]));
        checkout.extend_manifest("good", &line);
        let mut bench = checkout.bench(arguments).spawn().unwrap();
        let runs = |name: &str| checkout.pids().iter().any(|pid| pid.starts_with(name));
        wait_until(&format!("{what}: {run_then:?} run"), || run_then.iter().all(|name| runs(name)));
        bench.kill().unwrap();
        bench.wait().unwrap();
        checkout.wait_until_nothing_runs(what);
    }
}
