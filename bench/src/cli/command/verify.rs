//! `bench verify`: does each server answer as it should?

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use conformance::{Severity, Target, causes};
use indicatif::{ProgressBar, ProgressStyle};

use super::{BAD, Coverage, GOOD, Outcome, note, print, read_checkout, styled, told, without_floor};
use crate::checks::verify::{self, Depth, Findings, Question, Verification};
use crate::cli::{Form, Verify};
use crate::machine::host::Host;
use crate::report;
use crate::servers::build;
use crate::servers::client;
use crate::servers::deploy;
use crate::servers::install;
use crate::servers::server::Server;
use crate::text::visible::visible;

pub(super) fn run(root: Option<&Path>, arguments: &Verify) -> anyhow::Result<Outcome> {
    let question = question(arguments);
    if let Some(address) = arguments.address {
        let name = address.to_string();
        // From here on Ctrl-C ends the run and not the program.
        let own = std::env::current_exe().context("cannot find this program")?;
        let host = Host::this_machine(own.parent().unwrap_or(&own).to_owned())?;
        client::check_accepts(address).context("--address")?;
        let is_stopped = || host.interrupted();
        let bar = progress(&name);
        let verification = verify::verify_attached(address, &question, &is_stopped, &moving(&bar))?;
        bar.finish_and_clear();
        let is_as_known = verification.is_as_known();
        show(arguments, &[(&name, None, verification)])?;
        return Ok(if host.interrupted() { Outcome::Interrupted } else { outcome(is_as_known) });
    }
    question.cases()?;
    let checkout = read_checkout(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
    let named = arguments.chosen.names(&arguments.names);
    let mut servers = checkout.choose_servers(named)?;
    if arguments.is_about_all_cases() || !arguments.protocol.is_plain() {
        servers = without_floor(servers, named, "does not implement HTTP")?;
    }
    if named.is_empty() {
        servers.retain(|server| server.protocols.contains(&arguments.protocol));
    }
    let hosts = arguments.host.reach(Host::this_machine(checkout.tools())?, &checkout.root)?;
    let (here, host) = (&hosts.here, hosts.server());
    if arguments.chosen.install {
        install::missing(host, &servers, true, note);
    }
    let mut verified = Vec::new();
    let (mut all_well, mut coverage) = (true, Coverage::default());
    for server in servers {
        build::kept(here, server).iter().for_each(|sentence| note(sentence));
        let bar = progress(&server.name);
        let verification = match deploy::prepare(here, host, server, true) {
            Ok(Err(why)) => {
                say(
                    arguments.format,
                    &format!("{:<14} {}: {why}\n", server.name, styled(BAD, "unavailable")),
                )?;
                coverage.record_missing(server, named);
                continue;
            }
            Ok(Ok(server)) => verify::verify(host, &server, &question, &moving(&bar)),
            Err(error) => Err(error),
        };
        bar.finish_and_clear();
        coverage.has_results = true;
        all_well &= verification.as_ref().is_ok_and(Verification::is_as_known);
        match verification {
            Ok(verification) => {
                if arguments.format == Form::Text {
                    print(&results(&server.name, Some(server), &verification, arguments.all))?;
                }
                verified.push((server.name.as_str(), Some(server), verification));
            }
            Err(error) if host.interrupted() => drop(error),
            Err(error) => {
                say(
                    arguments.format,
                    &format!("{:<14} {}: {}\n", server.name, styled(BAD, "failed"), told(&error)),
                )?;
            }
        }
        if host.interrupted() {
            break;
        }
    }
    match arguments.format {
        Form::Text if arguments.is_about_all_cases() => _ = print(&table(&verified))?,
        Form::Text => {}
        Form::Json | Form::Markdown => _ = show(arguments, &verified)?,
    }
    Ok(if host.interrupted() { Outcome::Interrupted } else { coverage.outcome(all_well) })
}

/// Prints a line about a server that was not verified: to standard output in the form for a
/// terminal, and to standard error in the other forms.
fn say(form: Form, line: &str) -> anyhow::Result<()> {
    match form {
        Form::Text => _ = print(line)?,
        Form::Json | Form::Markdown => note(line.trim_end()),
    }
    Ok(())
}

fn question(arguments: &Verify) -> Question {
    let depth = if arguments.is_about_all_cases() { Depth::Splits } else { Depth::Endpoint };
    let target = arguments.expect_body.as_ref().map_or(Target::Greeting, |body| Target::Fixed {
        path: arguments.path.clone(),
        body: body.replace("\\n", "\n").replace("\\r", "\r"),
    });
    Question { protocol: arguments.protocol, depth, target, only: arguments.only.clone() }
}

type Verified<'a> = (&'a str, Option<&'a Server>, Verification);

/// Prints all that was found, in the form that was asked for.
fn show(arguments: &Verify, verified: &[Verified]) -> anyhow::Result<Outcome> {
    print(&match arguments.format {
        Form::Json => {
            let findings: Vec<Findings> =
                verified.iter().map(|(name, _, verification)| Findings::new(name, verification)).collect();
            let json =
                serde_json::to_string_pretty(&findings).context("cannot write the findings as JSON")?;
            json + "\n"
        }
        Form::Markdown => verified
            .iter()
            .map(|(name, _, verification)| markdown(name, verification, arguments.all))
            .collect(),
        Form::Text => {
            let lines = verified
                .iter()
                .map(|(name, server, verification)| results(name, *server, verification, arguments.all));
            lines.collect::<String>() + &table(verified)
        }
    })
}

fn table(verified: &[Verified]) -> String {
    let rows: Vec<(&str, &Verification)> =
        verified.iter().map(|(name, _, verification)| (*name, verification)).collect();
    format!("\n{}", report::conformance(&rows, report::terminal_width()))
}

fn outcome(all_well: bool) -> Outcome {
    if all_well { Outcome::Fine } else { Outcome::Failed }
}

/// Returns a line for the server, sentences about all of its answers, three lines for each cause of
/// failures that its manifest does not list, and a line for each outdated entry. With `all` it adds
/// the causes that the manifest lists, and every case of a cause.
fn results(name: &str, server: Option<&Server>, verification: &Verification, all: bool) -> String {
    let verdict = match (verification.is_as_known(), server) {
        (true, Some(_)) => styled(GOOD, "as known"),
        (true, None) => styled(GOOD, "all pass"),
        (false, Some(_)) => styled(BAD, "not as known"),
        (false, None) => styled(BAD, "some fail"),
    };
    let mut out = format!("{name:<14} {verdict}: {}\n", summary(verification));
    for sentence in verification.run.sentences() {
        let _ = writeln!(out, "  {}", visible(&sentence));
    }
    for cause in causes(verification.unknown()) {
        out += &visible(&if all { format!("{cause:#}") } else { cause.to_string() });
    }
    if all {
        let known = causes(verification.known());
        known
            .iter()
            .for_each(|cause| out += &visible(&format!("  known {}", format!("{cause:#}").trim_start())));
    }
    for what in &verification.outdated {
        let manifest = server.map(|server| server.folder.join("server.toml")).unwrap_or_default();
        let _ = writeln!(out, "  {what}: correct {}", manifest.display());
    }
    out
}

/// `428 of 510 cases pass, 3 smuggled, 28 wrong, 51 strict`.
fn summary(verification: &Verification) -> String {
    let found = verification.count(|_| true);
    let mut out = format!("{} of {} cases pass", found.range(), found.cases);
    for (severity, what) in
        [(Severity::Smuggling, "smuggled"), (Severity::Wrong, "wrong"), (Severity::Strict, "strict")]
    {
        match verification.failed(severity) {
            0 => {}
            count => _ = write!(out, ", {count} {what}"),
        }
    }
    let split = verification.only_split().count();
    if split > 0 {
        let _ = write!(out, ", {split} only when split");
    }
    out
}

/// Returns the findings as Markdown for an issue: a heading, sentences, and a table of causes.
fn markdown(name: &str, verification: &Verification, all: bool) -> String {
    let mut out = format!("### {name}\n\n{}.\n", summary(verification));
    for sentence in verification.run.sentences() {
        let _ = write!(out, "\n- {sentence}");
    }
    let known = verification.known().filter(|_| all);
    let causes = causes(verification.unknown().chain(known));
    if !causes.is_empty() {
        out += "\n\n| severity | cases | expected | rule |\n| --- | --- | --- | --- |\n";
    }
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for cause in causes {
        let (reason, rule) =
            (cell(cause.reason), cell(&format!("{}: {}", cause.rule.section, cause.rule.says)));
        let _ = writeln!(out, "| {} | {} | {reason} | {rule} |", cause.severity, cause.cases().join(", "));
    }
    visible(&out).into_owned() + "\n"
}

/// The progress of a server's cases, on a terminal.
fn progress(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix}: {pos} of {len} cases");
    ProgressBar::new(0)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(name.to_owned())
}

/// Returns a function that updates the progress with the number of cases sent and of all cases.
fn moving(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync + '_ {
    |sent, all| {
        bar.set_length(all as u64);
        bar.set_position(sent as u64);
    }
}
