//! The commands, one per file.

mod check;
mod compare;
mod completions;
mod doctor;
mod drill;
mod explain;
mod history;
mod list;
mod man;
mod measure;
mod microbench;
mod new;
mod readme;
mod report;
mod serve;
mod verify;
mod versus;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::cli::{Arguments, Command};
use crate::machine::host::serve as serve_host;
use crate::servers::checkout::Checkout;
use crate::servers::server::Server;
use crate::text::visible::visible;

/// The result of a command that ran to its end.
enum Outcome {
    Fine,
    Failed,
    /// Something that the user named was not measured, verified or compared.
    Unknown,
    Interrupted,
}

/// Whether there is any result, and whether a server that the user named has none.
#[derive(Default)]
struct Coverage {
    has_results: bool,
    lacks_named: bool,
}

impl Coverage {
    /// Records that a server has no result, for example because it cannot run here.
    fn record_missing(&mut self, server: &Server, named: &[String]) {
        self.lacks_named |= server.is_given || named.contains(&server.name);
    }

    fn outcome(&self, all_well: bool) -> Outcome {
        match (all_well, self.has_results && !self.lacks_named) {
            (false, _) => Outcome::Failed,
            (true, false) => Outcome::Unknown,
            (true, true) => Outcome::Fine,
        }
    }
}

/// Runs the command of the arguments. An error is one line on standard error.
pub fn run(arguments: &Arguments) -> ExitCode {
    let root = arguments.root.as_deref();
    let outcome = match &arguments.command {
        Command::List { what } => list::run(root, *what),
        Command::New(new) => new::run(root, new),
        Command::Check { names } => check::run(root, names),
        Command::Verify(verify) => verify::run(root, verify),
        Command::Drill(drill) => drill::run(root, drill),
        Command::Microbench(microbench) => microbench::run(root, microbench),
        Command::Measure(measure) => measure::run(root, measure),
        Command::Report(report) => report::run(report),
        Command::Explain(explain) => explain::run(explain),
        Command::Compare(compare) => compare::run(compare),
        Command::Versus(versus) => versus::run(root, versus),
        Command::History(history) => history::run(root, history),
        Command::Readme { folder } => readme::run(root, folder),
        Command::Serve(serve) => serve::run(root, serve),
        Command::Doctor(hosts) => doctor::run(root, hosts),
        Command::Host { mark, cache } => serve_host(mark, cache).map(|()| Outcome::Fine),
        Command::Completions { shell } => completions::run(*shell),
        Command::Man { out } => man::run(out.as_deref()),
    };
    match outcome {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(Outcome::Unknown) => ExitCode::from(3),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            note_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Reads the checkout, and says which folders in it are left out.
fn read_checkout(root: Option<&Path>) -> anyhow::Result<Checkout> {
    let checkout = Checkout::read(root)?;
    checkout.leftover.iter().for_each(|folder| note_leftover(folder));
    Ok(checkout)
}

fn note_leftover(folder: &Path) {
    note(&format!("{} is left out: a folder without a server.toml is no server", folder.display()));
}

/// Drops floors from the servers, and prints why. Fails if the user named one.
fn without_floor<'a>(
    chosen: Vec<&'a Server>,
    named: &[String],
    why: &str,
) -> anyhow::Result<Vec<&'a Server>> {
    let (floors, servers): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|server| server.is_floor);
    for Server { name, .. } in floors {
        if named.contains(name) {
            bail!("{name}: it is a floor, not a server, and {why}: leave it out");
        }
        note(&format!("{name:<14} left out: it is a floor, not a server, and {why}"));
    }
    Ok(servers)
}

const BAD: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const GOOD: anstyle::Style = anstyle::AnsiColor::Green.on_default();
const HEADING: anstyle::Style = anstyle::Style::new().bold();

/// `text` in `style`, with control characters made visible. [`anstream`] drops the style where it is
/// not printed to a terminal.
fn styled(style: anstyle::Style, text: &str) -> String {
    format!("{}{}{}", style.render(), visible(text), style.render_reset())
}

/// The error in one line, with control characters visible: it may quote a server or a foreign file.
fn told(error: &anyhow::Error) -> String {
    visible(&format!("{error:#}")).into_owned()
}

/// Prints to standard output. Fails when that cannot be written. A pipe that its reader closed, as
/// `head` does, is not an error.
fn print(text: &str) -> anyhow::Result<Outcome> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(Outcome::Fine),
    }
}

/// Prints an error to standard error.
fn note_error(error: &anyhow::Error) {
    note(&format!("{}: {}", styled(BAD, "error"), told(error)));
}

/// Prints a line to standard error. A closed pipe is not an error: `tee` may get the same Ctrl-C.
fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
