//! Programs: load tools, servers, and those that only some of the project's tests need.

use std::path::Path;
use std::time::Duration;

use super::finding::{Finding, Level};
use crate::machine::host::{Host, Launch};
use crate::servers::launch;
use crate::servers::server::Server;
use crate::tools::{self, TOOLS};

/// The time limit for `rustup` to list its toolchains.
const BOUND: Duration = Duration::from_secs(20);

/// The entry of `OPTIONAL` for a nightly compiler, which is not a program of its own.
const NIGHTLY: &str = "a nightly compiler";

/// Programs that no measurement needs, what they are for, and what installs them.
const OPTIONAL: [(&[&str], &str, &str); 4] = [
    (&["chromium"], "tests of the report's page", "apt-get install chromium"),
    (&["strace"], "counting system calls", "apt-get install strace"),
    (&["valgrind", "gungraun-runner"], "counting instructions in tests", "scripts/setup --tests"),
    (&["cargo-fuzz", NIGHTLY], "fuzzing", "scripts/fuzz"),
];

/// Each load tool with its version, or with how to install it.
pub(crate) fn tools(host: &Host) -> Vec<Finding> {
    TOOLS.iter().map(|tool| part(tool.name(), tools::available(host, *tool))).collect()
}

/// Whether each server can be built and run here.
pub(crate) fn servers(host: &Host, servers: &[Server]) -> Vec<Finding> {
    let is_available = |server: &Server| match launch::unavailable(host, server) {
        None => Ok(format!("{} ({})", server.runtime, server.language)),
        Some(why) => Err(why),
    };
    servers.iter().map(|server| part(&server.name, is_available(server))).collect()
}

fn part(name: &str, available: Result<String, String>) -> Finding {
    match available {
        Ok(what) => Level::Ok.finding(format!("{name}: {what}")),
        Err(why) => Level::Lacks.finding(format!("{name}: {why}")),
    }
}

pub(crate) fn optional(host: &Host) -> Vec<Finding> {
    let has =
        |program: &str| if program == NIGHTLY { has_nightly(host) } else { host.find(program).is_some() };
    OPTIONAL
        .iter()
        .map(|(programs, purpose, installer)| programs_for(programs, purpose, installer, &has))
        .collect()
}

fn programs_for(programs: &[&str], purpose: &str, installer: &str, has: &dyn Fn(&str) -> bool) -> Finding {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !has(program)).collect();
    if missing.is_empty() {
        return Level::Ok.finding(format!("{}: for {purpose}", programs.join(" and ")));
    }
    let missing = missing.join(" and ");
    Level::Lacks.finding(format!("{missing}: needed only for {purpose}; install with `{installer}`"))
}

fn has_nightly(host: &Host) -> bool {
    if host.find("rustup").is_none() {
        return false;
    }
    let words = ["rustup", "toolchain", "list"].map(str::to_owned);
    let launch = Launch::build(&words, Path::new("/"));
    host.run(&launch, BOUND).is_ok_and(|list| list.lines().any(|name| name.starts_with("nightly")))
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_finding;
    use super::*;

    #[test]
    fn missing_programs_are_reported_with_what_installs_them() {
        let cases: [(&[&str], Level, &str); 4] = [
            (&["a", "b"], Level::Ok, "a and b: for it"),
            (&["a"], Level::Lacks, "b: needed only for it; install with `scripts/setup`"),
            (&["b"], Level::Lacks, "a: needed only for it"),
            (&[], Level::Lacks, "a and b: needed only for it"),
        ];
        for (present, level, text) in cases {
            let finding = programs_for(&["a", "b"], "it", "scripts/setup", &|name| present.contains(&name));
            assert_finding(&finding, (level, text));
        }
    }
}
