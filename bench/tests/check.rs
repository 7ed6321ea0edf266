//! `bench check`: each mistake in a manifest is found, with its line and what to do about it.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by its panic")]
#![allow(dead_code, reason = "not every test needs all of the mock checkout")]

mod mock;

use std::fs;
use std::path::Path;

use bench::checks::manifest::{self, Level, Remark, Surroundings};
use bench::servers::checkout;
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
reason = "There is one thread."

[costs]
own = ["connection/pipelined/1"]
"#;

/// What is said of a manifest, on a machine that has Python, make and a benchmark.
fn remarks(manifest: &str, has_readme: bool) -> Vec<Remark> {
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
    let surroundings = Surroundings {
        folders: &folders,
        target: Path::new("/nowhere"),
        has_program: &has_program,
        benchmarks: &benchmarks,
    };
    check::check(&mine, &surroundings).unwrap()
}

#[test]
fn a_right_manifest_is_let_through() {
    assert_eq!(remarks(MANIFEST, true), []);
}

#[test]
fn each_mistake_has_its_line_and_a_hint() {
    // What stands in the manifest, what stands there instead, the line, and what is said of it.
    let cases: &[(&str, &str, usize, &str)] = &[
        ("title =", "titel =", 2, "server.toml has no field `titel`; did you mean `title`?"),
        ("title = \"Mine\"\n", "", 1, "server.toml lacks the field `title`; it is what reports call it"),
        ("\"Mine\"", "\"\"", 2, "`title` is empty; it is what reports call it"),
        ("\"Mine\"", "5", 2, "`title` is a number; it has to be a string, in quotes"),
        ("\"Mine\"", "\"Mine", 2, "it is no TOML: "),
        ("event loop", "event-loop", 5, "model is `event-loop`; did you mean `event loop`?"),
        ("event loop", "zzz", 5, "model is `zzz`; there are thread pool, event loop, "),
        ("\"mine\"", "\"mein\"", 1, "name is `mein`, but the folder is `mine`; rename one of them"),
        ("[\"./version\"]", "[]", 8, "`version` is empty; it is the program that prints its version"),
        ("[\"./version\"]", "\"./version\"", 8, "`version` is a string; it has to be a list, in [brackets]"),
        ("\"make\", ", "\"./make\", ", 6, "build: there is no `./make`, and no build makes it"),
        (
            "\"make\", ",
            "\"mkae\", ",
            6,
            "build: there is no program `mkae` here; if it is right, say in [[requires]]",
        ),
        (
            "{target}",
            "{traget}",
            6,
            "nothing is put in for `{traget}` in `{traget}/mine`; did you mean `{target}`?",
        ),
        ("{target}", "{target", 6, "`{target/mine` has a `{` without a `}`; did you mean `{target}`?"),
        (
            "hint = \"apt-get install make\"\n",
            "",
            14,
            "[[requires]] lacks the field `hint`; it is how a person gets it",
        ),
        (
            "endpoint/head",
            "endpoint/haed",
            19,
            "there is no case `endpoint/haed`; did you mean `endpoint/head`?",
        ),
        (
            "endpoint/head",
            "zzz",
            19,
            "there is no case `zzz`; `bench verify --conformance` names those that fail",
        ),
        ("drill/idle", "drill/idel", 19, "there is no drill `drill/idel`; did you mean `drill/idle`?"),
        ("drill/idle", "endpoint/head", 19, "`endpoint/head` is listed twice; it is on line 19 already"),
        ("cases = ", "flaky = \"yes\"\ncases = ", 19, "`flaky` is a string; it has to be true or false"),
        ("\"workers\"", "\"worker\"", 23, "there is no limit `worker`; did you mean `workers`?"),
        ("\"workers\"", "", 23, "`names` is empty; it is the name of each"),
        (
            "\"There is one thread.\"",
            "\"\"",
            24,
            "`reason` is empty; it is why the server cannot honour them",
        ),
        ("own =", "owned =", 27, "[costs] has no field `owned`; did you mean `own`?"),
    ];
    for (from, to, line, expected) in cases {
        let found = remarks(&MANIFEST.replacen(from, to, 1), true);
        let is_it = |remark: &Remark| {
            remark.level == Level::Mistake && remark.line == *line && remark.text.starts_with(expected)
        };
        assert_eq!(found.iter().filter(|remark| is_it(remark)).count(), 1, "{to}: {expected}\n{found:#?}");
    }
    let found = remarks(MANIFEST, false);
    assert!(found.len() == 1 && found[0].text.contains("has no README.md; "), "{found:?}");
}

#[test]
fn what_is_no_mistake_is_a_note() {
    let cases = [
        (
            "program = \"make\"",
            "program = \"cmake\"",
            15,
            "there is no `cmake` on this machine; apt-get install make",
        ),
        ("\"./version\"", "\"perl\"", 8, "version: `perl` is in no [[requires]]; a machine without it"),
        (
            "pipelined/1",
            "pipelined/2",
            27,
            "no benchmark `connection/pipelined/2` was ever run here; did you mean",
        ),
    ];
    for (from, to, line, expected) in cases {
        let found = remarks(&MANIFEST.replace(from, to), true);
        let is_it = |remark: &Remark| {
            remark.level == Level::Note && remark.line == line && remark.text.starts_with(expected)
        };
        assert!(found.iter().any(is_it), "{to}: {found:#?}");
        assert!(found.iter().all(|remark| remark.level == Level::Note), "{to}: {found:#?}");
    }
    let shell = MANIFEST.replace("\"./version\"", "\"sh\", \"-c\", \"awk '{print}' ${FILE} <<< {}\"");
    assert_eq!(remarks(&shell, true), []);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let manifest = MANIFEST.replace("title", "titel").replace("event loop", "loop").replace("workers", "zzz");
    let lines: Vec<usize> = remarks(&manifest, true).iter().map(|remark| remark.line).collect();
    assert_eq!(lines, [1, 2, 5, 23]);
}

#[test]
fn every_manifest_of_this_checkout_is_right() {
    let root = checkout::root(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))).unwrap();
    let folders = checkout::server_folders(&root).unwrap();
    let target = checkout::target_folder(&root);
    // What this machine lacks and what was run on it is no concern of the manifests.
    let surroundings =
        Surroundings { folders: &folders, target: &target, has_program: &|_| true, benchmarks: &[] };
    for folder in &folders {
        let mut mistakes = check::check(folder, &surroundings).unwrap();
        mistakes.retain(|remark| remark.level == Level::Mistake);
        assert!(mistakes.is_empty(), "{}: {mistakes:#?}", folder.display());
    }
    assert!(!folders.is_empty());
}

#[test]
fn a_broken_manifest_is_checked_and_so_are_the_others() {
    let checkout = Checkout::new(&["good", "bad"], "nobody reads this");
    for name in ["good", "bad"] {
        checkout.write(&format!("servers/mock/{name}/README.md"), "# mock\n");
    }
    checkout.write("servers/mock/bad/server.toml", "name = \"bad\n");
    let cases = [
        ("check good", 0, "no mistakes"),
        ("check bad", 1, "\nservers/mock/bad/server.toml:1: it is no TOML: "),
        ("check", 1, "no mistakes"),
        ("check goo", 1, "unknown server `goo`: did you mean `good`?"),
        ("check good good", 1, "server `good` is named twice"),
    ];
    for (arguments, code, expected) in cases {
        let (output, text) = checkout.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        assert!(text.contains(expected), "{arguments}: {text}");
    }
}
