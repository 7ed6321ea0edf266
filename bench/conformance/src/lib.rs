//! Does a server keep the rules of HTTP, and those of the endpoint? Tables of raw requests with the outcomes
//! that are right, by [subject](cases), and a client that plays them over real sockets.
//!
//! Nothing here knows a server, starts one, or prints: it is given an address, and gives back what it found.
//! What a server is known to get wrong stands in its manifest, by the name of the case.
//!
//! A case is sent on a connection of its own. Whether that stays open is told by a further request, a probe,
//! that goes out in the same write as the last bytes: either it is answered, or the connection ends. So
//! nearly nothing here waits for a time to pass, and a whole run takes seconds. Short cases are sent again,
//! split after each of their bytes.

mod answer;
mod case;
mod client;
mod judge;
mod response;
mod subject;
#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpStream};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use case::Timeout;
use client::Ending;

pub use answer::Answer;
pub use case::{Case, End, Severity};
pub use judge::{Wrong, check};
pub use response::{Response, parse};
pub use subject::{BURST, ENDPOINT, TIMING, cases, endpoint_cases, floor_cases};

/// How to run the cases.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The timeouts that the server was started with.
    pub timeouts: Timeouts,
    /// How long to wait for what has to come. Only a server that is wrong makes a case take so long.
    pub patience: Duration,
    /// How many cases at once. One that serves one connection at a time is sent one at a time, whatever this
    /// says.
    pub connections: usize,
    /// Whether short cases are also sent split after each of their bytes.
    pub splits: bool,
}

/// The timeouts of a server.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a head's first byte to its last.
    pub head: Duration,
    /// Waiting for a first or a next request, or for the next piece of a body.
    pub idle: Duration,
}

impl Timeouts {
    fn of(&self, timeout: Timeout) -> Duration {
        match timeout {
            Timeout::Head => self.head,
            Timeout::Idle => self.idle,
        }
    }
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `subject/name`.
    pub case: &'static str,
    /// Where the case's rule comes from.
    pub rule: &'static str,
    /// What was expected and what came instead; `None` when the case passed.
    pub wrong: Option<Wrong>,
}

impl Default for Settings {
    /// A server with the endpoint's own timeouts, and no splits.
    fn default() -> Self {
        let timeouts = Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(60) };
        Self { timeouts, patience: Duration::from_secs(10), connections: 8, splits: false }
    }
}

/// Sends each case to the server at `address`, and gives back what came of each, in their order.
pub fn run(address: SocketAddr, cases: &[Case], settings: &Settings) -> Vec<Finding> {
    let at_once = if serves_several(address, settings) { settings.connections } else { 1 };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut findings = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(place) else { return findings };
            let wrong = check(address, case, settings);
            findings.push((place, Finding { case: case.name, rule: case.rule, wrong }));
        }
    };
    let mut findings: Vec<(usize, Finding)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.max(1)).map(|_| scope.spawn(work)).collect();
        let findings =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        findings.flatten().collect()
    });
    findings.sort_by_key(|(place, _)| *place);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// The part of a case's name that says what it is about.
pub fn subject(case: &str) -> &str {
    case.split('/').next().unwrap_or(case)
}

/// Whether a request is answered while another connection is open that asks for nothing.
fn serves_several(address: SocketAddr, settings: &Settings) -> bool {
    let settings = Settings { patience: settings.patience.min(Duration::from_secs(1)), ..*settings };
    let silent = TcpStream::connect_timeout(&address, settings.patience);
    let request = Case::new("", "", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", [], End::Any);
    let got = client::exchange(address, &request, &settings);
    drop(silent);
    got.is_ok_and(|got| got.ending != Ending::Silent)
}
