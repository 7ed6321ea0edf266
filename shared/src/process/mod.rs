//! The process contract: how a server is started, says that it is ready, and is ended.
//!
//! ```text
//! server-NAME --host 127.0.0.1 --port 8080 --workers N --max-connections M
//! ```
//! When ready it prints `listening on http://127.0.0.1:8080`, and nothing else, to standard output.
//! SIGTERM or SIGINT ends it with 0 once what was asked is answered; what it cannot do is one line on standard
//! error and an exit code of 1, or of 2 for a flag that it does not understand.

mod accepted;
mod deadline;
mod flags;
mod lifecycle;
mod listen;
mod non_blocking;
mod serve;
mod shutdown;
mod version;

use std::process::ExitCode;

pub use accepted::Accepted;
pub use deadline::{Deadline, DeadlineThread, Wake};
pub use flags::Flags;
pub use lifecycle::{ConnectionPermit, Lifecycle};
pub use listen::{announce, bind, bind_shared, close};
pub use non_blocking::NonBlocking;
pub use serve::serve;
pub use shutdown::on_signal;
pub use version::version;

/// Turns what `main` came to into its exit code, with one line on standard error for a failure.
pub fn exit(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
