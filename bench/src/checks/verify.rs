//! Does a server answer as its manifest says? All cases of [`conformance`], or a few before a run.
//!
//! `bench verify` and a measurement count the same cases in the same way ([`Verification::count`]):
//! a case counts as passed when it passes sent as a whole. A case that the manifest lists as flaky
//! is counted apart, since one run says nothing about the next. `bench verify --conformance` also
//! sends the short cases split after each of their bytes. That takes ten times as long, so that a
//! measurement does not; a case that fails only when split is therefore reported, and not counted.

mod findings;
mod verification;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::machine::host::Host;
use crate::servers::identity::{Identity, ServerFlags};
use crate::servers::launch;
use crate::servers::server::Server;
use crate::servers::stream::wire;
use crate::servers::workload::{Mode, Workload};
use crate::store::record::Protocol;
use crate::tools::{self, Tool};
use conformance::{Case, CaseResult, Expected, Outcome, Run};
use conformance::{Settings, Target, Timeouts, Watch};

pub use findings::Findings;
pub use verification::Verification;

/// Timeouts for the cases that wait for them, and the flags that set them. Six tenths of the idle
/// timeout are clearly longer than the head timeout by a clock of whole seconds, so that a server
/// that takes one for the other fails on every run.
const SHORT: Timeouts = Timeouts { head: Duration::from_secs(1), idle: Duration::from_secs(4) };
const SHORT_FLAGS: [&str; 4] = ["--head-timeout", "1", "--idle-timeout", "4"];
/// Beside them where the server has that limit, for a client that leaves no room for an answer.
const SHORT_WRITE: [&str; 2] = ["--write-timeout", "4"];

/// The response timeout of known failures. Most of them are requests that the server never answers.
const KNOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The response timeout of a server that already runs, and the time for all its cases: one that
/// answers nothing takes no longer.
const ATTACHED_TIMEOUT: Duration = Duration::from_secs(2);
const ATTACHED_TIME: Duration = Duration::from_secs(600);

/// Which cases to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The endpoint's own cases: does the server say what it should?
    Endpoint,
    /// All cases, each as a whole.
    Cases,
    /// All cases, the short ones also split after each of their bytes.
    Splits,
}

/// What to ask a server.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is spoken.
    pub protocol: Protocol,
    /// Which cases to send.
    pub depth: Depth,
    /// What they ask for.
    pub target: Target,
    /// Only these cases by name, of which `*` stands for any part; all where there are none.
    pub only: Vec<String>,
}

impl Question {
    /// The cases of this depth, about the greeting.
    pub fn new(depth: Depth) -> Self {
        Self { protocol: Protocol::Http1, depth, target: Target::Greeting, only: Vec::new() }
    }

    /// The cases that it names and that fit the target. Fails where a name is that of no case.
    pub fn cases(&self) -> anyhow::Result<Vec<Case>> {
        let chosen = conformance::select(&cases(self.protocol, self.depth), &self.only, &self.target);
        chosen.map_err(|error| anyhow!("--only: {error}; `bench list cases` has all"))
    }
}

/// Starts a server that is built, sends it the cases, and stops it. Cases that wait for its
/// timeouts are sent to a second process with short ones, or not at all if it has no flags for
/// them. A server that passes none of the endpoint's own cases is sent no others; a floor is sent
/// cases of its own. Calls `progress` with the number of cases that were sent and of all. Fails when
/// the server cannot be started, or does not exit with 0 on SIGTERM.
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

/// Before a run: sends the workload's own request, whose answer has to be right byte for byte, then
/// a burst of requests at once, unless the server is known to fail it. A server that closes
/// each connection after an answer, or does not pipeline, passes. A floor is sent the
/// workload's request repeatedly. Fails when an answer is wrong, or the server keeps a connection
/// whose end the load tool leaves to it.
pub fn before_timing(address: SocketAddr, workload: &Workload, server: &Server) -> anyhow::Result<()> {
    let path = &workload.path;
    let answer = Expected::body(workload.answer.clone());
    if server.is_floor {
        let cases = conformance::floor_cases(path, &address.to_string(), answer);
        let fails = |case: &Case| check(address, case, &format!("GET {path}, {}", case.name));
        return cases.iter().try_for_each(fails);
    }
    // Such a tool would send its next request over a connection that the server keeps.
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

/// Sends the cases to a process of their own. Known failures come last, with a shorter timeout.
fn send(
    host: &Host,
    server: &Server,
    flags: &[&str],
    cases: &[Case],
    settings: &Settings,
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Run> {
    let running = launch::start(host, server, &[], flags)?;
    let (known, others): (Vec<Case>, Vec<Case>) =
        cases.iter().cloned().partition(|case| server.known_failure(case.name).is_some());
    let is_stopped = || host.interrupted();
    let watch = Watch { progress, is_stopped: &is_stopped };
    let run = conformance::run(running.address, &others, settings, &watch);
    let response_timeout = settings.response_timeout.min(KNOWN_TIMEOUT);
    let settings = Settings { response_timeout, ..*settings };
    let watch = Watch { progress: &|sent| progress(others.len() + sent), is_stopped: &is_stopped };
    let mut run = run.and(conformance::run(running.address, &known, &settings, &watch));
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
