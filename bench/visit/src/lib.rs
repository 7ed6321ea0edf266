//! `visit`, a load tool for HTTP/1.1 servers: see `visit --help` and README.md.
//!
//! ```text
//! arguments → plan → one worker per thread (schedule, connections, check) → tally → report → JSON
//! ```
//!
//! Every answer is checked whole, an open loop measures latency from the time at which a request
//! was due, and the output has whole histograms, so that runs can be merged.
//!
//! Each thread has its own poll, through `mio`, and a part of the connections. Nothing is allocated
//! for an answer that equals the last right one, and a request costs a write, a read and its part
//! of a wait: events are edge-triggered, so no event has to be registered again.
//!
//! A program that runs `visit` needs [`output`] alone; the rest is for the binary.
#![allow(clippy::indexing_slicing, reason = "indices are its own, and a mistake in it ends no server")]

mod arguments;
mod check;
mod connection;
mod mode;
pub mod output;
mod plan;
mod queue;
mod report;
mod requests;
mod schedule;
mod summary;
mod tally;
mod timer;
mod worker;

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier, OnceLock};

use anyhow::{Context, anyhow, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

pub use arguments::Arguments;
pub use mode::Mode;

use output::{Queue, Report};
use plan::Plan;
use schedule::ThreadShare;
use tally::Tally;
use worker::Worker;

/// Descriptors besides the connections: standard streams, polls, timers, the lookup of a name.
const OTHER_DESCRIPTORS: u64 = 64;

/// Exit code of a wrong argument, the same as that of `clap`.
const USAGE: u8 = 2;

/// Exit code of an interruption, as a shell reports SIGINT.
const INTERRUPTED: u8 = 130;

/// Makes the load that the arguments describe and prints the result. Returns the exit code.
pub fn run(arguments: &Arguments) -> ExitCode {
    let plan = match Plan::new(arguments) {
        Ok(plan) => plan,
        Err(error) => return fail(&error, ExitCode::from(USAGE)),
    };
    match load(&plan).and_then(|report| print(&report, arguments.quiet)) {
        Ok(code) => code,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

fn fail(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    anstream::eprintln!("error: {error:#}");
    code
}

fn load(plan: &Plan) -> anyhow::Result<Report> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order, so that only a second signal exits: the flag is not yet set.
        let flag = Arc::clone(&interrupted);
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED.into(), flag)
            .context("cannot watch for signals")?;
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot watch for signals")?;
    }
    allow_descriptors(u64::from(plan.connections) + OTHER_DESCRIPTORS + 2 * u64::from(plan.threads))?;
    // None sends before every connection of every thread is open, and one clock is for all.
    let (barrier, began) = (Barrier::new(plan.threads as usize), OnceLock::new());
    let share = |thread| ThreadShare { thread, threads: plan.threads };
    // All workers before the first thread: after an error no thread is left waiting at the barrier.
    let workers: Vec<Worker> = (0..plan.threads)
        .map(|thread| Worker::new(plan, share(thread), &interrupted))
        .collect::<anyhow::Result<_>>()?;
    let queue_before = Queue::read();
    let tallies: Vec<anyhow::Result<Tally>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            workers.into_iter().map(|worker| scope.spawn(|| worker.run(&barrier, &began))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<_>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        };
        threads.into_iter().map(join).collect()
    });
    let queue = Queue::read().zip(queue_before).map(|(after, before)| after.since(before));
    let mut total = Tally::default();
    for tally in tallies {
        total.add(tally?)?;
    }
    let began = *began.get().context("the clock was not started")?;
    Ok(report::report(plan, began, &total, queue))
}

/// Raises the limit of open descriptors as far as needed. Fails when the hard limit is too low.
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

/// Prints the JSON on standard output and the summary on standard error. Returns the exit code.
fn print(report: &Report, quiet: bool) -> anyhow::Result<ExitCode> {
    let mut line = serde_json::to_string(report).context("cannot write the report")?;
    line.push('\n');
    std::io::stdout().lock().write_all(line.as_bytes()).context("cannot write to standard output")?;
    if !quiet {
        anstream::eprint!("{}", summary::text(report));
    }
    let failure = match (&report.mismatch, report.answered) {
        (Some(mismatch), _) => Some(format!("a wrong answer, so this run is invalid: {mismatch}")),
        (None, 0) => Some("no request was answered with a 2xx status".to_owned()),
        (None, _) => None,
    };
    if let Some(failure) = &failure {
        anstream::eprintln!("error: {failure}");
    }
    Ok(match failure {
        _ if report.interrupted => ExitCode::from(INTERRUPTED),
        Some(_) => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    })
}
