//! `visit`, a load tool of our own, which `cargo` alone brings: see `visit --help`.
//!
//! ```text
//! arguments → plan → a worker a thread (schedule, connections, check) → tally → report → JSON
//! ```
//!
//! It is a program like other load tools, and the harness knows it as one of them, by its arguments and its output
//! (`tool/visit.rs`). What sets it apart: every answer is checked whole, the open loop counts latency from when a request
//! was due, and the histograms are in the output, so that runs can be merged.
//!
//! A thread has a poll of its own, through `mio`, and a share of the connections. Nothing is allocated a request, and a
//! request costs a write, a read, and its share of a wait: events are edge-triggered, so none is ever set anew.

mod arguments;
mod check;
mod chunks;
mod connection;
mod gate;
mod head;
mod numbers;
mod packed;
mod plan;
mod report;
mod schedule;
mod script;
mod summary;
mod tally;
mod timer;
mod times;
mod worker;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

pub use arguments::Arguments;
pub use plan::Mode;
pub use report::{Asked, Rate, Report, version};
pub use tally::Errors;
pub use times::{Times, TimesReport};

use gate::Gate;
use plan::Plan;
use schedule::Share;
use tally::Tally;
use worker::Worker;

/// Descriptors besides those of the connections: standard streams, polls, timers and a name's lookup.
const OTHER_DESCRIPTORS: u64 = 64;

/// An argument is wrong, as for `clap`.
const USAGE: u8 = 2;

/// Does what the arguments say.
pub fn run(arguments: &Arguments) -> ExitCode {
    let plan = match Plan::new(arguments) {
        Ok(plan) => plan,
        Err(error) => return complain(&error, ExitCode::from(USAGE)),
    };
    match load(arguments, &plan).and_then(|report| print(&report, arguments.quiet)) {
        Ok(code) => code,
        Err(error) => complain(&error, ExitCode::FAILURE),
    }
}

fn complain(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    anstream::eprintln!("error: {error:#}");
    code
}

/// Loads the server; what came of it.
fn load(arguments: &Arguments, plan: &Plan) -> anyhow::Result<Report> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal is not yet seen by the one that exits.
        let watched = Arc::clone(&interrupted);
        signal_hook::flag::register_conditional_shutdown(signal, 130, watched)
            .context("cannot watch for signals")?;
        let watched = Arc::clone(&interrupted);
        signal_hook::flag::register(signal, watched).context("cannot watch for signals")?;
    }
    allow_descriptors(u64::from(plan.connections) + OTHER_DESCRIPTORS + 2 * u64::from(plan.threads))?;
    let gate = Gate::new(plan.threads);
    let share = |thread| Share { thread, threads: plan.threads };
    // All of them first: one that cannot be made would leave the others waiting at the gate.
    let workers: Vec<Worker> = (0..plan.threads)
        .map(|thread| Worker::new(plan, share(thread), &interrupted))
        .collect::<anyhow::Result<_>>()?;
    let tallies: Vec<anyhow::Result<Tally>> = std::thread::scope(|scope| {
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| worker.run(&gate))).collect();
        let joined =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a thread died"))));
        joined.collect()
    });
    let mut whole = Tally::new()?;
    for tally in tallies {
        whole.add(tally?)?;
    }
    let began = gate.began().context("the clock was not started")?;
    Ok(Report::new(arguments, plan, began, &whole))
}

/// Raises the limit of open descriptors as far as is needed and allowed.
fn allow_descriptors(needed: u64) -> anyhow::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("cannot read the limit of descriptors")?;
    if needed > hard {
        bail!("--connections needs {needed} descriptors, and the limit is {hard}: raise it with `ulimit -n`");
    }
    if needed > soft {
        setrlimit(Resource::RLIMIT_NOFILE, needed, hard).context("cannot raise the limit of descriptors")?;
    }
    Ok(())
}

/// Prints the JSON, and for people a summary; what the run is worth.
fn print(report: &Report, quiet: bool) -> anyhow::Result<ExitCode> {
    let mut line = serde_json::to_string(report).context("cannot write the report")?;
    line.push('\n');
    std::io::stdout().lock().write_all(line.as_bytes()).context("cannot write to standard output")?;
    if !quiet {
        anstream::eprint!("{}", summary::text(report));
    }
    let why = match (&report.mismatch, report.answered) {
        (Some(mismatch), _) => Some(format!("a wrong answer, so this run is invalid: {mismatch}")),
        (None, 0) => Some("nothing was answered with 2xx".to_owned()),
        (None, _) => None,
    };
    if let Some(why) = &why {
        anstream::eprintln!("error: {why}");
    }
    Ok(match why {
        _ if report.interrupted => ExitCode::from(130),
        Some(_) => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    })
}
