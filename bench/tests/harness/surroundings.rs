//! `bench` in unusual surroundings, such as limits, full disks and odd terminals: it works, or says
//! in one line what is wrong.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::mock::{Checkout, suite, text, workload};

fn checkout() -> Checkout {
    Checkout::new(&["good"], &suite(&[workload("load")]))
}

/// Runs `bench` in a shell that has run `before`. Returns its output, also as text.
fn run(checkout: &Checkout, before: &str, arguments: &str) -> (Output, String) {
    let script = format!("{before}; exec \"$0\" \"$@\"");
    let output = checkout.bench_by(&["sh", "-c", &script], arguments).output().unwrap();
    let text = text(&output);
    (output, text)
}

#[test]
fn what_is_wrong_is_told() {
    let no_place = "cannot make a folder in /no/such/folder; TMPDIR names another";
    let full = "error: cannot write to standard output: No space left";
    let waits = "The servers and the load tool ran with the nice value 5";
    // The shell's command before `bench`, the exit code, the expected text, and whether a report is
    // kept.
    let cases = [
        ("export TMPDIR=/no/such/folder", 1, no_place, true),
        ("exec > /dev/full", 1, full, true),
        ("renice -n 5 $$ > /dev/null", 0, waits, true),
        ("ulimit -f 1", 1, "File too large", false),
        ("exec >&- 2>&- <&-", 0, "", true),
    ];
    for (before, code, expected, is_kept) in cases {
        let checkout = checkout();
        let (output, text) = run(&checkout, before, "measure mock --out out");
        assert_eq!(output.status.code(), Some(code), "{before}: {text}");
        assert!(text.contains(expected), "{before}: {text}");
        // A folder without records is not kept, so that the same command can be run again.
        assert_eq!(checkout.path("out").exists(), is_kept, "{before}: {text}");
        assert_eq!(checkout.path("out/report/index.html").exists(), is_kept, "{before}: {text}");
    }
}

#[test]
fn results_can_be_read_by_whom_the_user_lets() {
    for (umask, expected) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let checkout = checkout();
        let (_, text) = run(&checkout, &format!("umask {umask}"), "measure mock --out out");
        for file in ["machine.json", "measurements.jsonl", "report/index.html"] {
            let mode = checkout.path(&format!("out/{file}")).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, expected, "{umask} {file}: {text}");
        }
    }
}

#[test]
fn a_width_that_nothing_fits_in_is_not_believed() {
    let checkout = checkout();
    checkout.succeed("measure mock --out out");
    let report = |columns: &str| run(&checkout, &format!("export COLUMNS={columns}"), "report out").1;
    assert_eq!(report("1"), report("20"));
    assert_eq!(report("0"), report("many"));
}

#[test]
fn how_to_install_a_tool_is_not_told_where_descriptors_are_lacking() {
    // With a limit of 8 the harness cannot start its shell; with 10 it cannot start any tool.
    for limit in [8, 10] {
        let (output, text) = run(&checkout(), &format!("ulimit -n {limit}"), "list tools");
        assert!(output.status.success(), "{limit}: {text}");
        let lacking: Vec<&str> = text.lines().filter(|line| line.contains("Too many open files")).collect();
        assert!(!lacking.is_empty(), "{limit}: {text}");
        assert!(lacking.iter().all(|line| !line.contains("install") && !line.contains("build it")), "{text}");
    }
}

#[test]
fn programs_are_found_without_a_path() {
    for before in ["PATH=", "unset PATH"] {
        let (_, text) = run(&checkout(), before, "serve good --version");
        assert!(text.contains("server-good 1"), "{before}: {text}");
    }
}

#[test]
fn a_server_has_no_file_that_the_shell_has_left_open() {
    let checkout = checkout();
    checkout.change("servers/mock/good/server.toml", |manifest| {
        let listing = "run = [\"sh\", \"-c\", \"ls /proc/$$/fd >files; exec \\\"$0\\\" \\\"$@\\\"\", ";
        manifest.replacen("run = [", listing, 1)
    });
    let (output, text) = run(&checkout, "exec 7>left 9</dev/null", "measure mock --control none --out out");
    assert!(output.status.success(), "{text}");
    let files = std::fs::read_to_string(checkout.path("servers/mock/good/files")).unwrap();
    let files: Vec<&str> = files.lines().collect();
    assert!(files.contains(&"2") && !files.contains(&"7") && !files.contains(&"9"), "{files:?}");
}
