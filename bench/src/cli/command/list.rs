//! `bench list`: servers, workloads and load tools, and what this machine lacks.

use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::measure;
use super::{BAD, GOOD, HEADING, Outcome, print, read_checkout, styled};
use crate::cli::Listed;
use crate::machine::assignment::{Choice, Layout};
use crate::machine::host::Host;
use crate::measure::forecast;
use crate::servers::checkout::Checkout;
use crate::servers::launch;
use crate::servers::server::Server;
use crate::servers::workload::{Amount, Rate, Suite, Task, Workload};
use crate::store::record::Protocol;
use crate::text::numbers;
use crate::tools::{self, TOOLS, Tool};

pub(super) fn run(root: Option<&Path>, listed: Option<Listed>) -> anyhow::Result<Outcome> {
    if listed == Some(Listed::Cases) {
        return print(&cases());
    }
    let checkout = read_checkout(root)?;
    let host = Host::this_machine(checkout.tools())?;
    let wanted = |what| listed.is_none_or(|only| only == what);
    let mut out = Vec::new();
    if wanted(Listed::Servers) {
        out.push(section("Servers", checkout.servers.iter().map(|server| server_row(&host, server))));
    }
    if wanted(Listed::Workloads) {
        let is_available =
            |server: &&Server| server.is_default && launch::unavailable(&host, server).is_none();
        let available: Vec<&Server> = checkout.servers.iter().filter(is_available).collect();
        let layout = Layout::here(&Choice::default())?;
        let suites = checkout.suites.iter().map(|one| suite(&checkout, one, &available, &layout));
        out.push(
            styled(HEADING, "Workloads") + "\n" + &suites.collect::<anyhow::Result<Vec<_>>>()?.join("\n"),
        );
    }
    if wanted(Listed::Tools) {
        out.push(section("Tools", TOOLS.iter().map(|tool| tool_row(&host, *tool))));
    }
    print(&out.join("\n"))
}

/// The conformance cases by subject.
fn cases() -> String {
    let mut out = String::new();
    let mut subject = "";
    for case in conformance::all_cases() {
        if case.subject() != subject {
            subject = case.subject();
            out += &format!("{}{}\n", if out.is_empty() { "" } else { "\n" }, styled(HEADING, subject));
        }
        out += &format!("{case}\n");
    }
    out
}

fn section(title: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    format!("{}\n{}", styled(HEADING, title), columns(rows))
}

fn columns(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.add_rows(rows);
    format!("{}\n", table.trim_fmt())
}

fn server_row(host: &Host, server: &Server) -> Vec<String> {
    let state = match launch::unavailable(host, server) {
        None if server.is_default => styled(GOOD, "available"),
        None => styled(GOOD, "available if named"),
        Some(why) => styled(BAD, &format!("unavailable: {why}")),
    };
    let Server { name, language, runtime, model, .. } = server;
    let model = if server.is_floor { "floor, not a server" } else { model.as_str() };
    vec![name.clone(), language.clone(), runtime.clone(), model.to_owned(), state]
}

/// A suite with the question it answers and how long it takes, and its workloads.
fn suite(
    checkout: &Checkout,
    suite: &Suite,
    available: &[&Server],
    layout: &Layout,
) -> anyhow::Result<String> {
    let workloads = checkout.workloads_of(suite)?;
    let possible = workloads.iter().filter(|workload| lacking_cores(layout, workload).is_none());
    let servers = available.iter().filter(|server| !server.is_floor).count();
    // If there are servers to compare, one of them also has a duplicate (A/A).
    let contenders = available.len() + usize::from(servers > 1);
    let heading = format!(
        "{}  {}\n  with {} about {}",
        styled(HEADING, &suite.name),
        suite.about,
        numbers::counted(servers, "server"),
        numbers::time(forecast::total(possible, available, contenders))
    );
    if !suite.suites.is_empty() {
        return Ok(format!("{heading}: {}\n", suite.suites.join(", ")));
    }
    Ok(format!(
        "{heading}\n{}",
        columns(suite.workloads.iter().map(|workload| workload_row(workload, layout)))
    ))
}

fn workload_row(workload: &Workload, layout: &Layout) -> Vec<String> {
    let how = match &workload.task {
        Task::Load(load) => {
            let amount = match load.amount {
                Amount::Requests(requests) => format!("{requests} requests"),
                Amount::Time(time) => format!("{} s", time.as_secs_f64()),
            };
            let rate = match &load.rate {
                None => "closed loop".into(),
                Some(Rate::PerSecond(rate)) => format!("{rate}/s"),
                Some(Rate::OfPeak { share, peak }) => format!("{:.0} % of {peak}", share * 100.0),
                Some(Rate::Searched { limit, .. }) => format!("rates by a search for {limit}"),
                Some(Rate::OfFound { share, search }) => {
                    format!("{:.0} % of what {search} finds", share * 100.0)
                }
            };
            let protocol = match load.protocol {
                Protocol::Http1 => String::new(),
                protocol if protocol.is_http_2() => format!(" over {protocol} × {}", load.streams),
                protocol => format!(" over {protocol}"),
            };
            format!("{}, {rate}, {} × {}{protocol}, {amount}", load.tool, load.connections, load.mode)
        }
        Task::Start => "a start and one request".into(),
        Task::Hold(connections) => format!("{connections} connections, used once and held"),
        Task::Idle(connections, time) => {
            format!("{connections} connections, silent for {} s", time.as_secs_f64())
        }
    };
    let repetitions = numbers::counted(workload.repetitions as usize, "repetition");
    let is_sliceable = workload.load().is_some_and(|load| measure::is_sliceable(load).unwrap_or(false));
    let in_slices = workload.repetitions_in_slices();
    let state = match lacking_cores(layout, workload) {
        None if is_sliceable && in_slices != workload.repetitions => {
            format!("{repetitions}, or {in_slices} in slices")
        }
        None => repetitions,
        Some(cores) => styled(BAD, &format!("unavailable: from {cores} cores on")),
    };
    vec![format!("  {}", workload.name), workload.title.clone(), how, state]
}

/// Returns the number of cores that a workload needs; `None` if the machine has enough.
fn lacking_cores(layout: &Layout, workload: &Workload) -> Option<usize> {
    let cores = workload.server_cores?;
    layout.scaled(cores).is_none().then_some(2 * cores)
}

fn tool_row(host: &Host, tool: &dyn Tool) -> Vec<String> {
    let state = match tools::available(host, tool) {
        Ok(version) => styled(GOOD, &format!("available: {version}")),
        Err(why) => styled(BAD, &format!("unavailable: {why}")),
    };
    vec![tool.name().to_owned(), state]
}
