//! The selection of servers by a command, and the installation of the programs that they need, with
//! mock servers and a mock of apt-get.

use std::fs;

use crate::mock::{Checkout, suite, workload};
use nix::unistd::geteuid;

/// Two mock servers. The second is used only when named, and requires programs that are missing.
fn checkout(packages: &[&str]) -> Checkout {
    let checkout = Checkout::new(&["good", "named"], &suite(&[workload("normal")]));
    checkout.extend_manifest("named", "default = false\n");
    for package in packages {
        let requirement = ["program", "hint", "debian"].map(|field| format!("{field} = {package:?}\n"));
        checkout.extend_manifest("named", &format!("[[requires]]\n{}", requirement.concat()));
    }
    checkout
}

/// The servers that a command selects.
fn chosen(checkout: &Checkout, arguments: &str) -> Vec<&'static str> {
    let (_, text) = checkout.run(arguments);
    let is_chosen = |name: &&str| text.lines().any(|line| line.starts_with(name));
    ["good", "mine", "named"].into_iter().filter(is_chosen).collect()
}

#[test]
fn a_server_can_be_limited_to_being_named() {
    let checkout = checkout(&[]);
    let cases = [
        ("verify", ["good"].as_slice()),
        ("verify --servers all", &["good", "named"]),
        ("verify --servers named", &["named"]),
        ("verify named", &["named"]),
        ("verify named good", &["good", "named"]),
        ("verify all", &["good", "named"]),
    ];
    for (arguments, expected) in cases {
        assert_eq!(chosen(&checkout, arguments), expected, "{arguments}");
    }
    checkout.expect("verify named --servers good", 2, "");
    let text = checkout.succeed("list servers");
    assert_eq!(text.matches("available if named").count(), 1, "{text}");
}

/// A server in another folder is used alone, or beside those that are named.
#[test]
fn a_server_can_be_in_another_folder() {
    let checkout = checkout(&[]);
    let manifest = fs::read_to_string(checkout.path("servers/mock/good/server.toml")).unwrap();
    checkout.write("elsewhere/mine/server.toml", &manifest.replacen("good", "mine", 1));
    checkout.write("elsewhere/good/server.toml", &manifest);
    checkout.write("elsewhere/other/server.toml", &manifest);
    fs::create_dir(checkout.path("elsewhere/empty")).unwrap();
    let cases = [
        ("--server-dir elsewhere/mine", ["mine"].as_slice()),
        ("--server-dir elsewhere/mine/ --servers good", &["good", "mine"]),
        ("--server-dir elsewhere/mine --servers mine,named", &["mine", "named"]),
        ("--server-dir elsewhere/mine --servers all", &["good", "mine", "named"]),
        ("--server-dir elsewhere/mine --server-dir elsewhere/../elsewhere/mine", &["mine"]),
        // A folder of the checkout.
        ("--server-dir servers/mock/named", &["named"]),
    ];
    for (flags, expected) in cases {
        assert_eq!(chosen(&checkout, &format!("verify {flags}")), expected, "{flags}");
    }
    let cases = [
        ("elsewhere/good", "`good` is the name of "),
        ("elsewhere/good", "servers/mock/good already: rename one of the two"),
        ("elsewhere/other", "name is `good`, but the folder is `other`"),
        ("elsewhere/empty", "it is not the folder of a server: it has no `server.toml`"),
        ("elsewhere/nowhere", "No such file or directory"),
    ];
    for (folder, expected) in cases {
        for command in ["verify", "drill", "measure mock", "serve"] {
            let name = if command == "serve" { " good" } else { "" };
            let text = checkout.expect(&format!("{command} --server-dir {folder}{name}"), 1, "");
            assert!(text.contains(&format!("--server-dir {folder}: ")) && text.contains(expected), "{text}");
        }
    }
    checkout.expect("serve --server-dir elsewhere/mine mine --version", 0, "server-good 1");
}

/// A resumed measurement includes that server, since the command is in `machine.json`.
#[test]
fn a_server_in_another_folder_is_measured() {
    let checkout = checkout(&[]);
    let manifest = fs::read_to_string(checkout.path("servers/mock/good/server.toml")).unwrap();
    checkout.write("elsewhere/mine/server.toml", &manifest.replacen("good", "mine", 1));
    let names = |checkout: &Checkout| {
        let records = checkout.loaded().records.into_iter();
        let mut names: Vec<String> = records.map(|run| run.server.name).collect();
        names.sort();
        names
    };
    let text =
        checkout.succeed("measure mock --server-dir elsewhere/mine --servers good --control none --out out");
    assert_eq!(names(&checkout), ["good", "mine"], "{text}");
    let path = checkout.path("out/measurements.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    fs::write(&path, lines.split_inclusive('\n').next().unwrap()).unwrap();
    let text = checkout.succeed("measure --resume out");
    assert_eq!(names(&checkout), ["good", "mine"], "{text}");
}

#[test]
fn a_built_server_can_report_why_it_cannot_run() {
    let cases = [
        // The server can run, but fails, since SIGTERM kills this mock.
        ("exit 0", 1, "named          failed: the server ended with signal: 15", "available if named"),
        ("echo error: no io >&2; exit 1", 3, "named          unavailable: no io", "unavailable: no io"),
        ("exit 3", 1, "failed with exit status: 3 and did not say why", "exit status: 3 and did not say why"),
    ];
    for (script, code, verified, listed) in cases {
        let checkout = checkout(&[]);
        // The program of the check exists once the server is built.
        let build = format!(
            "mkdir -p {{target}} && (echo '#!/bin/sh' && echo \"{script}\") > {{target}}/check && chmod 755 {{target}}/check"
        );
        let lines = format!("build = ['sh', '-c', '''{build}''']\ncheck = ['{{target}}/check', '--check']\n");
        checkout.extend_manifest("named", &lines);
        checkout.expect("list servers", 0, "available if named");
        checkout.expect("verify --servers named", code, verified);
        checkout.expect("list servers", 0, listed);
    }
}

#[test]
fn missing_programs_are_installed_with_the_flag() {
    let lacking = "unavailable: there is no `mock-program` here";
    let checkout = checkout(&["mock-program"]);
    let (_, text) = checkout.run("verify --servers named");
    assert!(text.contains(lacking) && !text.contains("installing"), "{text}");
    // This command does not select the server that requires the program.
    let (_, text) = checkout.run("verify --install");
    assert!(!text.contains("mock-program"), "{text}");

    let (_, text) = checkout.run("verify --servers all --install");
    if geteuid().is_root() {
        assert!(text.contains("installing mock-program (Debian)") && !text.contains(lacking), "{text}");
        let (_, text) = checkout.run("verify --servers all --install");
        assert!(!text.contains("installing"), "{text}");
    } else {
        assert!(text.contains("left out mock-program") && text.contains(lacking), "{text}");
    }
}

#[test]
fn a_server_whose_programs_cannot_be_installed_is_left_out() {
    let checkout = checkout(&["nowhere"]);
    let (output, text) = checkout.run("verify --servers all --install");
    assert!(text.contains("left out nowhere: "), "{text}");
    assert!(text.contains("unavailable: there is no `nowhere` here"), "{text}");
    assert!(output.status.code().is_some_and(|code| code < 2), "{text}");
}
