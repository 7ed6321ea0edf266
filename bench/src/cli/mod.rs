//! The command line: commands and their flags. Doc comments here are the text of `--help`.

pub mod command;
mod cross_check;
mod help;
mod hosts;
mod measure;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::report::Rules;
use crate::report::format::Format;
use crate::servers::template::Language;
use crate::store::record::Protocol;

pub use self::hosts::{Hosts, ServerHost};
pub use self::measure::{Arrivals, Measure};
pub use self::value::Label;

/// Measures HTTP servers on this machine, and reports what limited each figure.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = help::text(include_str!("help/bench.txt")))]
pub struct Arguments {
    /// The checkout with the servers and workloads [default: the one around the working folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// The command
    #[command(subcommand)]
    pub command: Command,
}

/// The commands. One with several flags has a struct for them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List servers, workloads and load tools, and what this machine lacks
    #[command(after_help = help::text(include_str!("help/list.txt")))]
    List {
        /// Which of them [default: all]
        #[arg(value_enum)]
        what: Option<Listed>,
    },
    /// Create a working server to start from
    New(New),
    /// Find mistakes in the manifests of servers
    #[command(after_help = help::text(include_str!("help/check.txt")))]
    Check {
        /// Servers by name [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Check the answers of servers, and with --conformance how they follow the RFCs
    Verify(Verify),
    /// Inject faults: misbehaving clients, kill -9, no descriptors left, shutdown under load
    Drill(Drill),
    /// Time the parts of a request: the code of the Rust servers, the frameworks and the kernel
    Microbench(Microbench),
    /// Load servers, record each run, and print a report
    Measure(Box<Measure>),
    /// Print the report of a measurement again, or in another format
    Report(Report),
    /// Break down the CPU time per request: kernel, framework, server code
    Explain(Explain),
    /// Measure two states of servers in one session: did a change help?
    Versus(Versus),
    /// Compare a measurement with an earlier one: what got worse, what better?
    Compare(Compare),
    /// List every measurement, and how figures changed from one to the next
    History(History),
    /// Refresh README.md's table and picture from a measurement
    #[command(after_help = help::text(include_str!("help/readme.txt")))]
    Readme {
        /// The result folder with the figures
        #[arg(value_name = "DIR", value_parser = value::results)]
        folder: PathBuf,
    },
    /// Build a server and run it in the foreground
    Serve(Serve),
    /// Check this machine: what it lacks, and whether it is quiet enough to measure on
    #[command(after_help = help::text(include_str!("help/doctor.txt")))]
    Doctor(Hosts),
    /// Run the helper that --server-host and --load-host start on another machine
    #[command(after_help = help::text(include_str!("help/host.txt")))]
    Host {
        /// A value that marks the processes that it starts, so that they can be found and ended
        #[arg(long, value_name = "VALUE")]
        mark: String,
        /// Where it keeps copies of programs
        #[arg(long, value_name = "DIR")]
        cache: PathBuf,
    },
    /// Print the script for a shell's completion
    #[command(after_help = help::text(include_str!("help/completions.txt")))]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write a page per command
    #[command(after_help = help::text(include_str!("help/man.txt")))]
    Man {
        /// Write a page per command into this folder [default: print the page of `bench`]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
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
    /// The conformance cases: severity, what a right answer is, and the rule behind it
    Cases,
}

/// The servers that a command takes.
#[derive(Args, Debug)]
pub struct Chosen {
    /// Servers by name, separated by commas, or `all` [default: those that `bench list` calls available]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub servers: Vec<String>,

    /// The folder of a server outside of the checkout, with its `server.toml`. It is taken alone, or
    /// together with --servers. Repeat the flag for more
    #[arg(long, value_name = "DIR")]
    pub server_dir: Vec<PathBuf>,

    /// First install programs that the servers lack, from Debian's packages, as root
    #[arg(long)]
    pub install: bool,
}

impl Chosen {
    /// The names after the command, or those of `--servers`.
    pub fn names<'a>(&'a self, positional: &'a [String]) -> &'a [String] {
        if positional.is_empty() { &self.servers } else { positional }
    }
}

/// `bench new`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/new.txt")))]
pub struct New {
    /// The server's name, which is also that of its folder
    pub name: String,

    /// The language
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub language: Language,
}

/// `bench verify`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/verify.txt")))]
pub struct Verify {
    /// Servers by name, as with --servers
    #[arg(value_name = "NAME", conflicts_with_all = ["servers", "address"])]
    pub names: Vec<String>,

    /// Which servers
    #[command(flatten)]
    pub chosen: Chosen,

    /// Send all cases about the protocol, whole and split at each byte, and print a table by subject
    #[arg(long)]
    pub conformance: bool,

    /// The protocol: http/1.1, https, h2 or h2c. Without names: all servers that speak it
    #[arg(long, value_name = "PROTOCOL", default_value = "http/1.1", value_parser = value::protocol)]
    pub protocol: Protocol,

    /// Check a server that runs already
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["servers", "server_dir", "install"], value_parser = value::address)]
    pub address: Option<SocketAddr>,

    /// Only these cases, separated by commas; `*` stands for any part of a name [default: all]
    #[arg(long, value_delimiter = ',', value_name = "CASES")]
    pub only: Vec<String>,

    /// Verify a server that answers with this body in place of the greeting; `\n` is a line feed
    #[arg(long, value_name = "TEXT", requires = "address")]
    pub expect_body: Option<String>,

    /// The path whose answer has that body
    #[arg(long, value_name = "PATH", requires = "expect_body", default_value = "/", value_parser = value::path)]
    pub path: String,

    /// Where servers run
    #[command(flatten)]
    pub host: ServerHost,

    /// Also list known failures, and every case of a cause
    #[arg(long)]
    pub all: bool,

    /// The form of what is printed
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    pub format: Form,
}

impl Verify {
    /// Whether the cases of all subjects are asked for, and not only the endpoint's own.
    pub fn is_about_all_cases(&self) -> bool {
        self.conformance || !self.only.is_empty() || self.expect_body.is_some()
    }
}

/// The form of what a check prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines and a table for a terminal
    Text,
    /// The findings as JSON
    Json,
    /// The findings as Markdown, for an issue
    Markdown,
}

/// `bench drill`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/drill.txt")))]
pub struct Drill {
    /// Servers by name, as with --servers
    #[arg(value_name = "NAME", conflicts_with = "servers")]
    pub names: Vec<String>,

    /// Which servers
    #[command(flatten)]
    pub chosen: Chosen,

    /// Where servers run
    #[command(flatten)]
    pub host: ServerHost,

    /// Drills by name, separated by commas, or `all` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub drills: Vec<String>,

    /// The protocol: http/1.1, https, h2 or h2c. Without names: all servers that speak it
    #[arg(long, value_name = "PROTOCOL", default_value = "http/1.1", value_parser = value::protocol)]
    pub protocol: Protocol,

    /// The short form, with fewer connections and less time: twenty seconds per server
    #[arg(long)]
    pub short: bool,

    /// Only list what each drill does
    #[arg(long)]
    pub list: bool,

    /// The result folder to store the findings in, for its report
    #[arg(long, value_name = "DIR", conflicts_with = "list", value_parser = value::results)]
    pub keep: Option<PathBuf>,

    /// The form of what is printed
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    pub format: Form,
}

/// `bench microbench`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/microbench.txt")))]
pub struct Microbench {
    /// Only benchmarks whose names contain this, such as `connection` or `parse/wrk`
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,

    /// The result folder to store the figures in, for its report
    #[arg(long, value_name = "DIR", value_parser = value::results)]
    pub keep: Option<PathBuf>,

    /// Flags for criterion, after `--`, such as `--save-baseline before`
    #[arg(last = true, value_name = "FLAGS")]
    pub criterion: Vec<String>,
}

/// `bench report`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/report.txt")))]
pub struct Report {
    /// A result folder
    #[arg(value_name = "DIR", value_parser = value::results)]
    pub folder: PathBuf,

    /// The server that ratios are relative to [default: the best]
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,

    /// Whether servers are ranked once more among those that keep the rules of HTTP
    #[arg(long, value_enum, value_name = "RULES", default_value = "any")]
    pub rules: Rules,

    /// The format
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `bench explain`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/explain.txt")))]
pub struct Explain {
    /// A result folder that keeps microbenchmarks
    #[arg(value_name = "DIR", value_parser = value::results)]
    pub folder: PathBuf,

    /// In what form, and where to
    #[command(flatten)]
    pub printed: Printed,
}

/// The form of a report, and where it goes.
#[derive(Args, Debug)]
pub struct Printed {
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = value::form_of_document())]
    pub format: Format,

    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `bench compare`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/compare.txt")))]
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

/// `bench versus`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/versus.txt")))]
pub struct Versus {
    /// The state before: a commit of this checkout, another checkout, or the folder of a server
    #[arg(value_name = "BASE")]
    pub base: String,

    /// The state after, in the same way
    #[arg(value_name = "HEAD")]
    pub head: String,

    /// Servers by name, separated by commas, which both states have [default: those that are measured by
    /// default]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub servers: Vec<String>,

    /// Suites or single workloads by name. Repeat the flag for more
    #[arg(long, value_name = "WORKLOAD", default_value = "quick")]
    pub workload: Vec<String>,

    /// Runs of each server under each workload [default: what the workload's file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repetitions: Option<u32>,

    /// Repeat until intervals are narrower than this percentage, as in `bench measure`
    #[arg(long, value_name = "PERCENT", conflicts_with = "repetitions", value_parser = value::width)]
    pub until: Option<f64>,

    /// How many minutes the runs of --until may take, as in `bench measure`
    #[arg(long, value_name = "MINUTES", requires = "until", default_value = "30", value_parser = value::minutes)]
    pub budget: Duration,

    /// The folder for results, which must not exist yet [default: a new one in bench/results]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print only warnings and errors to standard error
    #[arg(long, short)]
    pub quiet: bool,

    /// The form of the comparison
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = value::form_of_document())]
    pub format: Format,

    /// How many percent worse a figure may be before the exit code says so
    #[arg(long, value_name = "PERCENT", default_value = "0", allow_negative_numbers = true, value_parser = value::percent)]
    pub fail_above: f64,
}

/// `bench history`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/history.txt")))]
pub struct History {
    /// The folder that result folders lie in [default: bench/results, or where that cannot be written
    /// to, ~/.local/state/hello-bench]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,

    /// Print the change points of the figure that ranks servers, instead of the list
    #[arg(long)]
    pub changes: bool,

    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = value::form_of_document())]
    pub format: Format,
}

/// `bench serve`
#[derive(Args, Debug)]
#[command(after_help = help::text(include_str!("help/serve.txt")))]
pub struct Serve {
    /// The folder of a server outside of the checkout, with its `server.toml`
    #[arg(long, value_name = "DIR")]
    pub server_dir: Vec<PathBuf>,

    /// Where the server runs
    #[command(flatten)]
    pub host: ServerHost,

    /// The protocol: http/1.1, https, h2 or h2c. Over TLS the server has a new certificate for its
    /// address, signed by itself
    #[arg(long, value_name = "PROTOCOL", default_value = "http/1.1", value_parser = value::protocol)]
    pub protocol: Protocol,

    /// The server's name
    pub name: String,

    /// The server's own flags, such as `--port 8080`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    pub flags: Vec<String>,
}
