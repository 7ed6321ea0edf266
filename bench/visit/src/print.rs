//! Prints the results of a run, and chooses the exit code.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use visit_output::Report;

use super::report::Ending;
use super::summary;

/// Exit code of a wrong argument or command, the same as in `clap`.
pub(super) const USAGE: u8 = 2;

/// Exit code of an interruption, as a shell reports SIGINT.
pub(super) const INTERRUPTED: u8 = 130;

/// Prints the JSON on standard output and the summary on standard error. Returns the exit code.
pub(super) fn report(report: &Report, ending: &Ending, quiet: bool) -> anyhow::Result<ExitCode> {
    line(report)?;
    if !quiet {
        anstream::eprint!("{}", summary::text(report));
    }
    let why = report
        .handshake_failure
        .as_ref()
        .map_or_else(String::new, |why| format!("; the first handshake that failed: {why}"));
    let failure = match (ending, &report.mismatch, report.expected()) {
        (Ending::WrongCommand(reason), ..) => Some(reason.clone()),
        (_, Some(mismatch), _) => Some(format!("a wrong answer, so this run is invalid: {mismatch}")),
        (_, None, 0) if report.kinds.is_some() => {
            Some(format!("no request was answered with the status that is expected of its kind{why}"))
        }
        (_, None, 0) => Some(format!("no request was answered with a 2xx status{why}")),
        (_, None, _) => None,
    };
    if let Some(failure) = &failure {
        anstream::eprintln!("error: {failure}");
    }
    Ok(match (ending, failure) {
        (Ending::WrongCommand(_), _) => ExitCode::from(USAGE),
        (Ending::Interrupted, _) => ExitCode::from(INTERRUPTED),
        (Ending::Complete, Some(_)) => ExitCode::FAILURE,
        (Ending::Complete, None) => ExitCode::SUCCESS,
    })
}

/// Prints a line of JSON on standard output.
pub(super) fn line(value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(value).context("cannot write JSON")?;
    line.push('\n');
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}
