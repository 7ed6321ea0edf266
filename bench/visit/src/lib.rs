//! `visit`, a load tool for HTTP servers: see `visit --help` and README.md.
//!
//! ```text
//! arguments → plan → one worker per thread (schedule, connections, check) → tally → report → JSON
//!                      ↑ orders: open, load
//!                    the plan's one slice, now or at --start-at, or the commands of --control
//! ```
//!
//! Every answer is checked whole, an open loop measures latency from the time at which a request
//! was due, and the output has whole histograms, so that runs can be merged.
//!
//! Each thread has its own poll, through `mio`, and a part of the connections. Nothing is allocated
//! for an answer that equals the last right one, and a request costs a write, a read and its part
//! of a wait: events are edge-triggered, so no event has to be registered again.
//!
//! A program that runs `visit` needs only the crate [`visit_output`]; this one is for the binary.
//! The feature `testing` exports the invariants that the fuzzer checks.
#![allow(clippy::indexing_slicing, reason = "indices are its own, and a mistake in it ends no server")]

mod amount;
mod arguments;
mod check;
mod clock;
mod connection;
mod control;
mod details;
mod field;
mod head;
mod http2;
mod input;
mod kind;
mod mix;
mod plan;
mod poisson;
mod print;
mod queue;
mod report;
mod requests;
mod schedule;
mod series;
mod spacing;
mod start;
mod start_at;
mod summary;
mod tally;
mod threads;
mod timer;
mod tls;
mod worker;

#[cfg(any(test, feature = "testing"))]
pub use http2::invariants;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use visit_output::{Report, Share};

pub use arguments::Arguments;
pub use field::Field;
pub use kind::RequestKind;
pub use spacing::Spacing;
pub use start_at::StartAt;
pub use tls::Cipher;

use plan::Plan;
use print::{INTERRUPTED, USAGE};
use report::{Ending, Measured};
use schedule::ThreadShare;
use tally::Tally;
use threads::Threads;
use worker::{LoadSlice, Worker};

/// Descriptors besides those of connections and threads: standard streams, the lookup of a name.
const OTHER_DESCRIPTORS: u64 = 64;

/// Makes the load that the arguments describe and prints the result. Returns the exit code.
pub fn run(arguments: &Arguments) -> ExitCode {
    let plan = match Plan::new(arguments) {
        Ok(plan) => plan,
        Err(error) => return fail(&error, ExitCode::from(USAGE)),
    };
    let loaded = match plan.is_plain() {
        true => load::<true>(&plan),
        false => load::<false>(&plan),
    };
    match loaded.and_then(|(report, ending)| print::report(&report, &ending, arguments.quiet)) {
        Ok(code) => code,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

fn fail(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    anstream::eprintln!("error: {error:#}");
    code
}

/// Makes the load of the plan. `PLAIN` is HTTP/1.1 without TLS.
fn load<const PLAIN: bool>(plan: &Plan) -> anyhow::Result<(Report, Ending)> {
    let interrupted = watch_signals()?;
    allow_descriptors(plan.own_connections() + OTHER_DESCRIPTORS + 2 * u64::from(plan.threads))?;
    let share = |thread| ThreadShare { process: plan.process(), thread };
    // All workers are created before any thread starts: the kernel may refuse descriptors.
    let workers: Vec<Worker<PLAIN>> = Share::all(plan.threads)
        .map(|thread| Worker::new(plan, share(thread), &interrupted))
        .collect::<anyhow::Result<_>>()?;
    let queue_before = queue::read();
    let measured = std::thread::scope(|scope| {
        let threads = Threads::start(scope, plan, workers);
        let measured = if plan.control {
            control::measure(plan, &threads, &interrupted)
        } else {
            measure(plan, &threads, &interrupted)
        };
        // The threads are joined after an error too, since one may have panicked.
        let unmeasured = threads.finish();
        let mut measured = measured?;
        measured.tally.add_unmeasured(unmeasured?)?;
        anyhow::Ok(measured)
    })?;
    let queue = queue::read().zip(queue_before).map(|(after, before)| after.since(before));
    Ok((report::report(plan, &measured, queue)?, measured.ending))
}

/// Returns a flag that the first signal sets. A second signal ends the process.
fn watch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order the first signal finds the flag unset, and only a second one exits.
        let flag = Arc::clone(&interrupted);
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED.into(), flag)
            .context("cannot watch for signals")?;
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot watch for signals")?;
    }
    Ok(interrupted)
}

/// Opens the connections and makes the one slice that the arguments describe.
fn measure(plan: &Plan, threads: &Threads, interrupted: &AtomicBool) -> anyhow::Result<Measured> {
    let Plan { warm_up, amount, .. } = *plan;
    let (open, start) = start::prepare(plan, threads, interrupted)?;
    let start_at = match start {
        Ok(start_at) => start_at,
        Err(ending) => {
            return Ok(Measured { warm_up, amount, tally: Tally { open, ..Tally::default() }, ending });
        }
    };
    let tally = Tally { open, ..threads.load(LoadSlice { start_at, warm_up, amount })? };
    let ending = if tally.stopped.is_some() { Ending::Interrupted } else { Ending::Complete };
    Ok(Measured { warm_up, amount, tally, ending })
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
