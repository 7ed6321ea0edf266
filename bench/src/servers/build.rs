//! Builds several servers at once.
//!
//! cargo locks its folder, so that a second cargo waits for the first one. But one cargo that is
//! asked for several packages builds them side by side, on all cores. So the commands that build one
//! package each become one command, which runs beside those of other programs, such as `go build`.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use super::launch::{self, BUILD_LIMIT};
use super::server::Server;
use crate::machine::host::{Host, Launch};

/// What comes before the name of a package in a command of cargo's.
const PACKAGE: &str = "--package";

/// Builds the servers that have all they require. A build that fails here is repeated and reported by
/// [`launch::prepare`], which finds the others done.
pub fn together(host: &Host, servers: &[&Server], shown: bool) {
    let complete = servers.iter().filter(|server| launch::lacks(host, server).is_none());
    let commands = joined(complete.map(|server| (server.folder.as_path(), &server.build[..])));
    thread::scope(|scope| {
        for (words, folder) in &commands {
            scope.spawn(|| host.run(&Launch { words, folder, cores: &[], shown }, BUILD_LIMIT));
        }
    });
}

/// The commands with those joined that differ in their package only, each with a folder to run it in.
fn joined<'a>(builds: impl Iterator<Item = (&'a Path, &'a [String])>) -> BTreeMap<Vec<String>, &'a Path> {
    let mut packages: BTreeMap<(&[String], Option<&Path>), (&Path, Vec<String>)> = BTreeMap::new();
    for (folder, words) in builds {
        // Packages of one workspace lie beside each other.
        let (command, place, package) = match words {
            [] => continue,
            [command @ .., flag, package] if flag == PACKAGE => (command, folder.parent(), Some(package)),
            command => (command, Some(folder), None),
        };
        let (_, names) = packages.entry((command, place)).or_insert((folder, Vec::new()));
        names.extend(package.into_iter().flat_map(|package| [PACKAGE.to_owned(), package.clone()]));
    }
    packages.into_iter().map(|((command, _), (folder, names))| ([command, &names].concat(), folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_one_workspace_are_built_by_one_command() {
        let cases: [(&str, &[(&str, &str)], &[&str]); 4] = [
            ("none", &[("/s/python/a", "")], &[]),
            (
                "two packages and another program",
                &[
                    ("/s/rust/a", "cargo build --release --package a"),
                    ("/s/go/b", "go build -o b ."),
                    ("/s/rust/c", "cargo build --release --package c"),
                ],
                &["cargo build --release --package a --package c", "go build -o b ."],
            ),
            (
                "other flags",
                &[
                    ("/s/rust/a", "cargo build --package a"),
                    ("/s/rust/b", "cargo build --release --package b"),
                ],
                &["cargo build --package a", "cargo build --release --package b"],
            ),
            (
                "another workspace",
                &[("/s/rust/a", "cargo build --package a"), ("/home/rust/b", "cargo build --package b")],
                &["cargo build --package a", "cargo build --package b"],
            ),
        ];
        for (name, builds, expected) in cases {
            let builds: Vec<(&Path, Vec<String>)> = builds
                .iter()
                .map(|(folder, words)| {
                    (Path::new(*folder), words.split_whitespace().map(str::to_owned).collect())
                })
                .collect();
            let joined = joined(builds.iter().map(|(folder, words)| (*folder, &words[..])));
            let joined: Vec<String> = joined.keys().map(|words| words.join(" ")).collect();
            assert_eq!(joined, expected, "{name}");
        }
    }
}
