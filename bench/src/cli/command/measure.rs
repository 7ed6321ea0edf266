//! `bench measure`: runs workloads on servers, records each run, and prints the report.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Parser;

use super::report::write_report;
use super::{Coverage, Outcome, note, print, read_checkout};
use crate::analysis::looks::LOOKS;
use crate::cli::cross_check::CrossCheck;
use crate::cli::value::Slices;
use crate::cli::{Arguments, Arrivals, Command, Label, Measure};
use crate::machine::Machine;
use crate::machine::assignment::{Choice, Layout};
use crate::machine::conflict::conflicts;
use crate::machine::host::{self, AttachedProcess, Host};
use crate::machine::sides::Sides;
use crate::measure::{Control, Measurement, Tally, Until};
use crate::report;
use crate::report::document::Document;
use crate::report::format::Format;
use crate::servers::checkout::Checkout;
use crate::servers::server::{Attached, Server};
use crate::servers::workload::{Limit, Load, Task, Workload};
use crate::servers::{client, install};
use crate::store::record::Record;
use crate::store::results::{self, Loaded, Results};
use crate::text::names;
use crate::text::numbers;
use crate::text::progress::Progress;
use crate::tools::{self, Tool};

pub(super) fn run(root: Option<&Path>, arguments: &Measure) -> anyhow::Result<Outcome> {
    // Workloads may open thousands of connections. Servers and load tools inherit the limit.
    host::raise_descriptor_limit()?;
    let progress = Progress::new(arguments.quiet);
    match &arguments.resume {
        None => begin(root, arguments, &progress),
        Some(folder) => resume(root, folder, &progress),
    }
}

fn begin(root: Option<&Path>, arguments: &Measure, progress: &Progress) -> anyhow::Result<Outcome> {
    let setup = &arguments.setup;
    let testbed = Testbed::read(root, arguments, &chosen(arguments), progress)?;
    let machine = testbed.machine(setup.seed.unwrap_or_else(|| fastrand::u64(..)))?;
    measure(&testbed, arguments, machine.seed, progress, || {
        let folder =
            setup.out.clone().unwrap_or_else(|| testbed.checkout.results().join(machine.folder_name()));
        Ok((Results::create(&folder, &machine)?, Vec::new()))
    })
}

/// Continues an interrupted measurement with the command line in its `machine.json`.
fn resume(root: Option<&Path>, folder: &Path, progress: &Progress) -> anyhow::Result<Outcome> {
    let machine = results::machine(folder).context("--resume")?;
    let other = || {
        let command = machine.command.join(" ");
        format!("--resume: {}: `{command}` is not a command that can be resumed", folder.display())
    };
    let begun = Arguments::try_parse_from(&machine.command).ok().with_context(other)?;
    let Command::Measure(arguments) = &begun.command else { bail!(other()) };
    let choice = if arguments.hosts.are_none() {
        let (server, tool) = (Some(machine.server_cores.clone()), Some(machine.tool_cores.clone()));
        Choice { server, tool, smt: arguments.setup.smt }
    } else {
        // Load hosts may have different cores, so the recorded ones do not apply to all of them.
        chosen(arguments)
    };
    let testbed = Testbed::read(root.or(begun.root.as_deref()), arguments, &choice, progress)?;
    measure(&testbed, arguments, machine.seed, progress, || {
        let (results, loaded) = Results::resume(folder).context("--resume")?;
        if let Some(torn) = loaded.torn {
            progress.warn(&torn);
        }
        Ok((results, loaded.records))
    })
}

/// The cores that the user chose.
fn chosen(arguments: &Measure) -> Choice {
    let setup = &arguments.setup;
    Choice { server: setup.server_cores.clone(), tool: setup.tool_cores.clone(), smt: setup.smt }
}

/// What is measured, and where.
pub(super) struct Testbed {
    pub(super) checkout: Checkout,
    pub(super) sides: Sides,
    pub(super) layout: Layout,
}

/// A measurement that was made.
pub(super) struct Completed {
    pub(super) tally: Tally,
    pub(super) loaded: Loaded,
    /// The path of the report's page.
    pub(super) page: PathBuf,
}

impl Testbed {
    /// Reads the checkout, `--server-dir` and `--address`, and connects to the hosts.
    fn read(
        root: Option<&Path>,
        arguments: &Measure,
        choice: &Choice,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let setup = &arguments.setup;
        let checkout = read_checkout(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
        let here = Arc::new(Host::this_machine(checkout.tools())?);
        let (sides, layout) = if arguments.hosts.are_none() {
            let layout = Layout::here(choice)?;
            (Sides::here(here, &layout), layout)
        } else {
            Sides::connect(here, &arguments.hosts.names(&checkout.root), choice)?
        };
        let label = setup.address.zip(setup.label.as_ref());
        let attached = label.map(|(address, label)| attached(address, setup.pid, label, &layout, progress));
        Ok(Self { checkout: checkout.with_attached(attached.transpose()?)?, sides, layout })
    }

    /// Reads the server's machine, and the machines of the load if they are different hosts.
    pub(super) fn machine(&self, seed: u64) -> anyhow::Result<Machine> {
        let machine = self.sides.server().machine(&self.layout, seed)?.by_this_command();
        let hosts = self.sides.are_apart().then(|| self.sides.machines()).transpose()?;
        Ok(Machine { hosts, ..machine })
    }
}

/// The server of `--address`. Fails when it accepts no connection, or `--pid` is not its process.
fn attached(
    address: SocketAddr,
    pid: Option<i32>,
    label: &Label,
    layout: &Layout,
    progress: &Progress,
) -> anyhow::Result<Server> {
    client::check_accepts(address).context("--address")?;
    let process = match pid {
        None => {
            progress.warn(&format!("{}: without --pid its CPU time and memory are unknown", label.name));
            None
        }
        Some(_) if !host::is_here(address.ip()) => {
            bail!("--pid: {address} is on another machine: leave --pid out, and its CPU time stays unknown")
        }
        Some(pid) => {
            let process = AttachedProcess::find(pid).context("--pid")?;
            if process.listens_at(address.port()) == Some(false) {
                bail!("--pid {pid}: neither this process nor a child of it listens at {address}");
            }
            let Layout { topology, cores } = layout;
            let own = process.cores().unwrap_or_default();
            for conflict in conflicts(topology, &own, &cores.tool).iter().filter(|one| one.is_severe()) {
                progress.warn(&format!("{}: {conflict}", label.name));
            }
            let shared: Vec<usize> = own.into_iter().filter(|core| cores.tool.contains(core)).collect();
            if !shared.is_empty() {
                progress.warn(&format!(
                    "{} may use {} of the load tool, and each slows the other down: \
                     `taskset --all-tasks --cpu-list --pid {} {pid}` keeps it on the servers' cores",
                    label.name,
                    numbers::cores(&shared),
                    // The list format of `taskset`.
                    cores.server.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
                ));
            }
            Some(process)
        }
    };
    let Label { name, version } = label.clone();
    Ok(Server::attached(name, Attached { address, process, version }))
}

/// Measures what the arguments say, and prints the report.
fn measure(
    testbed: &Testbed,
    arguments: &Measure,
    seed: u64,
    progress: &Progress,
    open: impl FnOnce() -> anyhow::Result<(Results, Vec<Record>)>,
) -> anyhow::Result<Outcome> {
    let Testbed { checkout, sides, layout } = testbed;
    let show = |_: &Loaded, document: &Document| {
        print(&Format::Table.render(document, report::terminal_width())?).map(drop)
    };
    let Completed { tally, loaded, page } = run_and_report(testbed, arguments, seed, progress, open, show)?;
    if tally.interrupted {
        let folder = page.ancestors().nth(2).unwrap_or(&page);
        note(&format!("resume:  bench measure --resume {}", folder.display()));
    }
    Ok(match tally {
        // This includes an interruption of the report, after the last run.
        _ if sides.harness().interrupted() => Outcome::Interrupted,
        Tally { failed: 0, .. } => {
            let servers = checkout.choose_servers(&arguments.chosen.servers)?;
            let (workloads, _) = workloads(checkout, arguments, sides.are_apart(), seed)?;
            let has_cores = |workload: &&Workload| {
                let fits = |count| match sides.are_apart() {
                    true => count <= layout.cores.server.len(),
                    false => layout.scaled(count).is_some(),
                };
                workload.server_cores.is_none_or(fits)
            };
            let possible: Vec<&Workload> = workloads.iter().filter(has_cores).collect();
            complete(&servers, &possible, &arguments.chosen.servers, &loaded.records)
        }
        Tally { .. } => Outcome::Failed,
    })
}

/// Measures what the arguments say, and writes the report. `open` returns the result folder and the
/// records that it already has; `show` prints the report.
pub(super) fn run_and_report(
    testbed: &Testbed,
    arguments: &Measure,
    seed: u64,
    progress: &Progress,
    open: impl FnOnce() -> anyhow::Result<(Results, Vec<Record>)>,
    show: impl FnOnce(&Loaded, &Document) -> anyhow::Result<()>,
) -> anyhow::Result<Completed> {
    let Testbed { checkout, sides, layout } = testbed;
    let servers = checkout.choose_servers(&arguments.chosen.servers)?;
    let (workloads, unchecked) = workloads(checkout, arguments, sides.are_apart(), seed)?;
    unchecked.iter().for_each(|sentence| progress.warn(sentence));
    let control = match arguments.setup.control.as_deref() {
        None => Control::Best,
        Some("none") => Control::Off,
        Some(name) => {
            let server = names::find("server", name, &servers, |server| &server.name).context("--control")?;
            if server.is_floor {
                bail!("--control {name}: it is a floor, not a server: name a server, or `none`");
            }
            Control::Named(server.name.clone())
        }
    };
    if !sides.are_apart() {
        if layout.cores.shared() {
            progress.warn("servers and load tool share a core, so that each slows the other down");
        }
        layout.conflicts().iter().for_each(|conflict| progress.warn(&conflict.to_string()));
    }
    if arguments.chosen.install {
        install::missing(sides.server(), &servers, !progress.is_quiet(), |line| progress.note(line));
    }
    let reports = |tool| tools::find(tool).is_ok_and(Tool::reports_series);
    if arguments.setup.series && !workloads.iter().any(|workload| reports(workload.tool())) {
        bail!("--series: none of these workloads is a load by `visit`, which alone reports one");
    }
    let (mut results, done) = open()?;
    results.warning().iter().for_each(|warning| progress.warn(warning));
    refuse_other_workloads(&workloads, &done)?;

    let (servers, workloads) = (&servers, &workloads);
    let attempts = arguments.setup.attempts;
    let until = arguments.setup.until.map(|width| Until { width, budget: arguments.setup.budget });
    let folder = results.folder().to_owned();
    let after_repetition = |workload: &Workload, repetition| {
        let is_look = until.is_some() && LOOKS.contains(&repetition);
        if repetition == 1 || is_look || repetition == workload.repetitions {
            show_preliminary(&folder, workload, progress);
        }
    };
    let measurement = Measurement {
        sides,
        layout,
        seed,
        servers,
        control,
        workloads,
        until,
        attempts,
        series: arguments.setup.series,
        progress,
        after_repetition: &after_repetition,
    };
    let kept = || format!("what was measured is kept in {}", folder.display());
    let tally = measurement.run(&mut results, done).with_context(kept)?;

    let loaded = results::load(&folder)?;
    let document = report::document_with(&loaded, arguments.setup.rules);
    // The error of writing is returned only after the report is printed: neither a full disk nor a
    // closed terminal prevents the other output.
    let page = write_report(&folder, &document);
    show(&loaded, &document)?;
    let page = page.with_context(kept)?;
    if !progress.is_quiet() {
        note(&format!("\nrecords: {}\nreport:  {}", folder.display(), page.display()));
    }
    Ok(Completed { tally, loaded, page })
}

/// Returns `Outcome::Fine` if every workload has figures, and every server that the user named has
/// figures under each workload; otherwise `Outcome::Unknown`.
fn complete(servers: &[&Server], workloads: &[&Workload], named: &[String], records: &[Record]) -> Outcome {
    let mut coverage = Coverage { has_results: !workloads.is_empty(), ..Coverage::default() };
    for workload in workloads {
        let is_its = |run: &&Record| {
            run.workload.name == workload.name && run.tool.name == workload.tool() && run.is_measured()
        };
        let measured: HashSet<&str> =
            records.iter().filter(is_its).map(|run| run.server.name.as_str()).collect();
        coverage.has_results &= !measured.is_empty();
        for server in servers.iter().filter(|server| !measured.contains(server.name.as_str())) {
            coverage.record_missing(server, named);
        }
    }
    coverage.outcome(true)
}

/// The factor by which `--brief` shortens loads.
const BRIEF: u32 = 3;

/// Returns the chosen workloads with the changes that the arguments ask for, each followed by its
/// copy under the tool of `--cross-check`, and sentences about the workloads without a copy.
/// Between hosts (`are_apart`) runs are not divided into slices: a slice would be as short as the
/// differences between the hosts' clocks and links. Fails when a name is unknown.
fn workloads(
    checkout: &Checkout,
    arguments: &Measure,
    are_apart: bool,
    seed: u64,
) -> anyhow::Result<(Vec<Workload>, Vec<String>)> {
    let mut check = arguments.setup.cross_check.as_deref().map(CrossCheck::new).transpose()?;
    let mut workloads = Vec::new();
    let chosen = checkout.choose_workloads(&arguments.setup.workloads)?;
    for mut workload in with_limits(chosen, &arguments.setup.limit)? {
        if let Task::Load(load) = &mut workload.task {
            change(load, arguments, are_apart, seed)?;
        }
        match (arguments.setup.until, arguments.setup.repetitions) {
            (Some(_), _) if Until::applies_to(&workload) => workload.repetitions = Until::MOST,
            (_, Some(repetitions)) => workload.repetitions = repetitions,
            _ => workload.divide_repetitions(),
        }
        let copy = check.as_mut().map(|check| check.copy(&workload)).transpose()?.flatten();
        workloads.push(workload);
        workloads.extend(copy);
    }
    Ok((workloads, check.map(CrossCheck::left_out).transpose()?.unwrap_or_default()))
}

/// Changes a load as the arguments say. Fails when its tool is unknown.
fn change(load: &mut Load, arguments: &Measure, are_apart: bool, seed: u64) -> anyhow::Result<()> {
    if let Some(tool) = &arguments.setup.tool {
        load.tool.clone_from(tool);
    }
    if arguments.setup.arrivals == Arrivals::Poisson && load.rate.is_some() {
        load.poisson = Some(seed);
    }
    if let Slices::Of(slice) = arguments.setup.slices
        && !are_apart
        && is_sliceable(load)?
    {
        load.slice = Some(slice);
        if arguments.setup.brief {
            load.shorten(BRIEF);
        }
    }
    Ok(())
}

/// Whether a load can be measured in slices by its tool. Fails when the tool is unknown.
pub(super) fn is_sliceable(load: &Load) -> anyhow::Result<bool> {
    Ok(tools::find(&load.tool)?.sliced().is_some() && load.is_sliceable())
}

/// Replaces the limits in the workloads' files by `limits`: each search, and each workload that
/// follows a search, is repeated per limit. Fails when no workload searches.
fn with_limits(workloads: Vec<Workload>, limits: &[Limit]) -> anyhow::Result<Vec<Workload>> {
    if limits.is_empty() {
        return Ok(workloads);
    }
    if !workloads.iter().any(Workload::searches) {
        bail!("--limit: none of these workloads searches for a limit, as those of `capacity` do");
    }
    let (searches, mut others): (Vec<Workload>, Vec<Workload>) =
        workloads.into_iter().partition(|workload| workload.searches() || workload.follows_a_search());
    for limit in limits {
        others.extend(searches.iter().map(|workload| workload.with_limit(*limit, limits.len() > 1)));
    }
    Ok(others)
}

/// Fails when a workload differs from the recorded one of the same name: their runs do not belong
/// in one cell.
fn refuse_other_workloads(workloads: &[Workload], done: &[Record]) -> anyhow::Result<()> {
    for workload in workloads {
        let record = workload.record();
        if done.iter().any(|run| run.workload.name == record.name && run.workload != record) {
            bail!("--resume: the workload {} has changed since: begin a new measurement", record.name);
        }
    }
    Ok(())
}

/// Shows a preliminary table of a workload, while the measurement still runs.
fn show_preliminary(folder: &Path, workload: &Workload, progress: &Progress) {
    match results::load(folder) {
        Ok(Loaded { mut records, .. }) => {
            let is_its =
                |run: &Record| run.workload.name == workload.name && run.tool.name == workload.tool();
            records.retain(is_its);
            let tables = report::preliminary(&records, progress.width());
            progress.show(&format!("\n{tables}"));
        }
        Err(error) => progress.warn(&format!("no preliminary table: {error:#}")),
    }
}
