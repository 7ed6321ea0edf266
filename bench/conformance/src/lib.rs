//! Conformance cases of HTTP/1.1, HTTP/2 and TLS: raw bytes with the answers that the RFCs allow, and
//! a client that plays them over real sockets.
//!
//! Each [`Protocol`] has its own cases: requests for HTTP/1.1, frames for HTTP/2, records for TLS.
//! [`run()`] plays all of them in the same way, and each failure has a [`Severity`].
//!
//! A case of HTTP/1.1 consists of the bytes that a client sends on a new connection, and of the
//! [`Expected`] answers:
//!
//! ```
//! use conformance::{Case, End, Expected, Rule};
//!
//! let case = Case::new(
//!     "host/name",                                       // subject/name
//!     Rule::new("RFC 9110, section 7.2"),                 // where the rule comes from
//!     "GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n",    // raw bytes
//!     [Expected::greeting("/a")],                        // the answers, in order
//!     End::Open,                                         // and the connection stays open
//! );
//! assert_eq!(case.subject(), "host");
//! ```
//!
//! How does the client know that the connection stays open? It does not wait and see. In the same
//! write as the last bytes of the case it sends one more request, a probe. Either the server
//! answers the probe, or the connection ends: both are events, so that hardly any case waits for
//! time to pass, and all of them together take seconds.
//!
//! TCP may deliver a request in any number of pieces, and a parser may be right about whole
//! requests and wrong about halves. With [`Settings::splits`] each short case that passes is
//! therefore sent again, split after each of its bytes. [`Failure::split`] says which split has
//! failed.
//!
//! Callers that send requests outside the cases, such as a drill, find the client's side of TLS and
//! HTTP/2 without sockets here: [`Protocol::tls_client`] and [`Protocol::http2_client`].
//!
//! The library knows no server, starts none, and prints nothing. It takes an address and returns a
//! [`CaseResult`] per case. The caller has to remember the known failures of a server.
#![allow(clippy::indexing_slicing, reason = "a wrong index may end a test of a server, and ends no server")]

mod case;
mod cause;
mod check;
mod client;
mod deviation;
mod expected;
mod http2;
mod played;
mod protocol;
mod retarget;
mod rules;
mod run;
mod select;
mod settings;
mod socket;
mod subject;
mod target;
#[cfg(test)]
mod tests;
mod tls;

pub use answers::{Response, parse};
pub use case::{Case, End, Severity, subject_of};
pub use cause::{Cause, causes};
pub use deviation::Deviation;
pub use expected::Expected;
pub use http2::{FrameClient, Http2Client, MAX_CONTENT, StreamEnd};
pub use played::Failure;
pub use protocol::{Protocol, all_cases};
pub use rules::Rule;
pub use run::{CaseResult, NotAsked, Outcome, Run, Watch, check, run};
pub use select::select;
pub use settings::{Settings, Timeouts};
pub use subject::{BURST, ENDPOINT, cases, endpoint_cases, floor_cases};
pub use target::Target;
