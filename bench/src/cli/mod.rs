//! The command line.

pub mod command;
mod help;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::report::format::Format;
use crate::servers::template::Language;

pub use self::value::Label;

/// Measures HTTP servers on this machine, and says what bound each figure.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = help::BENCH)]
pub struct Arguments {
    /// The checkout with the servers and workloads [default: the one that the working folder lies in]
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List servers, workloads and tools, and what this machine lacks
    List(List),
    /// Make a server that works, for you to change
    New(New),
    /// Say what is wrong with a server's manifest, line by line
    Check(Check),
    /// Check that servers answer as the endpoint should
    Verify(Verify),
    /// Try how servers stand misfortune, and clients that misbehave
    Drill(Drill),
    /// Time the parts of a request: the Rust servers' code, the frameworks and the kernel
    Microbench(Microbench),
    /// Load servers, keep a record of each run, and print the tables
    Measure(Box<Measure>),
    /// Print the tables of a measurement, from its records
    Report(Report),
    /// Say where a request's CPU time goes, from a measurement and its microbenchmarks
    Explain(Explain),
    /// Compare a measurement with an earlier one: what got worse, what better?
    Compare(Compare),
    /// List every measurement, and how figures changed from one to the next
    History(History),
    /// Refresh README.md's table and picture from a measurement
    Readme(Readme),
    /// Build a server and run it in the foreground
    Serve(Serve),
    /// Say what this machine lacks, and whether it is quiet enough to measure on
    Doctor(Doctor),
    /// Print a script with which a shell completes commands and flags
    Completions(Completions),
    /// Print the manual page, or write one a command
    Man(Man),
}

/// `bench list`
#[derive(Args, Debug)]
#[command(after_help = help::LIST)]
pub struct List {
    /// List only these
    #[arg(value_enum)]
    pub what: Option<Listed>,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Servers with their language, runtime and concurrency model
    Servers,
    /// Workloads by suite
    Workloads,
    /// Load tools
    Tools,
}

/// Which servers a command is about.
#[derive(Args, Debug)]
pub struct Chosen {
    /// Servers by name, with commas between, or `all` [default: all but those that are taken only when named, as
    /// `bench list` says]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub servers: Vec<String>,

    /// The folder of a server that lies elsewhere, with its `server.toml`; it is taken alone, or beside those of --servers. Can be
    /// given again for another one
    #[arg(long, value_name = "DIR")]
    pub server_dir: Vec<PathBuf>,

    /// Install first what Debian has of the programs that they lack, as root
    #[arg(long)]
    pub install: bool,
}

impl Chosen {
    /// The names by `--servers`, or those that a command was given without it.
    pub fn names<'a>(&'a self, placed: &'a [String]) -> &'a [String] {
        if placed.is_empty() { &self.servers } else { placed }
    }
}

/// `bench new`
#[derive(Args, Debug)]
#[command(after_help = help::NEW)]
pub struct New {
    /// The server's name, which is its folder's
    pub name: String,

    /// The language to begin in
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub language: Language,
}

/// `bench check`
#[derive(Args, Debug)]
#[command(after_help = help::CHECK)]
pub struct Check {
    /// Servers by name [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// `bench verify`
#[derive(Args, Debug)]
#[command(after_help = help::VERIFY)]
pub struct Verify {
    /// Servers by name, instead of `--servers`
    #[arg(value_name = "NAME", conflicts_with_all = ["servers", "address"])]
    pub names: Vec<String>,

    /// Which servers
    #[command(flatten)]
    pub chosen: Chosen,

    /// Ask all cases about HTTP/1.1, also split at each byte, and print a table by subject
    #[arg(long)]
    pub conformance: bool,

    /// Ask a server that runs already, instead of starting ours
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["servers", "server_dir", "install"], value_parser = value::address)]
    pub address: Option<SocketAddr>,

    /// Show what is known to fail, too
    #[arg(long)]
    pub all: bool,
}

/// `bench drill`
#[derive(Args, Debug)]
#[command(after_help = help::DRILL)]
pub struct Drill {
    /// Servers by name, instead of `--servers`
    #[arg(value_name = "NAME", conflicts_with = "servers")]
    pub names: Vec<String>,

    /// Which servers
    #[command(flatten)]
    pub chosen: Chosen,

    /// Drills by name, with commas between, or `all` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub drills: Vec<String>,

    /// Fewer connections and less time, as the tests do: twenty seconds a server
    #[arg(long)]
    pub short: bool,

    /// Say what each drill does, and do none
    #[arg(long)]
    pub list: bool,

    /// A result folder that keeps the findings, for its report
    #[arg(long, value_name = "DIR", conflicts_with = "list", value_parser = value::results)]
    pub keep: Option<PathBuf>,
}

/// `bench microbench`
#[derive(Args, Debug)]
#[command(after_help = help::MICROBENCH)]
pub struct Microbench {
    /// Only benchmarks with this in their names, such as `connection` or `parse/wrk`
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,

    /// A result folder that keeps the figures, for its report
    #[arg(long, value_name = "DIR", value_parser = value::results)]
    pub keep: Option<PathBuf>,

    /// Flags for criterion, after `--`, such as `--save-baseline before`
    #[arg(last = true, value_name = "FLAGS")]
    pub criterion: Vec<String>,
}

/// What a measurement that is gone on with was told when it began.
const FLAGS_OF_A_NEW_ONE: [&str; 16] = [
    "workloads",
    "servers",
    "server_dir",
    "address",
    "pid",
    "label",
    "install",
    "tool",
    "cross_check",
    "control",
    "repetitions",
    "attempts",
    "out",
    "seed",
    "server_cores",
    "tool_cores",
];

/// `bench measure`
#[derive(Args, Debug)]
#[command(after_help = help::MEASURE)]
pub struct Measure {
    /// Suites or single workloads by name, or paths of TOML files
    #[arg(required_unless_present = "resume", value_name = "WORKLOAD")]
    pub workloads: Vec<String>,

    /// Go on with a measurement that was interrupted, as its own command says
    #[arg(long, value_name = "DIR", conflicts_with_all = FLAGS_OF_A_NEW_ONE, value_parser = value::results)]
    pub resume: Option<PathBuf>,

    /// Say nothing on standard error but warnings and errors
    #[arg(long, short)]
    pub quiet: bool,

    /// Which servers
    #[command(flatten)]
    pub chosen: Chosen,

    /// A server that runs already, wherever you have started it; it is measured alone, or beside those of --servers
    #[arg(long, value_name = "HOST:PORT", requires = "label", value_parser = value::address)]
    pub address: Option<SocketAddr>,

    /// Its process, whose CPU time and memory are read, with its children's [default: neither is known]
    #[arg(long, value_name = "N", requires = "address", value_parser = clap::value_parser!(i32).range(1..))]
    pub pid: Option<i32>,

    /// What it is, in the records: a name for its rows, and its version
    #[arg(long = "as", value_name = "NAME VERSION", requires = "address", value_parser = value::label)]
    pub label: Option<Label>,

    /// The load tool, instead of the one that each workload names
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,

    /// Measure each cell by this tool too, and tell where the two disagree
    #[arg(long, value_name = "TOOL")]
    pub cross_check: Option<String>,

    /// The server that is measured twice under two names, to tell how much of a difference is noise, or `none`
    /// [default: the one that keeps the most rules of HTTP, if there are others]
    #[arg(long, value_name = "NAME")]
    pub control: Option<String>,

    /// Runs of each server under each workload [default: what the workload's file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repetitions: Option<u32>,

    /// How often a run is tried that others disturb
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,

    /// The folder for results, which must not be there yet [default: a new one under bench/results]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// The seed of the shuffled order, to repeat one [default: another each time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Cores for the servers, with commas between [default: the first half]
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    pub server_cores: Option<Vec<usize>>,

    /// Cores for the load tool, with commas between [default: the second half]
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    pub tool_cores: Option<Vec<usize>>,
}

/// `bench report`
#[derive(Args, Debug)]
#[command(after_help = help::REPORT)]
pub struct Report {
    /// A result folder
    #[arg(value_name = "DIR", value_parser = value::results)]
    pub folder: PathBuf,

    /// The server that all others are held against, instead of the best one
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,

    /// In what form, and where to
    #[command(flatten)]
    pub printed: Printed,
}

/// `bench explain`
#[derive(Args, Debug)]
#[command(after_help = help::EXPLAIN)]
pub struct Explain {
    /// A result folder that keeps microbenchmarks
    #[arg(value_name = "DIR", value_parser = value::results)]
    pub folder: PathBuf,

    /// In what form, and where to
    #[command(flatten)]
    pub printed: Printed,
}

/// How a document is printed.
#[derive(Args, Debug)]
pub struct Printed {
    /// The form to print it in
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    /// The file to write it to, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `bench compare`
#[derive(Args, Debug)]
#[command(after_help = help::COMPARE)]
pub struct Compare {
    /// The result folder that comes first
    #[arg(value_name = "A", value_parser = value::results)]
    pub a: PathBuf,

    /// The result folder that is compared with it
    #[arg(value_name = "B", value_parser = value::results)]
    pub b: PathBuf,

    /// In what form, and where to
    #[command(flatten)]
    pub printed: Printed,

    /// How many percent worse a figure may be before the exit code says so
    #[arg(long, value_name = "PERCENT", default_value = "0", allow_negative_numbers = true, value_parser = value::percent)]
    pub fail_above: f64,
}

/// `bench history`
#[derive(Args, Debug)]
#[command(after_help = help::HISTORY)]
pub struct History {
    /// The folder that result folders lie in [default: bench/results]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,

    /// The form to print it in
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `bench readme`
#[derive(Args, Debug)]
#[command(after_help = help::README)]
pub struct Readme {
    /// The result folder with the figures
    #[arg(value_name = "DIR", value_parser = value::results)]
    pub folder: PathBuf,
}

/// `bench serve`
#[derive(Args, Debug)]
#[command(after_help = help::SERVE)]
pub struct Serve {
    /// The folder of a server that lies elsewhere, with its `server.toml`, before the server's name
    #[arg(long, value_name = "DIR")]
    pub server_dir: Vec<PathBuf>,

    /// The server's name
    pub name: String,

    /// Flags for the server, such as `--port 8080`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    pub flags: Vec<String>,
}

/// `bench doctor`
#[derive(Args, Debug)]
#[command(after_help = help::DOCTOR)]
pub struct Doctor {}

/// `bench completions`
#[derive(Args, Debug)]
#[command(after_help = help::COMPLETIONS)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `bench man`
#[derive(Args, Debug)]
#[command(after_help = help::MAN)]
pub struct Man {
    /// The folder for a page a command [default: only that of `bench`, to standard output]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
