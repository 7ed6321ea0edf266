//! Programs: load tools, servers, and what only some of the project's tests need.

use std::path::Path;
use std::time::Duration;

use super::{Finding, Level};
use crate::machine::host::{Host, Launch};
use crate::servers::launch;
use crate::servers::server::Server;
use crate::tools::{self, TOOLS, Tool};

/// Time for `rustup` to list what is installed.
const BOUND: Duration = Duration::from_secs(20);

/// Programs that no measurement needs: what there is with each, and what there is not without.
const OPTIONAL: [(&str, &str, &str); 2] = [
    ("chromium", "the tests of the report's page can be run", "the tests of the report's page are left out"),
    ("strace", "system calls can be counted", "system calls cannot be counted"),
];

/// Each load tool with its version, or with how to get it.
pub fn tools(host: &Host) -> Vec<Finding> {
    let finding = |tool: &&dyn Tool| match tools::available(host, *tool) {
        Ok(version) => Level::Ok.finding(format!("{}: {version}", tool.name())),
        Err(why) => Level::Lacks.finding(format!("{}: {why}", tool.name())),
    };
    TOOLS.iter().map(finding).collect()
}

/// Each server: whether it can be built and run here.
pub fn servers(host: &Host, servers: &[Server]) -> Vec<Finding> {
    let finding = |server: &Server| match launch::unavailable(host, server) {
        None => Level::Ok.finding(format!("{}: {} ({})", server.name, server.runtime, server.language)),
        Some(why) => Level::Lacks.finding(format!("{}: {why}", server.name)),
    };
    servers.iter().map(finding).collect()
}

/// What no measurement needs.
pub fn optional(host: &Host) -> Vec<Finding> {
    let has = |program| host.find(program).is_some();
    let programs = OPTIONAL.iter().map(|(name, can, lack)| program(name, has(name), can, lack));
    let counting = counting(has("valgrind"), has("gungraun-runner"));
    programs.chain([counting, fuzzing(has("cargo-fuzz"), has_nightly(host))]).collect()
}

/// A program of Debian's that does something by the way, and the package of its name.
fn program(name: &str, is_there: bool, can: &str, lack: &str) -> Finding {
    if is_there {
        Level::Ok.finding(format!("{name}: {can}"))
    } else {
        Level::Lacks.finding(format!("{name}: {lack}; get it with `apt-get install {name}`"))
    }
}

fn counting(has_valgrind: bool, has_runner: bool) -> Finding {
    let missing = match (has_valgrind, has_runner) {
        (true, true) => {
            let can = "instructions can be held against their budgets";
            return Level::Ok.finding(format!("valgrind and gungraun-runner: {can}"));
        }
        (true, false) => "gungraun-runner",
        (false, true) => "valgrind",
        (false, false) => "valgrind and gungraun-runner",
    };
    let lack = "instructions are not held against their budgets";
    Level::Lacks.finding(format!("{missing}: {lack}; scripts/setup --tests gets it"))
}

fn fuzzing(has_cargo_fuzz: bool, has_nightly: bool) -> Finding {
    let missing = match (has_cargo_fuzz, has_nightly) {
        (true, true) => {
            return Level::Ok.finding("cargo-fuzz and a nightly compiler: scripts/fuzz can begin");
        }
        (true, false) => "a nightly compiler",
        (false, true) => "cargo-fuzz",
        (false, false) => "cargo-fuzz and a nightly compiler",
    };
    Level::Lacks.finding(format!("{missing}: scripts/fuzz gets what it needs"))
}

fn has_nightly(host: &Host) -> bool {
    if host.find("rustup").is_none() {
        return false;
    }
    let words = ["rustup", "toolchain", "list"].map(str::to_owned);
    let launch = Launch { words: &words, folder: Path::new("/"), cores: &[], shown: false };
    host.run(&launch, BOUND).is_ok_and(|list| list.lines().any(|name| name.starts_with("nightly")))
}

#[cfg(test)]
mod tests {
    use super::super::assert_finding;
    use super::*;

    #[test]
    fn says_what_is_optional_and_missing() {
        let cases = [
            (program("strace", true, "can", "cannot"), (Level::Ok, "strace: can")),
            (
                program("strace", false, "can", "cannot"),
                (Level::Lacks, "cannot; get it with `apt-get install strace`"),
            ),
            (counting(true, true), (Level::Ok, "gungraun-runner: instructions can be held")),
            (counting(true, false), (Level::Lacks, "gungraun-runner: instructions are not held")),
            (counting(false, true), (Level::Lacks, "valgrind: instructions are not held")),
            (counting(false, false), (Level::Lacks, "valgrind and gungraun-runner: instructions are not")),
            (fuzzing(true, true), (Level::Ok, "scripts/fuzz can begin")),
            (fuzzing(true, false), (Level::Lacks, "a nightly compiler: scripts/fuzz gets")),
            (fuzzing(false, true), (Level::Lacks, "cargo-fuzz: scripts/fuzz gets")),
            (fuzzing(false, false), (Level::Lacks, "cargo-fuzz and a nightly compiler: scripts/fuzz gets")),
        ];
        for (finding, expected) in cases {
            assert_finding(&finding, expected);
        }
    }
}
