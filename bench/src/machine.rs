//! The machine that a measurement ran on, and what was asked of it: `machine.json`.

use std::path::Path;

use anyhow::Context;
use procfs::Current;
use serde::{Deserialize, Serialize};

use crate::cores::Cores;

/// Where and how results were made. What could not be read is `null`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The harness's version.
    pub bench: String,
    /// The command that made the results.
    pub command: Vec<String>,
    /// When it began: UTC, RFC 3339.
    pub started: String,
    /// The order of runs follows from it.
    pub seed: u64,
    /// The machine's name.
    pub host: String,
    /// Kernel name, release and version.
    pub kernel: String,
    /// The processor's name.
    pub processor: Option<String>,
    /// Cores that are switched on.
    pub cores: Option<usize>,
    /// Memory of the machine.
    pub memory_bytes: Option<u64>,
    /// Load average over a minute, before the first run.
    pub load_average: Option<f32>,
    /// Cores that servers could use.
    pub server_cores: Vec<usize>,
    /// Cores that the tool could use.
    pub tool_cores: Vec<usize>,
}

impl Machine {
    /// This machine, now.
    pub fn read(cores: &Cores, seed: u64) -> anyhow::Result<Self> {
        let kernel = nix::sys::utsname::uname().context("cannot ask the kernel for its name")?;
        let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
        let processors = procfs::CpuInfo::current().ok();
        Ok(Self {
            bench: env!("CARGO_PKG_VERSION").into(),
            command: command_line(),
            started: now(),
            seed,
            host: text(kernel.nodename()),
            kernel: [kernel.sysname(), kernel.release(), kernel.machine()].map(text).join(" "),
            processor: processors.as_ref().and_then(|all| all.model_name(0)).map(str::to_owned),
            cores: processors.as_ref().map(procfs::CpuInfo::num_cores),
            memory_bytes: procfs::Meminfo::current().ok().map(|memory| memory.mem_total),
            load_average: procfs::LoadAverage::current().ok().map(|load| load.one),
            server_cores: cores.server.clone(),
            tool_cores: cores.tool.clone(),
        })
    }

    /// The name of a result folder: the time of its start and the machine.
    pub fn folder_name(&self) -> String {
        let stamp: String = self.started.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        format!("{stamp}-{}", self.host.chars().map(plain).collect::<String>())
    }
}

/// The time now: UTC, RFC 3339, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The command as a person would type it: the program by its name alone.
fn command_line() -> Vec<String> {
    let mut words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = words.first_mut() {
        let name = Path::new(program.as_str()).file_name().map(|name| name.to_string_lossy().into_owned());
        *program = name.unwrap_or_default();
    }
    words
}
