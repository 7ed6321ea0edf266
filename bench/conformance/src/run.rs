//! Plays many cases at once.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};
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
    let failures: Vec<OnceLock<Option<Failure>>> = cases.iter().map(|_| OnceLock::new()).collect();
    let next = Mutex::new(cases.iter().zip(&failures));
    // Poisoning is ignored: a panic of a thread becomes one of the scope.
    let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(|| {
                while let Some((case, failure)) = take() {
                    let _ = failure.set(check(address, case, settings));
                }
            });
        }
    });
    let result = |(case, failure): (&Case, OnceLock<_>)| CaseResult {
        case: case.name,
        rule: case.rule,
        failure: failure.into_inner().flatten(),
    };
    cases.iter().zip(failures).map(result).collect()
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
