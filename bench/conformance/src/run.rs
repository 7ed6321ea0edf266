//! Plays many cases at once.

use std::net::{SocketAddr, TcpStream};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::case::{Case, End};
use crate::check::{Failure, check};
use crate::client::{Ending, exchange};
use crate::settings::Settings;

/// The result of one case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// `subject/name`.
    pub case: &'static str,
    /// Where the case's rule comes from.
    pub rule: &'static str,
    /// What was expected and what came instead; `None` when the case passed.
    pub failure: Option<Failure>,
}

/// Sends each case to the server at `address`. The results are in the order of the cases.
pub fn run(address: SocketAddr, cases: &[Case], settings: &Settings) -> Vec<CaseResult> {
    let at_once = if serves_several(address, settings) { settings.connections } else { 1 };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(index) else { return results };
            let failure = check(address, case, settings);
            results.push((index, CaseResult { case: case.name, rule: case.rule, failure }));
        }
    };
    let mut results: Vec<(usize, CaseResult)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.max(1)).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Whether the server answers a request while another connection is open and silent.
fn serves_several(address: SocketAddr, settings: &Settings) -> bool {
    let response_timeout = settings.response_timeout.min(Duration::from_secs(1));
    let silent = TcpStream::connect_timeout(&address, response_timeout);
    let request = Case::new("", "", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", [], End::Any);
    let got = exchange(address, &request, &Settings { response_timeout, ..*settings });
    drop(silent);
    got.is_ok_and(|got| got.ending != Ending::Silent)
}
