//! `bench check`: each error in a manifest is found, with its line and what to do about it.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]
#![allow(dead_code, reason = "not every test needs all of the mock checkout")]

mod mock;

use std::fs;
use std::path::Path;

use bench::checks::manifest::{self, CheckContext, Diagnostic, Level};
use bench::servers::checkout;
use bench::servers::target::Target;
use mock::Checkout;

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

/// The number of diagnostics of a level and a line whose text starts so.
fn count(found: &[Diagnostic], level: Level, line: usize, start: &str) -> usize {
    let is_it = |one: &&Diagnostic| one.level == level && one.line == line && one.text.starts_with(start);
    found.iter().filter(is_it).count()
}

#[test]
fn a_right_manifest_has_no_diagnostics() {
    assert_eq!(diagnostics(MANIFEST, true), []);
}

#[test]
fn each_error_has_its_line_and_a_hint() {
    // Text of the manifest, what replaces it, the line, and the diagnostic.
    let cases: &[(&str, &str, usize, &str)] = &[
        ("title =", "titel =", 2, "server.toml has no field `titel`; did you mean `title`?"),
        ("title = \"Mine\"\n", "", 1, "server.toml lacks the field `title`; it is the name in reports"),
        ("\"Mine\"", "\"\"", 2, "`title` is empty; it is the name in reports"),
        ("\"Mine\"", "5", 2, "`title` is a number; it has to be a string, in quotes"),
        ("\"Mine\"", "\"Mine", 2, "it is not TOML: "),
        ("event loop", "event-loop", 5, "model is `event-loop`; did you mean `event loop`?"),
        ("event loop", "zzz", 5, "model is `zzz`; there are thread pool, event loop, "),
        ("\"mine\"", "\"mein\"", 1, "name is `mein`, but the folder is `mine`; rename one of them"),
        ("[\"./version\"]", "[]", 8, "`version` is empty; it is the program that prints its version"),
        ("[\"./version\"]", "\"./version\"", 8, "`version` is a string; it has to be a list, in [brackets]"),
        ("\"make\", ", "\"./make\", ", 6, "build: there is no `./make`, and no build makes it"),
        (
            "\"make",
            "\"mkae",
            6,
            "build: there is no program `mkae` here; if it is right, say in [[requires]]",
        ),
        (
            "target",
            "traget",
            6,
            "`{traget}` in `{traget}/mine` is not a placeholder; did you mean `{target}`?",
        ),
        ("{target}", "{target", 6, "`{target/mine` has a `{` without a `}`; did you mean `{target}`?"),
        ("hint = \"apt-get install make\"", "", 14, "[[requires]] lacks the field `hint`; it is how to get "),
        ("t/head", "t/haed", 19, "there is no case `endpoint/haed`; did you mean `endpoint/head`?"),
        ("endpoint/head", "zzz", 19, "there is no case `zzz`; `bench verify --conformance` names "),
        ("drill/idle", "drill/idel", 19, "there is no drill `drill/idel`; did you mean `drill/idle`?"),
        ("drill/idle", "endpoint/head", 19, "`endpoint/head` is listed twice; it is also on line 19"),
        ("cases = ", "flaky = \"yes\"\ncases = ", 19, "`flaky` is a string; it has to be true or false"),
        ("\"workers\"", "\"worker\"", 23, "there is no limit `worker`; did you mean `workers`?"),
        ("\"workers\"", "", 23, "`names` is empty; it is the flags, without hyphens"),
        ("One thread.", "", 24, "`reason` is empty; it is the reason why the server cannot honour them"),
        ("own =", "owned =", 27, "[costs] has no field `owned`; did you mean `own`?"),
    ];
    for (from, to, line, expected) in cases {
        let found = diagnostics(&MANIFEST.replacen(from, to, 1), true);
        let count = count(&found, Level::Error, *line, expected);
        assert_eq!(count, 1, "{to}: {expected}\n{found:#?}");
    }
    let found = diagnostics(MANIFEST, false);
    assert!(found.len() == 1 && found[0].text.contains("has no README.md; "), "{found:?}");
}

#[test]
fn what_need_not_be_corrected_is_a_note() {
    let cases = [
        ("= \"make\"", "= \"cmake\"", 15, "there is no `cmake` on this machine; apt-get install make"),
        ("\"./version\"", "\"perl\"", 8, "version: `perl` is in no [[requires]]; a machine without it"),
        ("ed/1", "ed/2", 27, "no benchmark `connection/pipelined/2` has run here; did you mean"),
    ];
    for (from, to, line, expected) in cases {
        let found = diagnostics(&MANIFEST.replace(from, to), true);
        assert!(count(&found, Level::Note, line, expected) > 0, "{to}: {found:#?}");
        assert!(found.iter().all(|diagnostic| diagnostic.level == Level::Note), "{to}: {found:#?}");
    }
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
    // The manifests do not depend on what this machine has.
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
