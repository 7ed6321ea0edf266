//! `bench check`: each error in a manifest is found, with its line and what to do about it.

use std::fs;
use std::path::Path;

use crate::mock::Checkout;
use bench::checks::manifest::{self, CheckContext, Diagnostic, Level};
use bench::servers::checkout;
use bench::servers::target::Target;

const MANIFEST: &str = r#"name = "mine"
title = "Mine"
language = "Python"
runtime = "asyncio"
model = "event loop"
build = ["make", "{target}/mine"]
run = ["python3", "server.py"]
version = ["./version"]

[[requires]]
program = "python3"
hint = "apt-get install python3"

[[requires]]
program = "make"
hint = "apt-get install make"

[[known_failures]]
cases = ["endpoint/head", "drill/idle"]
reason = "There is no HEAD."

[[limits]]
names = ["workers"]
reason = "One thread."

[costs]
own = ["connection/pipelined/1"]
"#;

/// The diagnostics of a manifest, on a machine that has Python, make and a benchmark.
fn diagnostics(manifest: &str, has_readme: bool) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("python/mine");
    fs::create_dir_all(&mine).unwrap();
    fs::write(mine.join("server.toml"), manifest).unwrap();
    if has_readme {
        fs::write(mine.join("README.md"), "# mine\n").unwrap();
    }
    let folders = [mine.clone(), folder.path().join("go/theirs")];
    let has_program = |program: &str| ["python3", "make", "perl", "sh"].contains(&program);
    let benchmarks = ["connection/pipelined/1".to_owned()];
    let context = CheckContext {
        folders: &folders,
        target: &Target::find(folder.path()),
        has_program: &has_program,
        benchmarks: &benchmarks,
    };
    manifest::check(&mine, &context).unwrap()
}

#[test]
fn a_right_manifest_has_no_diagnostics() {
    assert_eq!(diagnostics(MANIFEST, true), []);
}

/// The snapshot contains each error and each note, with its line and what to do about it.
/// `INSTA_UPDATE=always cargo test --package bench --test harness check` writes it.
#[test]
fn each_diagnostic_has_its_line_and_a_hint() {
    // A text of the manifest, and its replacement.
    let cases = [
        ("title =", "titel ="),
        ("title = \"Mine\"\n", ""),
        ("\"Mine\"", "\"\""),
        ("\"Mine\"", "5"),
        ("\"Mine\"", "\"Mine"),
        ("event loop", "event-loop"),
        ("event loop", "zzz"),
        ("\"mine\"", "\"mein\""),
        ("[\"./version\"]", "[]"),
        ("[\"./version\"]", "\"./version\""),
        ("\"make\", ", "\"./make\", "),
        ("\"make", "\"mkae"),
        ("target", "traget"),
        ("{target}", "{target"),
        ("hint = \"apt-get install make\"", ""),
        ("t/head", "t/haed"),
        ("endpoint/head", "zzz"),
        ("drill/idle", "drill/idel"),
        ("drill/idle", "endpoint/head"),
        ("cases = ", "flaky = \"yes\"\ncases = "),
        ("\"workers\"", "\"worker\""),
        ("\"workers\"", ""),
        ("One thread.", ""),
        ("own =", "owned ="),
        ("= \"make\"", "= \"cmake\""),
        ("\"./version\"", "\"perl\""),
        ("ed/1", "ed/2"),
    ];
    let mut text = String::new();
    let mut tell = |what: &str, found: Vec<Diagnostic>| {
        text += &format!("{what}\n");
        found.iter().for_each(|one| text += &format!("  {}: {:?}: {}\n", one.line, one.level, one.text));
    };
    for (from, to) in cases {
        let changed = MANIFEST.replacen(from, to, 1);
        assert_ne!(changed, MANIFEST, "{from}");
        tell(&format!("{from:?} is {to:?}"), diagnostics(&changed, true));
    }
    tell("no README.md", diagnostics(MANIFEST, false));
    insta::assert_snapshot!("diagnostics", text);
}

#[test]
fn what_a_shell_reads_is_no_placeholder() {
    let shell = MANIFEST.replace("\"./version\"", "\"sh\", \"-c\", \"awk '{print}' ${FILE} <<< {}\"");
    assert_eq!(diagnostics(&shell, true), []);
}

#[test]
fn all_errors_are_reported_at_once() {
    let manifest = MANIFEST.replace("title", "titel").replace("event loop", "loop").replace("workers", "zzz");
    let lines: Vec<usize> = diagnostics(&manifest, true).iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [1, 2, 5, 23]);
}

#[test]
fn every_manifest_of_this_checkout_is_right() {
    let root = checkout::root(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))).unwrap();
    let folders = checkout::server_folders(&root).unwrap().with_manifest;
    let target = Target::find(&root);
    // The result does not depend on the programs on this machine.
    let context =
        CheckContext { folders: &folders, target: &target, has_program: &|_| true, benchmarks: &[] };
    for folder in &folders {
        let mut errors = manifest::check(folder, &context).unwrap();
        errors.retain(|diagnostic| diagnostic.level == Level::Error);
        assert!(errors.is_empty(), "{}: {errors:#?}", folder.display());
    }
    assert!(!folders.is_empty());
}

#[test]
fn a_malformed_manifest_does_not_stop_the_check_of_others() {
    let checkout = Checkout::new(&["good", "bad"], "unused");
    for name in ["good", "bad"] {
        checkout.write(&format!("servers/mock/{name}/README.md"), "# mock\n");
    }
    checkout.write("servers/mock/bad/server.toml", "name = \"bad\n");
    let cases = [
        ("check good", 0, "no errors"),
        ("check bad", 1, "\nservers/mock/bad/server.toml:1: it is not TOML: "),
        ("check", 1, "no errors"),
        ("check goo", 1, "unknown server `goo`: did you mean `good`?"),
        ("check good good", 1, "server `good` is named twice"),
    ];
    for (arguments, code, expected) in cases {
        checkout.expect(arguments, code, expected);
    }
}
