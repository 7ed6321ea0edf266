//! Plays many cases in parallel.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::case::{Case, End, Script, Step, send};
use crate::check::play;
use crate::client::{Ending, Exchange, exchange};
use crate::deviation::Deviation;
use crate::expected::Expected;
use crate::http2;
use crate::played::{Failure, Played};
use crate::retarget::retarget;
use crate::rules::Rule;
use crate::settings::Settings;

const REQUEST: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

/// The number of cases in a row without a connection after which the server counts as gone. A
/// server whose queue of connections is full may refuse one now and then.
const REFUSED: usize = 3;

/// The result of one case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The name of the case, as `subject/name`.
    pub case: &'static str,
    /// The rule that the case tests.
    pub rule: Rule,
    /// The result of the case.
    pub outcome: Outcome,
}

/// The result of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server did what is right.
    Passed,
    /// The server did something else.
    Failed(Failure),
    /// The case says nothing about this server, or was not sent.
    NotAsked(NotAsked),
}

/// Why a case says nothing about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotAsked {
    /// The server answers one request per connection, and the case needs more.
    Persistence,
    /// The server does not answer a request that arrives before it has answered the previous one.
    Pipelining,
    /// The server accepts no more connections.
    Gone,
    /// The time for all cases was over, or the user stopped the run.
    Stopped,
}

/// The results of many cases.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// One result per case, in order.
    pub results: Vec<CaseResult>,
    /// The deviations in the fields of answers, each with the number of answers that have it.
    pub deviations: BTreeMap<Deviation, usize>,
    /// The number of answers that need a `Date`, and the number of greetings.
    pub answers: [usize; 2],
    /// The last cases that failed before the server stopped accepting connections: one of them may
    /// have ended it. Empty if it still accepts connections.
    pub gone_at: Vec<&'static str>,
}

/// The callbacks by which the caller follows a run and can stop it.
pub struct Watch<'a> {
    /// Called before each case, with the number of cases before it.
    pub progress: &'a (dyn Fn(usize) + Sync),
    /// Whether the run has to stop.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

impl Default for Watch<'_> {
    fn default() -> Self {
        Self { progress: &|_| {}, is_stopped: &|| false }
    }
}

impl CaseResult {
    /// Why the case failed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Passed | Outcome::NotAsked(_) => None,
        }
    }

    /// Whether the case passed.
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }

    /// Returns why the case failed when it was sent as a whole.
    pub fn whole_failure(&self) -> Option<&Failure> {
        self.failure().filter(|failure| failure.split.is_none())
    }

    /// Whether the case passed or failed.
    pub fn is_asked(&self) -> bool {
        !matches!(self.outcome, Outcome::NotAsked(_))
    }
}

impl fmt::Display for NotAsked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Persistence => "the server answers one request per connection",
            Self::Pipelining => "the server does not answer requests that come before it has answered",
            Self::Gone => "the server accepts no connections any more",
            Self::Stopped => "the run ended before",
        })
    }
}

impl Run {
    /// The deviations in the fields of answers in words, such as `no Date in any of 9 answers`.
    pub fn odd(&self) -> Vec<String> {
        self.deviations.iter().map(|(deviation, count)| deviation.sentence(*count, self.answers)).collect()
    }

    /// Sentences about the server as a whole: deviations, where it ended, and what was not asked.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = self.odd();
        if !self.gone_at.is_empty() {
            let cases = self.gone_at.join(", ");
            sentences
                .push(format!("the server ended, or accepts no more connections, after one of: {cases}"));
        }
        let counts = self
            .not_asked()
            .into_iter()
            .map(|(why, cases)| format!("{} cases not asked: {why}", cases.len()));
        sentences.extend(counts);
        sentences
    }

    /// The cases that say nothing about this server, by reason.
    pub fn not_asked(&self) -> BTreeMap<NotAsked, Vec<&'static str>> {
        let mut not_asked: BTreeMap<NotAsked, Vec<&'static str>> = BTreeMap::new();
        for result in &self.results {
            if let Outcome::NotAsked(why) = result.outcome {
                not_asked.entry(why).or_default().push(result.case);
            }
        }
        not_asked
    }

    /// Whether the case was sent, and did not fail as a whole.
    pub fn passes_whole(&self, case: &str) -> bool {
        let result = self.results.iter().find(|result| result.case == case);
        result.is_some_and(|result| result.is_asked() && result.whole_failure().is_none())
    }

    /// Takes over the results of a later run for those cases that failed in it as a whole.
    pub fn replace_failed(&mut self, later: Self) {
        for failed in later.results.into_iter().filter(|result| result.whole_failure().is_some()) {
            if let Some(result) = self.results.iter_mut().find(|result| result.case == failed.case) {
                *result = failed;
            }
        }
    }

    /// Appends the results of another run.
    pub fn and(mut self, other: Self) -> Self {
        self.results.extend(other.results);
        other.deviations.into_iter().for_each(|(deviation, count)| {
            *self.deviations.entry(deviation).or_default() += count;
        });
        self.answers = [self.answers[0] + other.answers[0], self.answers[1] + other.answers[1]];
        self.gone_at.extend(other.gone_at);
        self
    }
}

/// Sends each case to the server at `address`. The results are in the order of the cases.
pub fn run(address: SocketAddr, cases: &[Case], settings: &Settings, watch: &Watch) -> Run {
    let at_once = if serves_several(address, cases, settings) { settings.connections } else { 1 };
    let queue = Mutex::new(Queue::default());
    let played: Vec<Mutex<Option<Played>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    let end = settings.time.map(|time| Instant::now() + time);
    let is_over = || (watch.is_stopped)() || end.is_some_and(|end| Instant::now() >= end);
    let take = || lock(&queue).take(cases.len()).filter(|_| !is_over());
    std::thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(|| {
                while let Some(at) = take() {
                    (watch.progress)(at);
                    let of_case = play(address, &cases[at], settings);
                    lock(&queue).note(at, &of_case);
                    *lock(&played[at]) = Some(of_case);
                }
            });
        }
    });
    let queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lack = lack(address, cases, settings);
    let mut run = Run::default();
    if queue.is_gone {
        run.gone_at = queue.failed.iter().rev().take(at_once.max(1)).map(|at| cases[*at].name).collect();
    }
    for ((at, case), played) in cases.iter().enumerate().zip(played) {
        let played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = match played {
            None if queue.is_gone => Outcome::NotAsked(NotAsked::Gone),
            None => Outcome::NotAsked(NotAsked::Stopped),
            Some(played) => {
                run.count(&played);
                match played.failure {
                    Some(_) if queue.is_gone && queue.refused.contains(&at) => {
                        Outcome::NotAsked(NotAsked::Gone)
                    }
                    Some(failure) => match lack.filter(|_| needs_more(case, &failure)) {
                        Some(lack) => Outcome::NotAsked(lack),
                        None => Outcome::Failed(failure),
                    },
                    None => Outcome::Passed,
                }
            }
        };
        run.results.push(CaseResult { case: case.name, rule: case.rule, outcome });
    }
    run
}

/// Sends one case, as a whole and, where the settings say so, split.
pub fn check(address: SocketAddr, case: &Case, settings: &Settings) -> Outcome {
    match play(address, case, settings).failure {
        None => Outcome::Passed,
        Some(failure) if needs_more(case, &failure) => {
            match lack(address, std::slice::from_ref(case), settings) {
                Some(lack) => Outcome::NotAsked(lack),
                None => Outcome::Failed(failure),
            }
        }
        Some(failure) => Outcome::Failed(failure),
    }
}

/// Whether the case may have failed because the server lacks persistence or pipelining: answers are
/// missing, or only the probe was answered.
fn needs_more(case: &Case, failure: &Failure) -> bool {
    failure.is_dropped || failure.stops_early && case.needs_more_than_one_answer()
}

/// The progress of a run.
#[derive(Default)]
struct Queue {
    next: usize,
    /// Cases that failed, in the order in which they ended.
    failed: Vec<usize>,
    /// Cases that found no server since the last case that found one.
    refused: Vec<usize>,
    is_gone: bool,
}

impl Queue {
    fn take(&mut self, count: usize) -> Option<usize> {
        let next = self.next;
        self.next += 1;
        (next < count && !self.is_gone).then_some(next)
    }

    fn note(&mut self, at: usize, played: &Played) {
        if played.is_refused {
            self.refused.push(at);
            self.is_gone |= self.refused.len() >= REFUSED;
        } else {
            self.refused.clear();
            self.failed.extend(played.failure.iter().map(|_| at));
        }
    }
}

impl Run {
    fn count(&mut self, played: &Played) {
        for deviation in &played.deviations {
            *self.deviations.entry(deviation.clone()).or_default() += 1;
        }
        self.answers = [self.answers[0] + played.answers[0], self.answers[1] + played.answers[1]];
    }
}

/// Whether the server answers a request while another connection is open and silent.
fn serves_several(address: SocketAddr, cases: &[Case], settings: &Settings) -> bool {
    let response_timeout = settings.response_timeout.min(Duration::from_secs(1));
    let settings = Settings { response_timeout, ..*settings };
    let silent = TcpStream::connect_timeout(&address, response_timeout);
    let is_answered = match cases.first() {
        Some(Case { script: Script::Frames(_), transport, .. }) => {
            http2::is_spoken(address, *transport, &settings)
        }
        other => {
            let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
            let case = Case::new("", Rule::new(""), request, [], End::Any);
            let case = other.map_or(case.clone(), |other| case.over("", other.transport));
            got(address, &case, &settings).is_some_and(|got| got.ending != Ending::Silent)
        }
    };
    drop(silent);
    is_answered
}

/// Returns whether the server lacks persistence or pipelining, which many cases need. It is tested
/// with the target of the cases.
fn lack(address: SocketAddr, cases: &[Case], settings: &Settings) -> Option<NotAsked> {
    let Case { target, transport, .. } = cases.iter().find(|case| case.messages().is_some())?;
    let answers = |steps: Vec<Step>, request: &str| {
        let two = [Expected::greeting("/a"), Expected::greeting("/a")];
        let mut case = Case::new("", Rule::new(""), request, two, End::Any).then(steps).over("", *transport);
        case.target = target.clone();
        let got = got(address, &retarget(&case, target)?, settings)?;
        let finals = got.responses.iter().filter(|response| !response.is_interim()).count();
        // A server that answers one of several requests may answer the last, which is the probe.
        Some(finals + usize::from(got.ending == Ending::Open))
    };
    let together = answers(Vec::new(), &REQUEST.repeat(2))?;
    if together != 1 {
        return None;
    }
    let in_turn = answers(vec![Step::Await(1), send(REQUEST)], REQUEST)?;
    Some(if in_turn == 1 { NotAsked::Persistence } else { NotAsked::Pipelining })
}

fn got(address: SocketAddr, case: &Case, settings: &Settings) -> Option<Exchange> {
    exchange(address, case, case.messages()?, settings).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Poisoning is ignored: if a thread panics, the scope panics too.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
