//! The flags of `bench measure`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::value::Slices;
use super::{Chosen, Hosts, Label, help, value};
use crate::machine::assignment::Smt;
use crate::report::Rules;
use crate::servers::workload::Limit;

/// `bench measure`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/measure.txt")))]
pub struct Measure {
    /// Resume an interrupted measurement, with its own flags
    #[arg(long, value_name = "DIR", conflicts_with_all = ["Setup", "Chosen", "server_host", "load_host", "ssh"], value_parser = value::results)]
    pub resume: Option<PathBuf>,

    /// Print only warnings and errors to standard error, no progress and no preliminary tables
    #[arg(long, short)]
    pub quiet: bool,

    /// Which servers
    #[command(flatten)]
    pub chosen: Chosen,

    /// Where the servers and the load run
    #[command(flatten)]
    pub hosts: Hosts,

    /// How they are measured
    #[command(flatten)]
    pub setup: Setup,
}

/// How the requests of an open loop are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrivals {
    /// Evenly spaced
    Even,
    /// At random, as from independent visitors; --seed sets the times
    Poisson,
}

/// How servers are measured. A resumed measurement takes it from its own command line, as the servers.
#[derive(Args, Debug)]
pub struct Setup {
    /// Suites or single workloads by name, or paths of TOML files. They are measured one after another
    #[arg(required_unless_present = "resume", value_name = "WORKLOAD")]
    pub workloads: Vec<String>,

    /// A server that runs already. It is measured alone, or together with --servers
    #[arg(long, value_name = "HOST:PORT", requires = "label", value_parser = value::address)]
    pub address: Option<SocketAddr>,

    /// The process of the server at --address, to read its CPU time and memory, with those of its
    /// children [default: both stay unknown]
    #[arg(long, value_name = "N", requires = "address", value_parser = clap::value_parser!(i32).range(1..))]
    pub pid: Option<i32>,

    /// The name and the version of the server at --address, for records and reports
    #[arg(long = "as", value_name = "NAME VERSION", requires = "address", value_parser = value::label)]
    pub label: Option<Label>,

    /// The load tool [default: the one in the workload's file]
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,

    /// Also measure each cell by this tool, and report where the two disagree
    #[arg(long, value_name = "TOOL")]
    pub cross_check: Option<String>,

    /// The server that is measured twice, under two names, to find how much of a difference is noise
    /// (A/A control), or `none` [default: the one that passes most conformance cases]
    #[arg(long, value_name = "NAME")]
    pub control: Option<String>,

    /// Runs of each server under each workload [default: what the workload's file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repetitions: Option<u32>,

    /// Repeat until each interval is narrower than this percentage of its median. The intervals are
    /// those of each server's ratio to the best one, by the figure that ranks servers, and of the
    /// duplicate's ratio to its server; with a single server, of its figure. They are looked at after
    /// 8, 16, 32, 64, 128 and 256 repetitions
    #[arg(long, value_name = "PERCENT", conflicts_with = "repetitions", value_parser = value::width)]
    pub until: Option<f64>,

    /// How many minutes the runs of --until may take, in equal shares for the workloads; what one
    /// leaves goes to the others. The first repetition is made in any case
    #[arg(long, value_name = "MINUTES", requires = "until", default_value = "30", value_parser = value::minutes)]
    pub budget: Duration,

    /// Whether the report ranks servers once more among those that keep the rules of HTTP
    #[arg(long, value_enum, value_name = "RULES", default_value = "any")]
    pub rules: Rules,

    /// How the requests of open loops are spaced
    #[arg(long, value_enum, value_name = "SPACING", default_value = "even")]
    pub arrivals: Arrivals,

    /// What a search for capacity has to keep: a percentile and a time, such as `p99=1ms` or `p99.9=5ms`.
    /// Repeat the flag for more [default: what the workload's file says]
    #[arg(long, value_name = "LIMIT")]
    pub limit: Vec<Limit>,

    /// How long a server is loaded before it is another one's turn, in seconds, or `none` to measure one
    /// server after another. Closed loops of `visit` over kept connections are measured in slices, and nine
    /// repetitions of them in the time of five
    #[arg(long, value_name = "SECONDS", default_value = "0.02", value_parser = value::slices)]
    pub slices: Slices,

    /// Measure in slices for a third of the time: less precise, but still more precise than one server
    /// after another for the full time
    #[arg(long)]
    pub brief: bool,

    /// Load each server once more under each workload, in one piece, and keep answers and latency per tenth
    /// of a second, which the report shows over time. By `visit` alone
    #[arg(long)]
    pub series: bool,

    /// Attempts at a run in one piece that other processes disturb or whose host is lost. Of a run in
    /// slices only the disturbed slices are repeated
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,

    /// The folder for results, which must not exist yet [default: a new one in bench/results, or where
    /// that cannot be written to, in ~/.local/state/hello-bench]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// The seed of the shuffled order of servers and of --arrivals poisson, to repeat both
    /// [default: random]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Cores for the servers, separated by commas, as Linux numbers their threads [default: one half of
    /// the cores that are alike]
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    pub server_cores: Option<Vec<usize>>,

    /// Cores for the load tool, separated by commas [default: the other half]
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    pub tool_cores: Option<Vec<usize>>,

    /// Whether both threads of a core are used, where cores have two
    #[arg(long, value_enum, value_name = "WHETHER", default_value = "off")]
    pub smt: Smt,
}
