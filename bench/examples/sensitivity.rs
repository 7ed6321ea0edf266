//! Which differences does a measurement see?
//!
//! Four servers are measured as by `bench measure quick`: a server and its duplicate, the same
//! program under another name, and the same program with 5 % more CPU time per request. Ten
//! repetitions are a try. In each try the burdened server should be distinguished from the plain
//! one, and the plain one should not be distinguished from itself.
//!
//! ```sh
//! cargo run --release --package bench --example sensitivity
//! ```
#![allow(clippy::indexing_slicing, reason = "a mistake here ends only the experiment")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use bench::analysis::summary::{Cell, RunFigure, WorkloadSummary, summarise};
use bench::machine::Machine;
use bench::machine::assignment::{Choice, Layout};
use bench::machine::host::{Host, Launch};
use bench::measure::{Control, Measurement};
use bench::servers::checkout::Checkout;
use bench::servers::server::Server;
use bench::servers::target::Target;
use bench::servers::workload::Workload;
use bench::store::record::Record;
use bench::store::results::{self, Results};
use bench::text::progress::Progress;

const TRIES: u32 = 20;

/// Repetitions per try; `quick` has five, and a user who wants to be sure asks for more.
const REPETITIONS: u32 = 10;

/// The additional CPU time per request of the burdened server, as a share.
const BURDEN: f64 = 0.05;

/// The workload under which the servers are compared.
const WORKLOAD: &str = "quick-100";

/// Time to build the harness and the server on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

fn main() -> anyhow::Result<()> {
    let checkout = Checkout::read(None)?;
    let host = Host::this_machine(checkout.tools())?;
    let words =
        "cargo build --release --locked --package visit --package bench --bin visit --example burdened";
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    host.run(&Launch::build(&words, &checkout.root).shown(true), BUILD_BOUND)?;
    let program = std::env::current_exe()?.with_file_name("burdened");

    let folder = tempfile::tempdir()?;
    let plain = [server(folder.path(), "plain", &program, None)?];
    let records = measure(&host, &checkout, &plain.each_ref(), REPETITIONS)?;
    let summaries = summarise(&records);
    let cost = summaries[0].cells[0].median(Record::cpu_per_request).context("there are no figures")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundreds")]
    let burden = (cost * BURDEN * 1e9).round() as u32;
    println!("CPU time per request is {:.2} µs, and the burden is {burden} ns", cost * 1e6);

    let [plain] = plain;
    let again = server(folder.path(), "again", &program, None)?;
    let burdened = server(folder.path(), "burdened", &program, Some(burden))?;
    let records = measure(&host, &checkout, &[&plain, &again, &burdened], TRIES * REPETITIONS)?;
    print(&records)
}

/// A server that runs the program, with its manifest.
fn server(parent: &Path, name: &str, program: &Path, burden: Option<u32>) -> anyhow::Result<Server> {
    let folder: PathBuf = parent.join(name);
    std::fs::create_dir(&folder)?;
    let burden = burden.map_or_else(String::new, |burden| format!(", \"--burden\", \"{burden}\""));
    let manifest = format!(
        "name = \"{name}\"\ntitle = \"{name}\"\nlanguage = \"Rust\"\nruntime = \"std\"\nmodel = \"event loop\"\n\
         run = [\"{0}\"{burden}]\nversion = [\"{0}\", \"--version\"]\n",
        program.display()
    );
    std::fs::write(folder.join("server.toml"), manifest)?;
    Server::read(&folder, &Target::find(parent))
}

/// Measures servers as `bench measure` does. The records are kept in the folder of all results.
fn measure(
    host: &Host,
    checkout: &Checkout,
    servers: &[&Server],
    repetitions: u32,
) -> anyhow::Result<Vec<Record>> {
    let layout = Layout::here(&Choice::default())?;
    let machine = Machine::read(&layout, fastrand::u64(..))?;
    let folder = checkout.results().join(format!("{}-sensitivity-{}", machine.folder_name(), servers.len()));
    let mut workloads = checkout.choose_workloads(&[WORKLOAD.into()])?;
    workloads.iter_mut().for_each(|workload: &mut Workload| workload.repetitions = repetitions);
    let measurement = Measurement {
        host,
        layout: &layout,
        seed: machine.seed,
        servers,
        control: if servers.len() > 1 { Control::Named("plain".into()) } else { Control::Off },
        workloads: &workloads,
        attempts: 3,
        progress: &Progress::new(false),
        after_repetition: &|_, _| {},
    };
    let tally = measurement.run(&mut Results::create(&folder, &machine)?, Vec::new())?;
    ensure!(!tally.interrupted, "interrupted; the records so far are in {}", folder.display());
    println!("records: {}", folder.display());
    Ok(results::load(&folder)?.records)
}

/// Prints a line per try, and the sums.
fn print(records: &[Record]) -> anyhow::Result<()> {
    println!("{:>4}  {:>8}  {:>16}  {:>16}  seen", "try", "noise", "burdened", "again");
    let (mut seen, mut mistaken) = (0, 0);
    for number in 0..TRIES {
        let in_try =
            |run: &&Record| run.repetition.is_some_and(|repetition| (repetition - 1) / REPETITIONS == number);
        let runs: Vec<Record> = records.iter().filter(in_try).cloned().collect();
        let summaries = summarise(&runs);
        let summary = summaries.first().context("there are no runs of a try")?;
        let noise = summary.noise().context("there is no duplicate")?;
        let (burdened, is_seen) = distinguish(summary, "burdened", noise)?;
        let (again, is_mistaken) = distinguish(summary, "again", noise)?;
        seen += u32::from(is_seen);
        mistaken += u32::from(is_mistaken);
        let word = |is: bool, word| if is { word } else { "" };
        println!(
            "{:>4}  {:>6.2} %  {burdened}  {again}  {}{}",
            number + 1,
            noise * 100.0,
            word(is_seen, "burden"),
            word(is_mistaken, " ITSELF")
        );
    }
    println!("distinguished from the burdened server: {seen} of {TRIES}; from itself: {mistaken} of {TRIES}");
    Ok(())
}

/// The ratio to the plain server, and whether the two have different ranks.
fn distinguish(summary: &WorkloadSummary, name: &str, noise: f64) -> anyhow::Result<(String, bool)> {
    let cell = |name: &str| summary.cells.iter().find(|cell| cell.server.name == name);
    let pair = cell(name).zip(cell("plain"));
    let (other, plain): (&Cell, &Cell) = pair.with_context(|| format!("{name} has no runs"))?;
    let ratio = other.ratio_to(plain, RunFigure::COST).context("they have no repetition in common")?;
    let noise = Some(noise);
    let differs = summary.is_below(plain, other, noise) || summary.is_below(other, plain, noise);
    Ok((format!("{:.3} {:.3}–{:.3}", ratio.median, ratio.low, ratio.high), differs))
}
