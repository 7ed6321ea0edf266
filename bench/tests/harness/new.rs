//! `bench new`, and the commands in README.md's section on adding a server. The tests run the
//! commands as they are written there, in a copy of the parts of the checkout that they need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mock::{Checkout, suite, text, workload};
use bench::checks::verify;
use bench::checks::verify::{Depth, Question};
use bench::machine::host::Host;
use bench::servers::checkout;
use bench::servers::launch;
use bench::store::results;

/// The suite that README.md names, with shorter runs.
fn quick() -> String {
    let load = workload("quick-2").tool("visit").with("connections", 2);
    suite(&[load.without("requests").with("seconds", 0.2)])
}

/// The parts of the checkout that a Rust server needs: the members that Cargo.toml names.
const WORKSPACE: [&str; 14] = [
    "Cargo.toml",
    "Cargo.lock",
    "servers/c/nginx",
    "shared/Cargo.toml",
    "shared/build.rs",
    "shared/src",
    "shared/benches",
    "bench/Cargo.toml",
    "bench/src",
    "bench/answers",
    "bench/visit",
    "bench/conformance",
    "bench/benches",
    "bench/examples",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A target folder for these tests alone. In a shared one, cargo would take the copy of a package
/// for the original, and would build all servers of this checkout again.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("new")
}

/// Settings of a release build that takes seconds: how fast the server is does not matter here.
const UNOPTIMISED: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
];

/// `bench` with the machine's programs on `PATH`, and with these tests' target folder.
fn bench(checkout: &Checkout, arguments: &str) -> Command {
    let mut command = checkout.bench(arguments);
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CARGO_TARGET_DIR", target())
        .envs(UNOPTIMISED);
    command
}

/// The commands of README.md's section, without comments.
fn commands() -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let section = text.split("\n## Add your server\n").nth(1).unwrap().split("\n## ").next().unwrap();
    assert!(section.trim().lines().count() <= 10, "it takes more than ten lines: {section}");
    let commands = section.lines().filter_map(|line| line.strip_prefix("scripts/bench "));
    commands.map(|command| command.split('#').next().unwrap().trim().to_owned()).collect()
}

/// Runs README.md's commands with `language` in the place of Rust, and checks that each succeeds
/// and that both servers were measured.
fn follow(language: &str) {
    // A mock takes the place of the server to compare with.
    let checkout = Checkout::new(&["hyper"], &quick());
    fs::rename(checkout.path("bench/workloads/mock.toml"), checkout.path("bench/workloads/quick.toml"))
        .unwrap();
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--parents"]).args(WORKSPACE).arg(checkout.path("")).current_dir(root());
    assert!(copy.status().unwrap().success());
    // A change of branch may leave a folder like this one, which must not affect anything else.
    checkout.write("servers/rust/left/notes.txt", "");
    let commands = commands();
    assert_eq!(commands.first().map(String::as_str), Some("new mine --language rust"));
    for command in commands {
        let output = bench(&checkout, &command.replace("rust", language)).output().unwrap();
        assert!(output.status.success(), "{command}: {}", text(&output));
    }
    let mut results = checkout.path("bench/results").read_dir().unwrap();
    let records = results::load(&results.next().unwrap().unwrap().path()).unwrap().records;
    let mine: Vec<_> = records.iter().filter(|record| record.server.name == "mine").collect();
    assert!(!mine.is_empty() && records.iter().any(|record| record.server.name == "hyper"), "{records:?}");
    for record in mine {
        assert!(record.error.is_none() && record.load.as_ref().unwrap().answered > 0, "{record:?}");
        assert!(record.server.conformance.as_ref().unwrap().passed > 0, "{record:?}");
    }
    checkout.assert_nothing_runs();
}

#[test]
fn readme_is_followed_in_rust() {
    follow("rust");
}

#[test]
fn readme_is_followed_in_python() {
    follow("python");
}

/// `readme_is_followed_in_rust` verifies the template for Rust, and the template for other
/// languages has no code.
#[test]
fn every_template_is_as_its_manifest_says() {
    let checkout = Checkout::new(&[], &quick());
    fs::create_dir(checkout.path("servers")).unwrap();
    for language in ["go", "python", "javascript"] {
        let output = bench(&checkout, &format!("new my-{language} --language {language}")).output().unwrap();
        assert!(output.status.success(), "{language}: {output:?}");
    }
    let installed = Path::new(env!("CARGO_BIN_EXE_bench")).ancestors().nth(2).unwrap().join("tools/bin");
    let host = Host::this_machine(installed).unwrap();
    let built = checkout::Checkout::read(Some(&checkout.path(""))).unwrap();
    assert_eq!(built.servers.len(), 3);
    for server in &built.servers {
        if let Some(why) = launch::unavailable(&host, server) {
            eprintln!("{} is skipped: {why}", server.name);
            continue;
        }
        assert_eq!(launch::prepare(&host, server).unwrap(), None);
        let version = launch::version(&host, server).unwrap();
        assert!(version.starts_with(&format!("server-{} 0.1.0 (", server.name)), "{version}");
        let verification = verify::verify(&host, server, &Question::new(Depth::Cases), &|_, _| {}).unwrap();
        let unknown: Vec<_> = verification.unknown().collect();
        assert!(
            verification.is_as_known(),
            "{}: {unknown:#?}, outdated: {:?}",
            server.name,
            verification.outdated
        );
    }
    let text = checkout.succeed("check");
    assert_eq!(text.matches("no errors").count(), 3, "{text}");
}

#[test]
fn a_server_in_another_language_is_still_to_be_written() {
    let checkout = Checkout::new(&[], &quick());
    fs::create_dir(checkout.path("servers")).unwrap();
    let text = checkout.succeed("new mine --language other");
    assert!(text.contains("servers/other/mine is a folder for a server. README.md lists "), "{text}");
    let readme = fs::read_to_string(checkout.path("servers/other/mine/README.md")).unwrap();
    assert!(readme.contains("- [ ] `--version` prints one line, `server-mine 0.1.0 ("), "{readme}");
    // The only thing wrong with its manifest is that there is no program yet.
    let text = checkout.expect("check mine", 1, "");
    let missing = text.matches("there is no `./server-mine`, and no build makes it").count();
    assert_eq!((missing, text.matches("server.toml:").count()), (2, 2), "{text}");
}

#[test]
fn nothing_is_overwritten_and_names_are_names() {
    let checkout = Checkout::new(&["good"], &quick());
    checkout.write("servers/go/.keep", "");
    checkout.write("servers/python/theirs/notes", "not a server yet");
    let too_long = format!("new {} --language go", "a".repeat(31));
    let rule = "small letters, digits and `-`";
    let cases = [
        ("new good --language rust", 1, "the name `good` is taken, by "),
        ("new theirs --language python", 1, "the name `theirs` is taken, by "),
        ("new Mine --language go", 1, rule),
        ("new 1st --language go", 1, rule),
        ("new my/mine --language go", 1, rule),
        ("new mine- --language go", 1, rule),
        ("new my_mine --language go", 1, rule),
        (too_long.as_str(), 1, "30 characters at most"),
        ("new all --language go", 1, "have a meaning of their own for --servers and --control"),
        ("new mine --language perl", 2, "[possible values: rust, go, python, javascript, other]"),
        ("new mine", 2, "--language"),
        ("new mine --language go", 0, "servers/go/mine is a working server"),
        ("new mine --language rust", 1, "the name `mine` is taken, by "),
    ];
    for (arguments, code, expected) in cases {
        let text = checkout.expect(arguments, code, expected);
        assert!(code != 1 || text.lines().count() == 1, "{arguments}: {text}");
    }
    let languages = fs::read_dir(checkout.path("servers")).unwrap().count();
    assert_eq!(languages, 3, "a folder was left behind");
    assert_eq!(fs::read_dir(checkout.path("servers/python/theirs")).unwrap().count(), 1);
}
