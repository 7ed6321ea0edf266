//! Findings as text.

use std::fmt::Write;

use super::{DRILLS, Finding, unknown_gaps};
use crate::report::layout;
use crate::server::Server;

/// What stands in a cell where a server failed.
pub const FAILED: &str = "FAILS";

/// What one server came to.
pub struct Row<'a> {
    /// The server.
    pub server: &'a Server,
    /// A finding for each drill that was done.
    pub findings: Vec<Finding>,
}

/// A table of drills by servers, with a number where there is more to say.
pub fn table(rows: &[Row]) -> String {
    let names = rows.iter().map(|row| row.server.name.as_str());
    let mut table = layout::table(std::iter::once("Drill").chain(names), 1);
    for drill in &DRILLS {
        let findings = rows.iter().map(|row| row.findings.iter().find(|finding| finding.drill == drill.name));
        let findings: Vec<_> = findings.collect();
        if findings.iter().all(Option::is_none) {
            continue;
        }
        let cell =
            |finding: Option<&Finding>| finding.map_or_else(|| "–".into(), |finding| cell(rows, finding));
        table.add_row(std::iter::once(drill.short_name().to_owned()).chain(findings.into_iter().map(cell)));
    }
    format!("{}\n", table.trim_fmt())
}

/// A line for each number in the table, and one for each drill in a manifest that is not there.
pub fn notes(rows: &[Row]) -> String {
    let mut out = String::new();
    for (number, (server, finding)) in noted(rows).enumerate() {
        let _ = write!(out, "({}) {} {}: ", number + 1, server.name, finding.drill);
        let manifest = server.folder.join("server.toml");
        let _ = match (&finding.outcome, &finding.known) {
            (Err(wrong), known) => writeln!(out, "{}", explain(wrong, known.as_deref())),
            (Ok(_), _) => writeln!(out, "passes: take it out of {}", manifest.display()),
        };
    }
    for row in rows {
        for gap in unknown_gaps(row.server) {
            let manifest = row.server.folder.join("server.toml");
            let _ = writeln!(out, "{gap} is no drill: take it out of {}", manifest.display());
        }
    }
    out
}

/// What went wrong, and whether that is known of the server.
pub(crate) fn explain(wrong: &str, known: Option<&str>) -> String {
    match known {
        Some(reason) => format!("{wrong}. Known: {reason}"),
        None => format!("{wrong}. Not known of this server."),
    }
}

/// Findings with a note, in the order of the notes.
fn noted<'a>(rows: &'a [Row]) -> impl Iterator<Item = (&'a Server, &'a Finding)> {
    let findings = rows.iter().flat_map(|row| row.findings.iter().map(|finding| (row.server, finding)));
    findings.filter(|(_, finding)| finding.outcome.is_err() || !finding.is_as_known())
}

fn cell(rows: &[Row], finding: &Finding) -> String {
    // Of two figures each has a line, so that the table is not wider than it need be.
    let text = finding.outcome.as_deref().unwrap_or(FAILED).replace(", ", ",\n");
    match noted(rows).position(|(_, noted)| std::ptr::eq(noted, finding)) {
        Some(place) => format!("{text} ({})", place + 1),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MANIFEST: &str = r#"
        name = "example"
        title = "Example"
        language = "Rust"
        runtime = "std"
        model = "thread pool"
        run = ["example"]
        version = ["example", "--version"]
        [[gaps]]
        cases = ["drill/never-read", "drill/kill", "drill/no-such", "endpoint/get"]
        reason = "Nothing is bounded."
        [[gaps]]
        cases = ["drill/half-close", "drill/mixed"]
        reason = "Whichever comes first."
        sometimes = true
    "#;

    fn server() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("example");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("server.toml"), MANIFEST).unwrap();
        Server { folder: "example".into(), ..Server::read(&folder, Path::new("/t")).unwrap() }
    }

    fn finding(server: &Server, drill: &'static str, outcome: Result<&str, &str>) -> Finding {
        let outcome = outcome.map(str::to_owned).map_err(str::to_owned);
        Finding::of(drill, outcome, server)
    }

    #[test]
    fn failures_and_what_is_not_as_known_are_numbered() {
        let server = server();
        let findings = vec![
            finding(&server, "drill/idle", Ok("12 B each")),
            finding(&server, "drill/resets", Err("it has ended")),
            finding(&server, "drill/half-close", Ok("515 answered")),
            finding(&server, "drill/never-read", Err("no end")),
            finding(&server, "drill/kill", Ok("up in 3 ms")),
            finding(&server, "drill/mixed", Err("closed")),
        ];
        let as_known: Vec<bool> = findings.iter().map(Finding::is_as_known).collect();
        assert_eq!(as_known, [true, false, true, true, false, true]);
        let rows = [Row { server: &server, findings }];
        let table = table(&rows);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["Drill", "example"]);
        assert_eq!(
            lines[2..],
            [
                vec!["idle", "12", "B", "each"],
                vec!["resets", "FAILS", "(1)"],
                vec!["half-close", "515", "answered"],
                vec!["never-read", "FAILS", "(2)"],
                vec!["kill", "up", "in", "3", "ms", "(3)"],
                vec!["mixed", "FAILS", "(4)"],
            ]
        );
        assert_eq!(
            notes(&rows),
            "(1) example drill/resets: it has ended. Not known of this server.\n\
             (2) example drill/never-read: no end. Known: Nothing is bounded.\n\
             (3) example drill/kill: passes: take it out of example/server.toml\n\
             (4) example drill/mixed: closed. Known: Whichever comes first.\n\
             drill/no-such is no drill: take it out of example/server.toml\n"
        );
    }
}
