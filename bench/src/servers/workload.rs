//! Workloads: which request is sent to a server, and how the server is loaded. Each TOML file in
//! `bench/workloads/`, or of the user, is a suite of workloads that together answer one question.

mod file;

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::store::record::{LimitRecord, Protocol, PublishedRecord, RateRecord, TaskRecord, WorkloadRecord};
use crate::text::numbers;
pub use visit_output::Mode;

/// The amount of load in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A number of requests.
    Requests(u64),
    /// As many requests as the server answers in a time.
    Time(Duration),
}

/// One request with one way of sending it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name on the command line and in records.
    pub name: String,
    /// The suite that it belongs to.
    pub suite: String,
    /// The name in reports.
    pub title: String,
    /// The request target.
    pub path: String,
    /// The body of the answer, byte for byte.
    pub answer: String,
    /// What is done to the server.
    pub task: Task,
    /// The number of its cores on which a loaded server runs; `None` for all of them.
    pub server_cores: Option<usize>,
    /// How often each server is run, unless `--repetitions` is given.
    pub repetitions: u32,
    /// A ratio that was published for it.
    pub published: Option<PublishedRecord>,
}

/// What is done to a server.
#[derive(Clone, Debug)]
pub enum Task {
    /// A tool loads it.
    Load(Load),
    /// It is started and sent one request.
    Start,
    /// A number of connections are opened, used once, and held.
    Hold(u32),
    /// A number of connections are opened, used once, and then silent for a time.
    Idle(u32, Duration),
}

/// How a tool loads a server.
#[derive(Clone, Debug)]
pub struct Load {
    /// The load tool's name.
    pub tool: String,
    /// Connections open at once.
    pub connections: u32,
    /// The amount of load.
    pub amount: Amount,
    /// What a connection is used for.
    pub mode: Mode,
    /// The protocol of the requests.
    pub protocol: Protocol,
    /// HTTP/2 streams that are open at once on a connection.
    pub streams: u32,
    /// Whether a new connection resumes a session of TLS.
    pub resumes: bool,
    /// Fields that every request has after `Host`, as `Name: value`.
    pub headers: Vec<String>,
    /// The seed of an open loop whose requests arrive at random, as those of independent visitors
    /// do; `None` if requests are sent at equal intervals.
    pub poisson: Option<u64>,
    /// Further kinds of requests, each with its share, as `visit --mix` takes them.
    pub mix: Vec<String>,
    /// The rate of an open loop; `None` in a closed loop, where a connection sends its next request
    /// when it has the answer to the last.
    pub rate: Option<Rate>,
    /// How long the same load runs before the measurement, unrecorded.
    pub warm_up: Duration,
    /// How long the tool waits for an answer, if it has a flag for that.
    pub timeout: Duration,
    /// The length of a slice, if the servers of a repetition are loaded in turn; `None` if each is
    /// loaded once, for the whole amount.
    pub slice: Option<Duration>,
}

/// The number of repetitions in slices, and the number of undivided ones that take the same time.
/// With nine, the interval leaves out the farthest on either side, so that a single outlier does
/// not decide it.
const IN_SLICES: [u32; 2] = [9, 5];

/// The most connections of a load in slices. The connections of all servers are open at once: those
/// of twenty servers have 40,000 sockets, which take the kernel some 100 MB.
const MOST_IN_SLICES: u32 = 1024;

/// The rate of an open loop.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// Requests per second, the same for all servers.
    PerSecond(f64),
    /// A share of the server's own peak.
    OfPeak {
        /// The share, between 0 and 1.
        share: f64,
        /// The workload whose throughput is the peak. It is measured before.
        peak: String,
    },
    /// The highest rate at which a limit is kept. Each repetition tries one rate, chosen by the
    /// results of the repetitions before it.
    Searched {
        /// The limit that has to be kept.
        limit: Limit,
        /// The workload whose throughput no rate exceeds. It is measured before.
        peak: String,
    },
    /// A share of the rate that a search has found for the server.
    OfFound {
        /// The share: 1 for the rate that was found.
        share: f64,
        /// The workload that searches. It is measured before, in all of its repetitions.
        search: String,
    },
}

/// An upper limit of a percentile of the latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The percentile: one of [`Limit::PERCENTILES`].
    pub percentile: f64,
    /// The limit of the latency, in seconds.
    pub seconds: f64,
}

impl Limit {
    /// The percentiles that records have.
    pub const PERCENTILES: [f64; 6] = [50.0, 75.0, 90.0, 95.0, 99.0, 99.9];
}

/// `p99=1ms`, `p99.9=0.5s`: a percentile and a time in `s`, `ms` or `us`.
impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "it looks like p99=1ms".to_owned();
        let (percentile, time) =
            text.strip_prefix('p').and_then(|rest| rest.split_once('=')).ok_or_else(form)?;
        let percentile: f64 = percentile.parse().map_err(|_| form())?;
        if !Self::PERCENTILES.contains(&percentile) {
            return Err(format!("p{percentile} is not measured: p50, p75, p90, p95, p99 and p99.9 are"));
        }
        let digits = time.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == 'µ');
        let unit = match &time[digits.len()..] {
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            _ => return Err(format!("{}, with s, ms or us", form())),
        };
        let seconds = digits.parse::<f64>().map_err(|_| form())? * unit;
        if seconds > 0.0 && seconds <= 60.0 {
            Ok(Self { percentile, seconds })
        } else {
            Err("the time has to be more than 0 and at most 60 s".into())
        }
    }
}

/// Writes a limit as `p99 ≤ 1.00 ms`.
impl Display for Limit {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "p{} ≤ {}", self.percentile, numbers::duration(self.seconds))
    }
}

/// One file of workloads.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file's name without `.toml`.
    pub name: String,
    /// A description of the suite in a sentence: mostly the question that it answers.
    pub about: String,
    /// Its workloads, in the order of their runs; empty if it names other suites.
    pub workloads: Vec<Workload>,
    /// The suites that it consists of.
    pub suites: Vec<String>,
    /// The file.
    pub path: PathBuf,
}

impl Workload {
    /// The load, if the task is one.
    pub fn load(&self) -> Option<&Load> {
        match &self.task {
            Task::Load(load) => Some(load),
            Task::Start | Task::Hold(_) | Task::Idle(..) => None,
        }
    }

    /// The name of the program that sends the requests: the load tool, or `bench` itself.
    pub fn tool(&self) -> &str {
        self.load().map_or("bench", |load| &load.tool)
    }

    /// The protocol that the server has to speak.
    pub fn protocol(&self) -> Protocol {
        self.load().map_or(Protocol::Http1, |load| load.protocol)
    }

    /// This workload with another tool, and not in slices.
    #[must_use]
    pub fn with_tool(&self, tool: &str) -> Self {
        let mut other = self.clone();
        if let Task::Load(load) = &mut other.task {
            tool.clone_into(&mut load.tool);
            load.slice = None;
        }
        other
    }

    /// Connections open at once.
    pub fn connections(&self) -> u32 {
        match &self.task {
            Task::Load(load) => load.connections,
            Task::Start => 1,
            Task::Hold(connections) | Task::Idle(connections, _) => *connections,
        }
    }

    /// Whether the workload searches for a rate.
    pub fn searches(&self) -> bool {
        matches!(self.load().and_then(|load| load.rate.as_ref()), Some(Rate::Searched { .. }))
    }

    /// This workload with another limit, if it searches for a rate or follows a search. `is_named`
    /// adds the limit to its name and its title, to distinguish it from the same workload with
    /// other limits.
    #[must_use]
    pub fn with_limit(&self, new: Limit, is_named: bool) -> Self {
        let mut other = self.clone();
        let suffix = format!("-p{}-{}us", new.percentile, (new.seconds * 1e6).round());
        if let Task::Load(Load { rate: Some(rate), .. }) = &mut other.task {
            match rate {
                Rate::Searched { limit, .. } => *limit = new,
                Rate::OfFound { search, .. } if is_named => *search += &suffix,
                _ => {}
            }
        }
        if is_named {
            other.name += &suffix;
            other.title += &format!(", {new}");
        }
        other
    }

    /// The number of repetitions that are made of the workload in slices.
    pub fn repetitions_in_slices(&self) -> u32 {
        let [more, fewer] = IN_SLICES;
        if self.repetitions < fewer { self.repetitions } else { self.repetitions * more / fewer }
    }

    /// If the load is made in slices, divides its time among the number of repetitions in slices.
    pub fn divide_repetitions(&mut self) {
        let repetitions = self.repetitions_in_slices();
        if let Task::Load(Load { amount: Amount::Time(time), slice: Some(_), .. }) = &mut self.task {
            *time = to_hundredths(*time * self.repetitions / repetitions);
            self.repetitions = repetitions;
        }
    }

    /// Whether the workload has to wait for all repetitions of another workload of its suite.
    pub fn follows_a_search(&self) -> bool {
        matches!(self.load().and_then(|load| load.rate.as_ref()), Some(Rate::OfFound { .. }))
    }

    /// The name of the workload that has to be measured before, for its peak or its search.
    pub fn peak(&self) -> Option<&str> {
        match &self.load()?.rate {
            Some(Rate::OfPeak { peak, .. } | Rate::Searched { peak, .. }) => Some(peak),
            Some(Rate::OfFound { search, .. }) => Some(search),
            Some(Rate::PerSecond(_)) | None => None,
        }
    }

    /// The stored form.
    pub fn record(&self) -> WorkloadRecord {
        let load = self.load();
        let (requests, seconds) = match load.map(|load| load.amount) {
            Some(Amount::Requests(requests)) => (Some(requests), None),
            Some(Amount::Time(time)) => (None, Some(time.as_secs_f64())),
            None => match self.task {
                Task::Idle(_, time) => (None, Some(time.as_secs_f64())),
                _ => (None, None),
            },
        };
        let none = RateRecord::default();
        let rate = |rate: &Rate| match rate {
            Rate::PerSecond(rate) => RateRecord { per_second: Some(*rate), ..none.clone() },
            Rate::OfPeak { share, peak } => {
                RateRecord { share: Some(*share), peak: Some(peak.clone()), ..none.clone() }
            }
            Rate::Searched { limit: Limit { percentile, seconds }, peak } => {
                let limit = LimitRecord { percentile: *percentile, seconds: *seconds };
                RateRecord { peak: Some(peak.clone()), limit: Some(limit), ..none.clone() }
            }
            Rate::OfFound { share, search } => {
                RateRecord { share: Some(*share), search: Some(search.clone()), ..none.clone() }
            }
        };
        WorkloadRecord {
            name: self.name.clone(),
            title: self.title.clone(),
            path: self.path.clone(),
            task: match self.task {
                Task::Load(_) => TaskRecord::Load,
                Task::Start => TaskRecord::Start,
                Task::Hold(_) => TaskRecord::Hold,
                Task::Idle(..) => TaskRecord::Idle,
            },
            connections: self.connections(),
            mode: load.map(|load| load.mode.to_string()),
            protocol: self.protocol(),
            streams: load.filter(|load| load.protocol.is_http_2()).map(|load| load.streams),
            resumes: load.is_some_and(|load| load.resumes),
            requests,
            seconds,
            warm_up_seconds: load.map(|load| load.warm_up.as_secs_f64()),
            timeout_seconds: load.map(|load| load.timeout.as_secs_f64()),
            rate: load.and_then(|load| load.rate.as_ref()).map(rate),
            headers: load.map(|load| load.headers.clone()).unwrap_or_default(),
            mix: load.map(|load| load.mix.clone()).unwrap_or_default(),
            poisson_seed: load.and_then(|load| load.poisson),
            server_cores: self.server_cores,
            slice_seconds: load.and_then(|load| load.slice).map(|slice| slice.as_secs_f64()),
            published: self.published.clone(),
        }
    }
}

impl Load {
    /// A closed loop of plain requests over HTTP/1.1 without TLS, without a warm-up.
    pub fn new(tool: &str, connections: u32, amount: Amount, mode: Mode) -> Self {
        Self {
            tool: tool.into(),
            connections,
            amount,
            mode,
            protocol: Protocol::Http1,
            streams: 1,
            resumes: false,
            headers: Vec::new(),
            poisson: None,
            mix: Vec::new(),
            rate: None,
            warm_up: Duration::ZERO,
            timeout: Duration::from_secs(10),
            slice: None,
        }
    }

    /// Whether the load can be made in slices: it has to be a closed loop for a time, over kept
    /// connections. A number of requests is sent only once, an open loop has a rate of its own, and
    /// closed connections leave their ports in use for a minute. The connections of all servers are
    /// open at once, so their number is limited.
    pub fn is_sliceable(&self) -> bool {
        self.rate.is_none()
            && self.mode.requests_per_connection().is_none()
            && matches!(self.amount, Amount::Time(_))
            && self.connections <= MOST_IN_SLICES
    }

    /// Makes the load and its warm-up this many times shorter, in whole hundredths of a second.
    pub fn shorten(&mut self, times: u32) {
        if let Amount::Time(time) = &mut self.amount {
            *time = to_hundredths(*time / times);
        }
        self.warm_up = to_hundredths(self.warm_up / times);
    }
}

fn to_hundredths(time: Duration) -> Duration {
    Duration::from_secs_f64((time.as_secs_f64() * 100.0).floor() / 100.0)
}

#[cfg(test)]
impl Workload {
    /// A workload of a suite, for the tests of a plan.
    pub(crate) fn example(suite: &str, repetitions: u32) -> Self {
        Self {
            name: suite.into(),
            suite: suite.into(),
            title: suite.into(),
            path: "/".into(),
            answer: String::new(),
            task: Task::Start,
            server_cores: None,
            repetitions,
            published: None,
        }
    }
}

#[cfg(test)]
impl Load {
    /// A load of 100 connections for the tests of a tool.
    pub(crate) fn example(tool: &str, amount: Amount, mode: Mode) -> Self {
        Self::new(tool, 100, amount, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_loops_over_kept_connections_can_be_made_in_slices() {
        let second = Amount::Time(Duration::from_secs(1));
        let cases = [
            (second, Mode::KeepAlive, None, 100, true),
            (second, Mode::Pipelined(16), None, 1024, true),
            (second, Mode::Close, None, 100, false),
            (second, Mode::KeepAlive, Some(Rate::PerSecond(100.0)), 100, false),
            (second, Mode::KeepAlive, None, 1025, false),
            (Amount::Requests(1000), Mode::KeepAlive, None, 100, false),
        ];
        for (amount, mode, rate, connections, expected) in cases {
            let load = Load { rate, connections, ..Load::example("visit", amount, mode) };
            assert_eq!(load.is_sliceable(), expected, "{load:?}");
        }
    }

    #[test]
    fn nine_repetitions_are_made_in_slices_in_the_time_of_five() {
        let slice = Some(Duration::from_millis(20));
        // The slice, the repetitions of a second each, and the resulting repetitions with their
        // milliseconds.
        let cases =
            [(slice, 5, (9, 550)), (slice, 10, (18, 550)), (slice, 1, (1, 1000)), (None, 5, (5, 1000))];
        for (slice, repetitions, expected) in cases {
            let mut workload = Workload::example("quick", repetitions);
            let second = Amount::Time(Duration::from_secs(1));
            workload.task = Task::Load(Load { slice, ..Load::example("visit", second, Mode::KeepAlive) });
            workload.divide_repetitions();
            let Some(Amount::Time(time)) = workload.load().map(|load| load.amount) else { panic!() };
            assert_eq!((workload.repetitions, time.as_millis()), expected, "{slice:?} {repetitions}");
        }
    }

    #[test]
    fn a_limit_is_a_percentile_and_a_time() {
        let limit = |percentile, seconds| Ok(Limit { percentile, seconds });
        let right = [
            ("p99=1ms", limit(99.0, 0.001)),
            ("p99.9=0.5s", limit(99.9, 0.5)),
            ("p50=250us", limit(50.0, 0.000_25)),
        ];
        for (text, expected) in right {
            assert_eq!(text.parse(), expected, "{text}");
        }
        let wrong = [
            ("99=1ms", "it looks like p99=1ms"),
            ("p99", "it looks like"),
            ("p98=1ms", "p98 is not measured"),
            ("p99=1", "with s, ms or us"),
            ("p99=ms", "it looks like"),
            ("p99=0ms", "more than 0"),
            ("p99=2m", "with s, ms or us"),
        ];
        for (text, expected) in wrong {
            assert!(text.parse::<Limit>().unwrap_err().contains(expected), "{text}");
        }
        assert_eq!("p99.9=5ms".parse::<Limit>().unwrap().to_string(), "p99.9 ≤ 5.00 ms");
    }

    #[test]
    fn a_load_can_be_made_shorter() {
        let mut load = Load::example("visit", Amount::Time(Duration::from_secs(1)), Mode::KeepAlive);
        load.warm_up = Duration::from_millis(200);
        load.shorten(3);
        assert_eq!(load.amount, Amount::Time(Duration::from_millis(330)));
        assert_eq!(load.warm_up, Duration::from_millis(60));
    }
}
