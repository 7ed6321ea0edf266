//! Checks whether a server answers as its manifest says: with all cases of [`conformance`], or with
//! a few of them before a run.
//!
//! `bench verify` and a measurement count the same cases in the same way ([`Verification::count`]):
//! a case counts as passed if it passes when it is sent as a whole. A case that the manifest lists
//! as flaky is counted separately, since one run says nothing about the next. `bench verify
//! --conformance` also sends the short cases split after each of their bytes. That takes ten times
//! as long, so a measurement does not do it. A case that fails only when split is therefore
//! reported, but not counted as failed.

mod findings;
mod verification;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::machine::host::Host;
use crate::servers::identity::{Identity, ServerFlags};
use crate::servers::launch;
use crate::servers::server::{KnownFailure, Server};
use crate::servers::stream::wire;
use crate::servers::workload::{Mode, Workload};
use crate::store::record::Protocol;
use crate::tools::{self, Tool};
use conformance::{Case, CaseResult, Expected, Outcome, Run};
use conformance::{Settings, Target, Timeouts, Watch};

pub use findings::Findings;
pub use verification::Verification;

/// Timeouts for the cases that wait for them, and the flags that set them. Six tenths of the idle
/// timeout are clearly longer than the head timeout, even if the server's clock has whole seconds,
/// so that a server that confuses the two timeouts fails on every run.
const SHORT: Timeouts = Timeouts { head: Duration::from_secs(1), idle: Duration::from_secs(4) };
const SHORT_FLAGS: [&str; 4] = ["--head-timeout", "1", "--idle-timeout", "4"];
/// Further flags for a server with a write timeout, for cases in which the client leaves no room
/// for an answer.
const SHORT_WRITE: [&str; 2] = ["--write-timeout", "4"];

/// The response timeout of known failures. Most of them are requests that the server never answers.
const KNOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of times that a known failure is sent again while it does not fail as a whole: where the
/// result depends on the server's timing, one pass does not show that the failure is gone.
const TRIES: usize = 3;

/// The response timeout for a server that already runs, and the time for all of its cases, which
/// also bounds the time for a server that answers nothing.
const ATTACHED_TIMEOUT: Duration = Duration::from_secs(2);
const ATTACHED_TIME: Duration = Duration::from_secs(600);

/// Which cases to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The endpoint's own cases, which check what the server answers.
    Endpoint,
    /// All cases, each as a whole.
    Cases,
    /// All cases, the short ones also split after each of their bytes.
    Splits,
}

/// The cases to send to a server.
#[derive(Clone, Debug)]
pub struct Question {
    /// The protocol to use.
    pub protocol: Protocol,
    /// Which cases to send.
    pub depth: Depth,
    /// The target that the cases request.
    pub target: Target,
    /// The names of the cases to send, in which `*` stands for any text; empty for all cases.
    pub only: Vec<String>,
}

impl Question {
    /// All cases of this depth, over HTTP/1.1 and for the greeting.
    pub fn new(depth: Depth) -> Self {
        Self { protocol: Protocol::Http1, depth, target: Target::Greeting, only: Vec::new() }
    }

    /// Returns the named cases that fit the target. Fails when a name matches no case.
    pub fn cases(&self) -> anyhow::Result<Vec<Case>> {
        let chosen = conformance::select(&cases(self.protocol, self.depth), &self.only, &self.target);
        chosen.map_err(|error| anyhow!("--only: {error}; `bench list cases` has all"))
    }
}

/// Starts a server that is built, sends it the cases, and stops it. Cases that wait for the
/// server's timeouts are sent to another process with short timeouts, or not at all if the server
/// has no flags for them. A server that passes none of the endpoint's own cases is sent no others;
/// a floor is sent cases of its own. Calls `progress` with the number of cases that were sent and
/// the number of all cases. Fails when the server cannot be started, or does not exit with 0 on
/// SIGTERM.
pub fn verify(
    host: &Host,
    server: &Server,
    question: &Question,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> anyhow::Result<Verification> {
    let settings = Settings { splits: question.depth == Depth::Splits, ..Settings::default() };
    let verification = |run| Ok(Verification::new(run, server));
    let protocol = question.protocol;
    ensure!(server.protocols.contains(&protocol), "it does not speak {protocol}, by its manifest");
    if server.is_floor {
        let cases = conformance::floor_cases("/abc", "host", Expected::greeting("/abc"));
        return verification(send(host, server, &[], &cases, &settings, &|_| {})?);
    }
    let identity = protocol.is_encrypted().then(|| Identity::new(host.address())).transpose()?;
    let flags = ServerFlags::new(host, protocol, identity.as_ref())?;
    let flags = flags.words();
    let endpoint = wire(protocol).endpoint();
    let all = question.cases()?;
    let count = all.len();
    let (own, others): (Vec<Case>, Vec<Case>) = all.into_iter().partition(|case| case.subject() == endpoint);
    let (timing, others): (Vec<Case>, Vec<Case>) = others.into_iter().partition(Case::waits_for_timeouts);
    let mut run = Run::default();
    if !own.is_empty() {
        run = send(host, server, &flags, &own, &settings, &|sent| progress(sent, count))?;
        if others.is_empty() && timing.is_empty() || !run.results.iter().any(CaseResult::passed) {
            return verification(run);
        }
    }
    if !others.is_empty() {
        let before = own.len();
        run =
            run.and(send(host, server, &flags, &others, &settings, &|sent| progress(before + sent, count))?);
    }
    let has_timeouts = ["head-timeout", "idle-timeout"].iter().all(|limit| server.honours(limit));
    if has_timeouts && !timing.is_empty() {
        let (before, settings) = (own.len() + others.len(), Settings { timeouts: SHORT, ..settings });
        let of_write: &[&str] = if server.honours("write-timeout") { &SHORT_WRITE } else { &[] };
        let flags = [&SHORT_FLAGS, of_write, &flags].concat();
        let sent = send(host, server, &flags, &timing, &settings, &|sent| {
            progress(before + sent, count);
        });
        run = run.and(sent?);
    }
    verification(run)
}

/// Sends the cases to a server that already runs, except those that wait for its timeouts.
pub fn verify_attached(
    address: SocketAddr,
    question: &Question,
    is_stopped: &(dyn Fn() -> bool + Sync),
    progress: &(dyn Fn(usize, usize) + Sync),
) -> anyhow::Result<Verification> {
    let cases: Vec<Case> = question.cases()?.into_iter().filter(|case| !case.waits_for_timeouts()).collect();
    let settings = Settings {
        splits: question.depth == Depth::Splits,
        response_timeout: ATTACHED_TIMEOUT,
        time: Some(ATTACHED_TIME),
        ..Settings::default()
    };
    let watch = Watch { progress: &|sent| progress(sent, cases.len()), is_stopped };
    Ok(Verification::without_manifest(conformance::run(address, &cases, &settings, &watch)))
}

/// Checks a server before a run. Sends the workload's own request, whose answer has to be right
/// byte for byte, then a burst of requests at once, unless the server is known to fail it. A server
/// that closes each connection after an answer, or does not pipeline, passes. A floor is sent the
/// workload's request repeatedly. Fails when an answer is wrong, or when the server keeps a
/// connection that the load tool expects it to close.
pub fn before_timing(address: SocketAddr, workload: &Workload, server: &Server) -> anyhow::Result<()> {
    let path = &workload.path;
    let answer = Expected::body(workload.answer.clone());
    if server.is_floor {
        let cases = conformance::floor_cases(path, &address.to_string(), answer);
        let fails = |case: &Case| check(address, case, &format!("GET {path}, {}", case.name));
        return cases.iter().try_for_each(fails);
    }
    // A tool that leaves the close to the server would send its next request over a connection that
    // the server keeps.
    let closing = workload.load().filter(|load| load.mode == Mode::Close);
    let closing = closing.map(|load| tools::find(&load.tool)).transpose()?;
    let closes = closing.is_some_and(Tool::leaves_close_to_the_server);
    let wire = wire(workload.protocol());
    let case = wire.request(path, &address.to_string(), answer, closes);
    let what = if closes { ", whose connection has to be closed" } else { "" };
    check(address, &case, &format!("GET {path}{what}"))?;
    let mut bursts = wire.endpoint_cases().into_iter().filter(|case| case.name == wire.burst());
    match bursts.next().filter(|burst| server.known_failure(burst.name).is_none()) {
        Some(burst) => check(address, &burst, "a burst of requests"),
        None => Ok(()),
    }
}

fn cases(protocol: Protocol, depth: Depth) -> Vec<Case> {
    match depth {
        Depth::Endpoint => wire(protocol).endpoint_cases(),
        Depth::Cases | Depth::Splits => wire(protocol).cases(),
    }
}

/// Starts a process of the server, and sends it the cases. Known failures come last, with a shorter
/// timeout, except those that have to pass as a whole. A known failure counts as failed if it fails
/// in one of several tries.
fn send(
    host: &Host,
    server: &Server,
    flags: &[&str],
    cases: &[Case],
    settings: &Settings,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Run> {
    let running = launch::start(host, server, &[], flags)?;
    let may_fail = |case: &Case| server.known_failure(case.name).is_some_and(|failure| !failure.only_split);
    let (known, others): (Vec<Case>, Vec<Case>) = cases.iter().cloned().partition(may_fail);
    let always_fails = |case: &Case| server.known_failure(case.name).is_some_and(KnownFailure::is_certain);
    let is_stopped = || host.interrupted();
    let watch = Watch { progress, is_stopped: &is_stopped };
    let run = conformance::run(running.address, &others, settings, &watch);
    let response_timeout = settings.response_timeout.min(KNOWN_TIMEOUT);
    let settings = Settings { response_timeout, ..*settings };
    let watch = Watch { progress: &|sent| progress(others.len() + sent), is_stopped: &is_stopped };
    let mut run = run.and(conformance::run(running.address, &known, &settings, &watch));
    let (watch, whole) = (Watch { progress: &|_| {}, ..watch }, Settings { splits: false, ..settings });
    for _ in 0..TRIES {
        let again = known.iter().filter(|case| always_fails(case) && run.passes_whole(case.name));
        let again: Vec<Case> = again.cloned().collect();
        if again.is_empty() {
            break;
        }
        run.replace_failed(conformance::run(running.address, &again, &whole, &watch));
    }
    let ended = running.stop()?;
    let (status, words) = (ended.status, ended.last_words());
    let is_told = host.interrupted() || !run.gone_at.is_empty();
    ensure!(status.success() || is_told, "the server ended with {status} on SIGTERM{words}");
    run.results.sort_by_key(|result| cases.iter().position(|case| case.name == result.case));
    Ok(run)
}

fn check(address: SocketAddr, case: &Case, what: &str) -> anyhow::Result<()> {
    match conformance::check(address, case, &Settings::default()) {
        Outcome::Failed(failure) => Err(anyhow!("{what}: {failure}")),
        Outcome::Passed | Outcome::NotAsked(_) => Ok(()),
    }
}
