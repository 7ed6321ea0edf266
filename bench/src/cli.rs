//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::format::Format;

/// Measures HTTP servers on this machine, and says what bound each figure.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// The checkout with the servers and workloads [default: the one that the working folder lies in]
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  bench list                                        what there is, and what this machine lacks
  bench verify --servers hyper,threads              does a server answer as it should?
  bench verify --conformance                        does it keep the rules of HTTP/1.1?
  bench verify --conformance --address 127.0.0.1:80 and one that somebody else started?
  bench drill --servers threads --drills kill,idle  does it stand misfortune, and clients that misbehave?
  bench microbench connection                       what does a request cost in our own code?
  bench measure quick                               a first answer, in minutes
  bench measure article                             the article's three scenarios on every server
  bench measure article-5s-1 --servers hyper,actix --repetitions 5
  bench measure quick --cross-check wrk             two tools have to agree
  bench measure --resume bench/results/20260101T120000Z-host
  bench report bench/results/20260101T120000Z-host  the tables of a measurement, again
  bench compare results/before results/after        did anything get worse?
  bench serve threads --port 8080                   start a server and keep it in the foreground

Exit codes: 0 all is well, 1 something failed, 2 wrong usage, 130 interrupted.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List servers, workloads and tools, and what this machine lacks
    List(List),
    /// Check that servers answer as the endpoint should
    Verify(Verify),
    /// Try how servers stand misfortune, and clients that misbehave
    Drill(Drill),
    /// Time the code that the Rust servers share, without a kernel or a runtime
    Microbench(Microbench),
    /// Load servers, keep a record of each run, and print the tables
    Measure(Measure),
    /// Print the tables of a measurement, from its records
    Report(Report),
    /// Hold a measurement against an earlier one, and say what got worse
    Compare(Compare),
    /// List every measurement, and how figures went from one to the next
    History(History),
    /// Refresh README.md's table and picture from a measurement
    Record(Record),
    /// Build a server and run it in the foreground
    Serve(Serve),
}

/// `bench list`
#[derive(Args, Debug)]
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

/// `bench verify`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_VERIFYING)]
pub struct Verify {
    /// Servers by name, with commas between, or `all` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub servers: Vec<String>,

    /// Ask all cases about HTTP/1.1, also split at each byte, and print a table by subject
    #[arg(long)]
    pub conformance: bool,

    /// Ask a server that runs already, instead of starting ours
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "servers", value_parser = address)]
    pub address: Option<SocketAddr>,

    /// Show what is known to fail, too
    #[arg(long)]
    pub all: bool,
}

const ABOUT_VERIFYING: &str = "Each server is held against its manifest: the cases among its [[gaps]] have to fail, and all others to pass. \
Exit code 1 says that a server is not as its manifest says, either way; with --address, that a case failed.

A case is a request or more, in raw bytes, and the answers that are right. It fails as `smuggling` when a request was answered \
that is hidden within another, as `wrong` when a rule is broken, and as `strict` when the RFCs leave the choice and the \
endpoint does not. Without --conformance only the endpoint's own cases are asked.";

/// `bench drill`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_DRILLS)]
pub struct Drill {
    /// Servers by name, with commas between, or `all` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub servers: Vec<String>,

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
    #[arg(long, value_name = "DIR", conflicts_with = "list")]
    pub keep: Option<PathBuf>,
}

const ABOUT_DRILLS: &str = "Each drill starts a server, has it suffer one kind of trouble, and ends with a figure or with what \
went wrong. All of them take two minutes a server. No figure is a speed.

A server fails as known when its manifest has `drill/NAME` among its [[gaps]]. Exit code 1 says that a server is not as \
its manifest says, either way.

With --keep each finding is a line in the folder's drills.jsonl when it is made. Of a server that is drilled twice the later \
finding counts.

Example:
  bench drill --servers hyper,threads --keep bench/results/20260101T120000Z-host";

/// `bench microbench`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_CODE)]
pub struct Microbench {
    /// Only benchmarks with this in their names, such as `connection` or `parse/wrk`
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,

    /// A result folder that keeps the figures, for its report
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

const ABOUT_CODE: &str = "Criterion does the work, in the checkout, and draws pages. Shown are the benchmarks that this run has made: \
the median time of a piece, such as a request, its 95 % interval, and how many that are a second. All of them take a minute and a \
half once they are built.

With --keep the figures are in the folder's code.json. The report has them beside the CPU time that a server used for a request.

Examples:
  bench microbench connection
  bench microbench --keep bench/results/20260101T120000Z-host";

/// `bench measure`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_MEASURING)]
pub struct Measure {
    /// Suites or single workloads by name, or paths of TOML files
    #[arg(required_unless_present = "resume", value_name = "WORKLOAD")]
    pub workloads: Vec<String>,

    /// Go on with a measurement that was interrupted, as its own command says
    #[arg(long, value_name = "DIR", exclusive = true)]
    pub resume: Option<PathBuf>,

    /// Servers by name, with commas between, or `all` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub servers: Vec<String>,

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

const ABOUT_MEASURING: &str = "Servers get one half of the cores, the load tool the other, and where there are more than two the \
harness keeps to one that is neither's. Repetitions are the outer loop, and servers are shuffled in each. Every run is a line \
in measurements.jsonl when it is made, so nothing that was measured is lost, whatever happens.

Ctrl-C ends a measurement, reports what there is, and leaves nothing running; `bench measure --resume DIR` goes on with it. \
`bench list workloads` says what can be measured and how long it takes, METHODOLOGY.md what the figures mean.";

/// `bench report`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_REPORTS)]
pub struct Report {
    /// A result folder
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// The form to print it in
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    /// The file to write it to, instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

const ABOUT_REPORTS: &str = "A report is made from the records alone, as often as you like. `bench measure` ends with one, and leaves every form of \
it, the page and its charts among them, in DIR/report.

Examples:
  bench report bench/results/20260101T120000Z-host                               the sentences and tables again
  bench report bench/results/20260101T120000Z-host --format markdown             for an issue or a README
  bench report bench/results/20260101T120000Z-host --format html --output a.html a page to send to a colleague
  bench report bench/results/20260101T120000Z-host --format csv | column -ts,    a line a figure, for other programs";

/// `bench compare`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_COMPARING)]
pub struct Compare {
    /// The result folder that comes first
    #[arg(value_name = "A")]
    pub a: PathBuf,

    /// The result folder that is held against it
    #[arg(value_name = "B")]
    pub b: PathBuf,

    /// How many percent worse a figure may be before the exit code says so
    #[arg(long, value_name = "PERCENT", default_value = "0", allow_negative_numbers = true, value_parser = percent)]
    pub fail_above: f64,
}

const ABOUT_COMPARING: &str = "Each server is held against itself under each workload and tool that both folders have. Compared \
are CPU time a request; requests/s where the server used its cores up in both, as they are a fact about the tool otherwise; the \
99th percentile of open loops whose rates were held and are the same but for 10 %; the time to the first answer; and memory a \
connection.

A figure is worse, or better, when both folders have five repetitions or more, the interval of the ratio of B to A leaves \
out 1, and the median ratio lies beyond what a server differs from itself in either folder (the A/A control). Otherwise it is \
the same: the two cannot be told apart. A server that worked in A and has no figures in B, or failed requests, is broken; what is \
invalid or was disturbed for another reason is not judged. The machine, too, is another from day to day, and no control knows \
of that: measure A and B soon after each other.

Exit code 1 says that a figure is worse by more than --fail-above, as medians go, that a server is broken, or that a folder \
could not be read; 0 that none is, also where nothing could be compared. Twice the CPU time is worse by 100 %, half the requests/s by 50 %.

Examples:
  bench compare bench/results/20260101T120000Z-host bench/results/20260102T120000Z-host
  bench compare results/main results/branch --fail-above 5     for CI: small losses are let through";

/// `bench history`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_HISTORY)]
pub struct History {
    /// The folder that result folders lie in [default: bench/results]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,

    /// The form to print it in
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

const ABOUT_HISTORY: &str = "Each measurement is held against the one before it on the same machine, as `bench compare` does. How figures went is drawn on \
a page, DIR/history.html.

Examples:
  bench history                       every measurement in bench/results
  bench history results --format csv  those in another folder, for other programs";

/// `bench record`
#[derive(Args, Debug)]
#[command(after_help = ABOUT_RECORDING)]
pub struct Record {
    /// The result folder with the figures
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

const ABOUT_RECORDING: &str = "Keeps the records that the answer comes from in bench/recorded, draws the picture there, and writes the part of README.md \
that shows them. `scripts/record` measures before.

Example:
  bench record bench/results/20260101T120000Z-host";

/// `bench serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// The server's name
    pub name: String,

    /// Flags for the server, such as `--port 8080`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    pub flags: Vec<String>,
}

/// A share of a hundred that is 0 or more.
fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent),
        _ => Err("it is a number that is 0 or more, such as 5 or 2.5".into()),
    }
}

/// The first address that `HOST:PORT` means.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses =
        text.to_socket_addrs().map_err(|error| format!("{error}; it looks like 127.0.0.1:8080"))?;
    addresses.next().ok_or_else(|| "the name has no address".into())
}
