//! `bench` and the scripts on machines that differ from the one they were written on: other target
//! folders of cargo, variables that the shell exports, a user without a home or a compiler, and
//! file systems that refuse an operation.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::mock::{Checkout, suite, text, wait_until, workload};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn checkout(servers: &[&str]) -> Checkout {
    Checkout::new(servers, &suite(&[workload("normal")]))
}

/// Copies scripts of this repository into a checkout.
fn copy_scripts(checkout: &Checkout, names: &[&str]) {
    fs::create_dir_all(checkout.path("scripts")).unwrap();
    for name in names {
        fs::copy(root().join("scripts").join(name), checkout.path("scripts").join(name)).unwrap();
    }
}

/// The triple that the compiler builds for.
fn host_triple() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Adds every folder called `release` below `folder` to `found`.
fn release_folders(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        if entry.ends_with("release") {
            found.push(entry);
        } else if entry.is_dir() {
            release_folders(&entry, found);
        }
    }
}

#[test]
fn what_runs_is_what_was_built_wherever_cargo_puts_it() {
    let checkout = checkout(&[]);
    checkout.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"servers/rust/mine\"]\n");
    checkout.write(
        "servers/rust/mine/Cargo.toml",
        "[package]\nname = \"server-mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    let manifest = "name = \"mine\"\ntitle = \"mine\"\nlanguage = \"Rust\"\nruntime = \"none\"\n\
                    model = \"process\"\nbuild = [\"cargo\", \"build\", \"--release\", \"--quiet\"]\n\
                    run = [\"{target}/release/server-mine\"]\nversion = [\"{target}/release/server-mine\"]\n";
    checkout.write("servers/rust/mine/server.toml", manifest);
    let triple = host_triple();
    let absolute = checkout.path("absolute").display().to_string();
    let by_config = "[build]\ntarget-dir = \"by-config\"\n";
    let cases = [
        ("", "", "", "target/release"),
        ("CARGO_TARGET_DIR", "relative", "", "relative/release"),
        ("CARGO_TARGET_DIR", &absolute, "", "absolute/release"),
        ("CARGO_BUILD_TARGET_DIR", "other", "", "other/release"),
        ("CARGO_BUILD_TARGET", &triple, "", &format!("target/{triple}/release")),
        ("", "", by_config, "by-config/release"),
        ("CARGO_TARGET_DIR", "relative", by_config, "relative/release"),
    ];
    for (number, (variable, value, configuration, expected)) in cases.into_iter().enumerate() {
        checkout.write(".cargo/config.toml", configuration);
        let code = format!("fn main() {{ println!(\"server-mine {number}\"); }}\n");
        checkout.write("servers/rust/mine/src/main.rs", &code);
        let mut command = checkout.bench("serve mine");
        command.env("PATH", std::env::var_os("PATH").unwrap());
        for variable in ["CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_TARGET"] {
            command.env_remove(variable);
        }
        if !variable.is_empty() {
            command.env(variable, value);
        }
        let said = text(&command.output().unwrap());
        assert!(said.contains(&format!("server-mine {number}\n")), "{variable}={value}: {said}");
        assert!(checkout.path(expected).join("server-mine").is_file(), "{variable}={value}: {said}");
        let mut stray = Vec::new();
        release_folders(&checkout.path("servers"), &mut stray);
        assert_eq!(stray, Vec::<PathBuf>::new(), "{variable}={value}");
    }
}

#[test]
fn scripts_find_their_checkout_by_any_link_and_whatever_the_shell_exports() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir_all(elsewhere.path().join("scripts")).unwrap();
    fs::create_dir_all(elsewhere.path().join("bin")).unwrap();
    let run = |script: &str, flags: &[&str]| {
        let link = elsewhere.path().join("bin").join(format!("my-{script}"));
        symlink(root().join("scripts").join(script), &link).unwrap();
        let mut command = Command::new(format!("bin/my-{script}"));
        command.args(flags).current_dir(elsewhere.path()).env("CDPATH", elsewhere.path());
        command.env("CARGO_TARGET_DIR", "/nowhere").output().unwrap()
    };
    assert_eq!(text(&run("target", &[])), "/nowhere\n");
    for script in ["setup", "test", "serve", "record", "fuzz"] {
        let output = run(script, &["--help"]);
        let said = text(&output);
        assert!(output.status.success() && said.starts_with(&format!("Usage: scripts/{script}")), "{said}");
    }
    let in_shell = "\ncd \"$(dirname \"$(realpath \"$0\")\")/..\"\n";
    let in_python = "\nROOT = Path(__file__).resolve().parent.parent\n";
    let entries = root().join("scripts").read_dir().unwrap().map(|entry| entry.unwrap().path());
    for script in entries.filter(|path| path.is_file()) {
        let code = fs::read_to_string(script).unwrap();
        assert!(code.contains(in_shell) || code.contains(in_python), "{code}");
    }
}

/// Covers a clone that Git for Windows makes and WSL uses.
#[test]
fn lines_end_alike_in_every_clone() {
    let mut git = Command::new("git");
    git.args(["check-attr", "eol", "text", "--", "scripts/bench", "shared/fuzz/corpus/connection/get"]);
    let output = git.current_dir(root()).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return eprintln!("skipped: this is no clone");
    };
    let said = text(&output);
    for expected in ["scripts/bench: eol: lf", "corpus/connection/get: text: unset"] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_folder_without_a_manifest_is_left_out_and_named() {
    let checkout = checkout(&["good"]);
    checkout.write("servers/mock/good/README.md", "# good\n");
    checkout.write("servers/mock/left/notes.txt", "of a branch that is gone");
    let told = "servers/mock/left is left out: a folder without a server.toml is no server";
    for arguments in ["list servers", "check", "verify --servers good", "check good"] {
        let (_, said) = checkout.run(arguments);
        assert!(said.contains(told) && said.contains("good"), "{arguments}: {said}");
    }
    checkout.succeed("list servers");
    checkout.succeed("check");
    checkout.expect("check left", 1, "cannot read ");
    checkout.expect("verify left", 1, "unknown server `left`");
}

/// Cargo's globs match only folders, so a list of members cannot leave out such a folder.
#[test]
fn a_package_without_a_manifest_which_stops_cargo_is_named() {
    let checkout = checkout(&[]);
    let members = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = members.lines().find(|line| line.starts_with("members = ")).unwrap();
    assert!(members.contains("\"servers/rust/*/src/..\""), "{members}");
    checkout.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"servers/rust/*/src/..\"]\n");
    copy_scripts(&checkout, &["bench", "target"]);
    let run = |script: &str| {
        let mut command = Command::new(checkout.path("scripts").join(script));
        command.env("CARGO_TARGET_DIR", "/nowhere").output().unwrap()
    };
    let package = "[package]\nname = \"server-mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    checkout.write("servers/rust/mine/Cargo.toml", package);
    checkout.write("servers/rust/mine/src/main.rs", "fn main() {}\n");
    checkout.write("servers/rust/left/notes.txt", "of a branch that is gone");
    assert_eq!(text(&run("target")), "/nowhere\n");
    checkout.write("servers/rust/left/src/main.rs.orig", "");
    for manifest in [None, Some("")] {
        if let Some(manifest) = manifest {
            checkout.write("servers/rust/left/Cargo.toml", manifest);
        }
        for script in ["bench", "target"] {
            let output = run(script);
            assert_eq!(output.status.code(), Some(1), "{script}");
            let expected = "target: servers/rust/left has src/ but no Cargo.toml, or an empty one, and cargo \
                            builds nothing beside it: move the folder away\n";
            assert_eq!(text(&output), expected, "{script}, {manifest:?}");
        }
    }
}

/// Covers a user without a compiler.
#[test]
fn without_cargo_a_script_runs_what_was_built_before() {
    let checkout = checkout(&[]);
    copy_scripts(&checkout, &["bench"]);
    fs::create_dir(checkout.path("bin")).unwrap();
    for program in ["bash", "realpath", "dirname"] {
        let mut found = Command::new("sh");
        let found = found.args(["-c", &format!("command -v {program}")]).output().unwrap();
        symlink(text(&found).trim(), checkout.path("bin").join(program)).unwrap();
    }
    let run = || {
        let mut command = Command::new(checkout.path("scripts/bench"));
        command.arg("list").env("PATH", checkout.path("bin")).env_remove("CARGO_TARGET_DIR");
        text(&command.output().unwrap())
    };
    let missing = "bench: cargo is missing, and there is no target/harness/bench that was built before\n";
    assert_eq!(run(), missing);
    fs::create_dir_all(checkout.path("target/harness")).unwrap();
    symlink("/bin/echo", checkout.path("target/harness/bench")).unwrap();
    assert_eq!(run(), "list\nbench: cargo is missing: target/harness/bench runs as it was built before\n");
}

/// A mock of cargo whose builds take a minute. When its compiler is interrupted, it exits with a
/// code, as cargo does.
const CARGO: &str = r#"#!/bin/sh
case $1 in
    metadata) echo '{"target_directory":"/nowhere"}' ;;
    build) sleep 60 & trap 'kill $!; exit 101' INT; echo >"$HOME/pids/build-$$"; wait ;;
esac
"#;

#[test]
fn ctrl_c_ends_all_that_a_script_builds() {
    // Two builds run at once: one of the harness, and one of `visit`, of `visit` with the servers,
    // or of a server that is built alone.
    let cases = [("bench", ""), ("sweep", ""), ("sweep", "[package.metadata.build]\nalone = true\n")];
    for (script, package) in cases {
        let checkout = checkout(&[]);
        copy_scripts(&checkout, &["bench", "sweep", "target"]);
        checkout.write("servers/rust/good/server.toml", "name = \"good\"\n");
        checkout
            .write("servers/rust/good/Cargo.toml", &format!("[package]\nname = \"server-good\"\n{package}"));
        for (name, code) in [("bin/cargo", CARGO), ("scripts/setup", "#!/bin/sh\n")] {
            checkout.write(name, code);
            fs::set_permissions(checkout.path(name), PermissionsExt::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", checkout.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("env");
        // A shell that starts the tests in the background makes them and their children ignore
        // SIGINT.
        command.arg("--default-signal=INT").arg(checkout.path("scripts").join(script)).process_group(0);
        command.env("PATH", path).env("HOME", checkout.path("")).env_remove("CARGO_TARGET_DIR");
        let mut child = command.spawn().unwrap();
        wait_until(&format!("{script} builds"), || checkout.pids().len() == 2);
        assert!(checkout.pids().iter().all(|name| checkout.runs(name)), "{script} {package}");
        killpg(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{script} {package}");
        checkout.assert_nothing_runs();
        assert_eq!(checkout.pids().len(), 2, "{script} {package} builds nothing more");
    }
}

#[test]
fn what_is_built_runs_where_it_cannot_be_built() {
    let checkout = checkout(&["good"]);
    checkout.change("servers/mock/good/server.toml", |manifest| {
        manifest.replacen("run = [\"python3\"", "run = [\"{target}/python\"", 1)
            + "build = [\"no-such-compiler\"]\n[[requires]]\nprogram = \"no-such-compiler\"\nhint = \"write one\"\n"
    });
    checkout.expect("verify good", 3, "unavailable: there is no `no-such-compiler` here; write one");
    checkout.write("target/here", "");
    symlink(python(), checkout.path("target/python")).unwrap();
    let said =
        checkout.expect("verify good", 1, "good runs as it was built before: there is no `no-such-compiler`");
    // The mock was asked, and fails, since it does not answer like the endpoint.
    assert!(said.contains("good           failed: "), "{said}");
}

/// The path of the interpreter itself: `python3` on `PATH` may be a program that depends on its own
/// name.
fn python() -> PathBuf {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

#[test]
fn a_build_has_a_home() {
    let checkout = checkout(&["good"]);
    checkout
        .extend_manifest("good", "build = [\"sh\", \"-c\", \"test -n \\\"$HOME\\\" && echo $HOME >home\"]\n");
    for home in [None, Some(""), Some("/nonexistent")] {
        let mut command = checkout.bench("serve good --version");
        match home {
            None => command.env_remove("HOME"),
            Some(home) => command.env("HOME", home),
        };
        let said = text(&command.output().unwrap());
        assert!(said.contains("server-good 1"), "{home:?}: {said}");
        let given = fs::read_to_string(checkout.path("servers/mock/good/home")).unwrap();
        assert!(Path::new(given.trim()).is_absolute() && given.trim() != "/nonexistent", "{home:?}: {given}");
    }
}

#[test]
fn results_go_where_they_can_be_written() {
    let checkout = checkout(&["good"]);
    // A file takes the place of the folder: as in a folder of another user, nothing can be created
    // in it.
    checkout.write("bench/results", "");
    let mut command = checkout.bench("measure normal --control none");
    let output = command.env("XDG_STATE_HOME", checkout.path("state")).output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("records: "), "{said}");
    assert_eq!(checkout.path("state/hello-bench").read_dir().unwrap().count(), 1, "{said}");
    fs::create_dir(checkout.path("state/hello-bench/history.html")).unwrap();
    let said = checkout.succeed("history state/hello-bench");
    assert!(said.contains("no page: cannot write "), "{said}");
}

#[test]
fn results_are_kept_on_a_file_system_that_refuses_to_sync_and_to_link() {
    let checkout = checkout(&["good"]);
    let refuse = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mock/refuse");
    let mut command = checkout.bench_by(&[refuse], "measure normal --control none --out out");
    let output = command.output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("out: its file system does not say when a file is on the disk"), "{said}");
    assert_eq!(checkout.loaded().records.len(), 1);
    checkout.expect("measure normal --out out", 1, "results are never overwritten");
    let said = checkout.succeed("measure normal --control none --out other");
    assert!(!said.contains("its file system"), "{said}");
}
