//! The process contract: how a server is started, says that it is ready, and is ended.
//!
//! ```text
//! server-NAME --host 127.0.0.1 --port 8080 --workers N --max-connections M
//! ```
//! A server that is ready prints `listening on http://127.0.0.1:8080` (`https` with TLS), and
//! nothing else, to standard output. At SIGTERM or SIGINT it answers the requests that it has, and
//! ends with exit code 0. An error is one line on standard error and exit code 1, or 2 for a wrong
//! flag. It is an error when the machine refuses a thread: a ready server has all that it needs to
//! answer and to end.

mod accepted;
mod arguments;
mod deadline;
mod flags;
mod inherited;
mod listen;
mod program;
mod serve;
mod server;
mod shutdown;
mod threads;
mod version;

pub use accepted::Accepted;
pub use arguments::{Flag, FlagSet, Values};
pub use deadline::{Deadline, DeadlineThread, TaskTimer};
pub use flags::Flags;
pub use inherited::reset_signals;
pub use listen::{announce, bind, bind_shared, bind_shared_after_rings, close};
pub use program::Program;
pub use serve::{Workers, serve};
pub use server::{Server, turn_on_this_thread};
pub use shutdown::{drain_on_signal, on_signal};
pub use threads::{check_threads, start_thread};
pub use version::version;
