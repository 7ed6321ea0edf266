//! The protocol between the harness and its helper on another host: one line of JSON per question,
//! and one per reply. An empty line says that the sender is still there.
//!
//! ```text
//! ▶ {"number":7,"ask":{"Wait":{"process":2,"seconds":5.0}}}
//! ◀ {"number":7,"reply":{"Ok":"Exited"}}
//! ```
//!
//! A reply has either a value, whose type depends on the question, or the text of an error. Replies
//! may come in another order than their questions.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::machine::assignment::Layout;
use crate::machine::cores::Cores;
use crate::machine::host::Launch;
use crate::machine::host::process::Ended;
use crate::machine::host::usage::Usage;

/// The first words of the line with which a helper says that it runs. The lines that a login shell
/// prints before it are dropped.
pub(super) const HELLO: &str = "hello-bench helper";

/// A side sends an empty line when it has sent nothing for this long.
pub(super) const BEAT_SECONDS: u64 = 1;

/// A side that has received nothing for this long considers the other lost. It is far more than a
/// busy machine delays a line, and short enough that the processes of a lost measurement do not run
/// for long.
pub(super) const SILENCE_SECONDS: u64 = 10;

/// A question with its number.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Question {
    pub(super) number: u64,
    pub(super) ask: Ask,
}

/// A reply to the question with this number.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Reply {
    pub(super) number: u64,
    pub(super) reply: Result<Value, String>,
}

/// A question to a helper, with the type of its reply. Those about a process do what
/// [`Operations`](crate::machine::host::process::Operations) says.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Ask {
    /// Reads the helper's clock. Reply: `Clock`.
    Clock,
    /// Finds a program. Reply: `Option<PathBuf>`.
    Find { name: String },
    /// Starts a process. Reply: the number of the process, `u64`.
    Start { launch: Launch<'static> },
    /// Reply: `Line`.
    NextLine { process: u64, seconds: f64 },
    /// Reply: `()`.
    Tell { process: u64, command: String },
    /// Reply: `()`.
    EndInput { process: u64 },
    /// Reply: `Waited`.
    Wait { process: u64, seconds: f64 },
    /// Reply: `Usage`.
    Usage { process: u64 },
    /// Reply: `Option<ThreadTimes>`.
    Threads { process: u64 },
    /// Reply: `Option<Memory>`.
    Memory { process: u64 },
    /// Reply: `usize`.
    Descriptors { process: u64 },
    /// Reply: `usize`.
    LimitDescriptors { process: u64, more: usize },
    /// Reply: `()`.
    Terminate { process: u64 },
    /// Reply: `()`.
    Freeze { process: u64, seconds: f64 },
    /// Ends a process and forgets it. Reply: [`EndedReply`].
    End { process: u64 },
    /// Reply: `KernelCounters`.
    Counters { cores: Vec<usize> },
    /// Reply: `Option<u64>`.
    Established { address: SocketAddr },
    /// Reply: `Option<u64>`.
    Accepted,
    /// Starts to watch the connections of an address and the frequencies of cores. Reply: the
    /// number of the watch, `u64`.
    Watch { address: SocketAddr, cores: Vec<usize> },
    /// Reply: `Seen`.
    EndWatch { watch: u64 },
    /// Reply: `Option<Ports>`.
    Ports { to_loopback: bool },
    /// Reply: `Option<Traffic>`.
    Traffic { address: IpAddr },
    /// Reply: `Option<Interface>`.
    Interface { address: IpAddr },
    /// Reply: `Topology`.
    Topology,
    /// Reply: `Machine`.
    Machine { layout: Box<Layout>, seed: u64 },
    /// Moves the helper to the harness's core. Reply: `()`.
    Pin { cores: Cores },
    /// Makes a folder that exists for one run. Reply: its path, `PathBuf`.
    MakeFolder { files: Vec<(String, String)> },
    /// Reply: `()`.
    RemoveFolder { path: PathBuf },
    /// Finds the files that are not in the cache, by path and digest. Reply: their positions,
    /// `Vec<usize>`.
    Missing { files: Vec<(PathBuf, String)> },
    /// Writes bytes of a file of the cache, in base64 and in order; the last of them complete it.
    /// Reply: `()`.
    Write { path: PathBuf, bytes: String, completes: bool, is_program: bool },
}

/// The first line of a helper, after [`HELLO`].
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Hello {
    /// The version of the helper.
    pub(super) version: String,
    /// The boot ID of the helper's machine: hosts with the same boot ID are on one machine.
    pub(super) boot: Option<String>,
    /// The path of the helper's cache.
    pub(super) cache: PathBuf,
    /// The address of the host to which `ssh` has connected, and the address from which it has
    /// connected.
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
