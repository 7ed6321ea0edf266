//! What the harness and its helper on another host say to each other: one line of JSON per question,
//! and one per reply. An empty line says that the sender is still there.
//!
//! ```text
//! ▶ {"number":7,"ask":{"Wait":{"process":2,"seconds":5.0}}}
//! ◀ {"number":7,"reply":{"Ok":"Exited"}}
//! ```
//!
//! A reply says how its question ended: by a value whose type belongs to the question, or by the text
//! of an error. Replies may come in another order than their questions.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::machine::assignment::Layout;
use crate::machine::cores::Cores;
use crate::machine::host::Launch;
use crate::machine::host::process::Ended;
use crate::machine::host::usage::Usage;

/// The first words of the line by which a helper says that it is there. What a login shell prints
/// before it is dropped.
pub(super) const HELLO: &str = "hello-bench helper";

/// A side sends an empty line when it has sent nothing for this long…
pub(super) const BEAT_SECONDS: u64 = 1;

/// … and one that has heard nothing for this long takes the other for lost. It is far more than a busy
/// machine delays a line, and short enough that nothing of a lost measurement runs for long.
pub(super) const SILENCE_SECONDS: u64 = 10;

/// A question with its number.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Question {
    pub(super) number: u64,
    pub(super) ask: Ask,
}

/// A reply to the question of that number.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Reply {
    pub(super) number: u64,
    pub(super) reply: Result<Value, String>,
}

/// What a helper is asked, with the type of its reply.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Ask {
    /// Its clock: `Clock`.
    Clock,
    /// Where a program is: `Option<PathBuf>`.
    Find { name: String },
    /// Starts a process: its number.
    Start { launch: Launch<'static> },
    /// `Line`.
    NextLine { process: u64, seconds: f64 },
    /// `()`.
    Tell { process: u64, command: String },
    /// `()`.
    EndInput { process: u64 },
    /// `Waited`.
    Wait { process: u64, seconds: f64 },
    /// `Usage`.
    Usage { process: u64 },
    /// `Option<ThreadTimes>`.
    Threads { process: u64 },
    /// `Option<Memory>`.
    Memory { process: u64 },
    /// `usize`.
    Descriptors { process: u64 },
    /// `usize`.
    LimitDescriptors { process: u64, more: usize },
    /// `()`.
    Terminate { process: u64 },
    /// `()`.
    Freeze { process: u64, seconds: f64 },
    /// Ends a process and forgets it: [`EndedReply`].
    End { process: u64 },
    /// `KernelCounters`.
    Counters { cores: Vec<usize> },
    /// `Option<u64>`.
    Established { address: SocketAddr },
    /// `Option<u64>`.
    Accepted,
    /// Begins to look at the connections of an address and the frequencies of cores: the number of the watch.
    Watch { address: SocketAddr, cores: Vec<usize> },
    /// `Seen`.
    EndWatch { watch: u64 },
    /// `Option<Ports>`.
    Ports { to_loopback: bool },
    /// `Option<Traffic>`.
    Traffic { address: IpAddr },
    /// `Option<Interface>`.
    Interface { address: IpAddr },
    /// `Topology`.
    Topology,
    /// `Machine`.
    Machine { layout: Box<Layout>, seed: u64 },
    /// Moves the helper to the harness's core: `()`.
    Pin { cores: Cores },
    /// Makes a folder for the time of a run: `PathBuf`.
    MakeFolder { files: Vec<(String, String)> },
    /// `()`.
    RemoveFolder { path: PathBuf },
    /// Which of these files of the cache are not there, by path and digest: their positions.
    Missing { files: Vec<(PathBuf, String)> },
    /// Bytes of a file of the cache in base64, in order; the last of them complete it: `()`.
    Write { path: PathBuf, bytes: String, completes: bool, is_program: bool },
}

/// What a helper says of itself in its first line, after [`HELLO`].
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Hello {
    /// The version of the harness that it is.
    pub(super) version: String,
    /// Which start of which machine it runs on: hosts that have the same are one machine.
    pub(super) boot: Option<String>,
    /// Where its cache is.
    pub(super) cache: PathBuf,
    /// The address by which `ssh` has reached the host, and the one that it has come from.
    pub(super) addresses: Option<(IpAddr, IpAddr)>,
}

/// `Ended`, in a form that can be sent.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct EndedReply {
    status: i32,
    output: String,
    complaint: String,
    usage: Option<Usage>,
}

impl From<Ended> for EndedReply {
    fn from(ended: Ended) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let Ended { status, output, complaint, usage } = ended;
        Self { status: status.into_raw(), output, complaint, usage }
    }
}

impl From<EndedReply> for Ended {
    fn from(reply: EndedReply) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let EndedReply { status, output, complaint, usage } = reply;
        Self { status: std::process::ExitStatus::from_raw(status), output, complaint, usage }
    }
}
