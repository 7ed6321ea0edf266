//! `bench versus`: two states of servers, measured in one session.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use clap::Parser;

use super::measure::{Completed, Testbed, run_and_report};
use super::{Outcome, note, print, read_checkout};
use crate::analysis::compare::Judgement;
use crate::analysis::summary::summarise;
use crate::analysis::versus::{self, SUFFIXES};
use crate::cli::{Arguments, Command, Versus};
use crate::machine::assignment::{Choice, Layout};
use crate::machine::host::{self, Host};
use crate::machine::sides::Sides;
use crate::report;
use crate::servers::checkout::Checkout;
use crate::servers::revision::Revision;
use crate::servers::server::Server;
use crate::store::results::{Loaded, Results};
use crate::text::progress::Progress;

pub(super) fn run(root: Option<&Path>, arguments: &Versus) -> anyhow::Result<Outcome> {
    host::raise_descriptor_limit()?;
    let progress = Progress::new(arguments.quiet);
    let checkout = read_checkout(root)?;
    let host = std::sync::Arc::new(Host::this_machine(checkout.tools())?);
    let find = |text: &str, name| Revision::find(&host, &checkout, text).context(name);
    let states = [find(&arguments.base, "BASE")?, find(&arguments.head, "HEAD")?];
    let [base, head] = &states;
    ensure!(
        base.identity != head.identity,
        "BASE and HEAD are the same, {}: name another to compare it with",
        base.label
    );
    let servers = servers(&states, &arguments.servers)?;
    let control = servers.first().context("BASE has no server")?.name.clone();
    let layout = Layout::here(&Choice::default())?;
    let testbed = Testbed {
        checkout: Checkout { servers, ..checkout },
        sides: Sides::here(std::sync::Arc::clone(&host), &layout),
        layout,
    };
    let machine = testbed.machine(fastrand::u64(..))?;
    let mut words = vec!["bench".to_owned(), "measure".into(), "--control".into(), control];
    if let Some(repetitions) = arguments.repetitions {
        words.extend(["--repetitions".into(), repetitions.to_string()]);
    }
    if let Some(width) = arguments.until {
        let minutes = arguments.budget.as_secs_f64() / 60.0;
        words.extend(["--until".into(), format!("{}%", width * 100.0)]);
        words.extend(["--budget".into(), minutes.to_string()]);
    }
    words.extend(arguments.workload.iter().cloned());
    let measure = match Arguments::try_parse_from(&words)?.command {
        Command::Measure(measure) => measure,
        _ => bail!("--workload: {} are not workloads", arguments.workload.join(" ")),
    };
    let open = || {
        let folder =
            arguments.out.clone().unwrap_or_else(|| testbed.checkout.results().join(machine.folder_name()));
        Ok((Results::create(&folder, &machine)?, Vec::new()))
    };
    let labels = [base.label.as_str(), head.label.as_str()];
    let show = |loaded: &Loaded, _: &_| {
        let document = report::versus::document(loaded, labels);
        print(&arguments.format.render(&document, report::terminal_width())?).map(drop)
    };
    let Completed { loaded, .. } = run_and_report(&testbed, &measure, machine.seed, &progress, open, show)?;
    if host.interrupted() {
        return Ok(Outcome::Interrupted);
    }
    Ok(outcome(&loaded, testbed.checkout.servers.len() / 2, arguments.fail_above / 100.0))
}

/// The servers of both states, with their suffixes. Fails where a state lacks one.
fn servers(states: &[Revision; 2], named: &[String]) -> anyhow::Result<Vec<Server>> {
    let [base, head] = states;
    let names = if named.is_empty() { base.default_names() } else { named.to_vec() };
    let mut servers = Vec::new();
    for name in BTreeSet::from_iter(names) {
        for ((state, suffix), place) in states.iter().zip(SUFFIXES).zip(["BASE", "HEAD"]) {
            let server = state.server(&name).with_context(|| place.to_owned())?;
            servers.push(Server {
                name: format!("{name}{suffix}"),
                title: format!("{} ({})", server.title, state.label),
                is_given: true,
                ..server.clone()
            });
        }
    }
    ensure!(!servers.is_empty(), "{} and {} have no server to compare", base.label, head.label);
    Ok(servers)
}

/// Returns `Failed` if a figure is broken or worse by more than `share`, `Fine` if every figure was
/// judged, and `Unknown` if figures are missing.
fn outcome(loaded: &Loaded, servers: usize, share: f64) -> Outcome {
    let summaries = summarise(&loaded.records);
    let all = versus::versus(&summaries);
    let is_worse = |one: &versus::Versus| match (&one.judgement, one.ratio) {
        (Judgement::Broken(_), _) => true,
        (Judgement::Worse, Some(ratio)) => (ratio.median - 1.0).abs() > share,
        _ => false,
    };
    if all.iter().any(is_worse) {
        return Outcome::Failed;
    }
    let is_said = |one: &versus::Versus| {
        matches!(one.judgement, Judgement::Better | Judgement::Same | Judgement::Worse)
    };
    if !all.is_empty() && all.len() >= servers && all.iter().all(is_said) {
        return Outcome::Fine;
    }
    note("it cannot be said whether HEAD is worse: figures are missing");
    Outcome::Unknown
}
