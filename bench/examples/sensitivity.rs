//! Which differences can a measurement detect?
//!
//! Four servers are measured as by `bench measure quick-100`: a server and its duplicate, the same
//! program under another name, and the same program with 2 % more CPU time per request. A try has
//! as many repetitions as that measurement. In each try the burdened server should be
//! distinguished from the plain one, and the plain one should not be distinguished from itself.
//! Each repetition is measured in slices, and then once more one server after another.
//!
//! ```sh
//! cargo run --release --package bench --example sensitivity
//! cargo run --release --package bench --example sensitivity -- --busy
//! ```
//!
//! With `--busy`, a loop on each core of both sides takes the core for one second of every three.
#![allow(clippy::indexing_slicing, reason = "a mistake here ends only the experiment")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bench::analysis::statistics::Estimate;
use bench::analysis::summary::{Cell, RunFigure, summarise};
use bench::machine::Machine;
use bench::machine::assignment::{Choice, Layout};
use bench::machine::host::{Host, Launch};
use bench::machine::sides::Sides;
use bench::measure::{Control, Measurement};
use bench::servers::checkout::Checkout;
use bench::servers::server::Server;
use bench::servers::target::Target;
use bench::servers::workload::Task;
use bench::store::record::Record;
use bench::store::results::{self, Results};
use bench::text::progress::Progress;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

const TRIES: u32 = 20;

/// The additional CPU time per request of the burdened server, as a share.
const BURDEN: f64 = 0.02;

/// The length of a slice, which is the default of `bench measure`.
const SLICE: Duration = Duration::from_millis(20);

/// The workload under which the servers are compared.
const WORKLOAD: &str = "quick-100";

/// Time to build the harness and the server on a slow machine.
const BUILD_BOUND: Duration = Duration::from_secs(30 * 60);

fn main() -> anyhow::Result<()> {
    let checkout = Checkout::read(None)?;
    let host = Arc::new(Host::this_machine(checkout.tools())?);
    let words =
        "cargo build --release --locked --package visit --package bench --bin visit --example burdened";
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    host.run(&Launch::build(&words, &checkout.root).shown(true), BUILD_BOUND)?;
    let program = std::env::current_exe()?.with_file_name("burdened");

    let flags: Vec<String> = std::env::args().skip(1).collect();
    let is_busy = match &*flags {
        [] => false,
        [flag] if flag == "--busy" => true,
        _ => bail!("the only flag is --busy"),
    };
    let folder = tempfile::tempdir()?;
    let plain = [server(folder.path(), "plain", &program, None)?];
    let records = measure(&host, &checkout, &plain.each_ref(), 2)?;
    let summaries = summarise(&records);
    let cost = summaries[0].cells[0].median(Record::cpu_per_request).context("there are no figures")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundreds")]
    let burden = (cost * BURDEN * 1e9).round() as u32;
    println!("CPU time per request is {:.2} µs, and the burden is {burden} ns", cost * 1e6);

    let [plain] = plain;
    let again = server(folder.path(), "again", &program, None)?;
    let burdened = server(folder.path(), "burdened", &program, Some(burden))?;
    if is_busy {
        Layout::here(&Choice::default())?.cores.all().into_iter().for_each(keep_busy);
    }
    let records = measure(&host, &checkout, &[&plain, &again, &burdened], TRIES)?;
    summarise(&records).iter().try_for_each(|summary| print(&summary.workload.name, &records))
}

/// Takes a core for one second of every three, until the experiment ends.
fn keep_busy(core: usize) {
    std::thread::spawn(move || -> anyhow::Result<()> {
        let mut set = CpuSet::new();
        set.set(core)?;
        sched_setaffinity(Pid::from_raw(0), &set)?;
        loop {
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(1) {
                std::hint::spin_loop();
            }
            std::thread::sleep(Duration::from_secs(2));
        }
    });
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

/// Measures servers as `bench measure` does, `tries` times. The records are kept in the folder of
/// all results.
fn measure(
    host: &Arc<Host>,
    checkout: &Checkout,
    servers: &[&Server],
    tries: u32,
) -> anyhow::Result<Vec<Record>> {
    let layout = Layout::here(&Choice::default())?;
    let machine = Machine::read(&layout, fastrand::u64(..))?;
    let folder = checkout.results().join(format!("{}-sensitivity-{}", machine.folder_name(), servers.len()));
    let mut workloads = checkout.choose_workloads(&[WORKLOAD.into()])?;
    workloads.extend_from_within(..);
    for (workload, slice) in workloads.iter_mut().zip([Some(SLICE), None]) {
        workload.name += if slice.is_some() { "" } else { "-whole" };
        if let Task::Load(load) = &mut workload.task {
            load.slice = slice;
        }
        workload.divide_repetitions();
        workload.repetitions *= tries;
    }
    let measurement = Measurement {
        sides: &Sides::here(Arc::clone(host), &layout),
        layout: &layout,
        seed: machine.seed,
        servers,
        control: if servers.len() > 1 { Control::Named("plain".into()) } else { Control::Off },
        workloads: &workloads,
        attempts: 3,
        series: false,
        until: None,
        progress: &Progress::new(false),
        after_repetition: &|_, _| {},
    };
    let tally = measurement.run(&mut Results::create(&folder, &machine)?, Vec::new())?;
    ensure!(!tally.interrupted, "interrupted; the records so far are in {}", folder.display());
    println!("records: {}", folder.display());
    Ok(results::load(&folder)?.records)
}

/// Prints a line per try, and the sums.
fn print(workload: &str, records: &[Record]) -> anyhow::Result<()> {
    let is_its = |run: &&Record| run.workload.name == workload;
    let per_try =
        records.iter().filter(is_its).filter_map(|run| run.repetition).max().unwrap_or(TRIES) / TRIES;
    println!("\n{workload}");
    println!("{:>4}  {:>8}  {:>17}  {:>17}  {:>17}  seen", "try", "noise", "duplicate", "burdened", "again");
    let (mut seen, mut mistaken, mut held, mut squares) = (0, 0, 0, 0.0);
    for number in 0..TRIES {
        let in_try = |run: &&Record| {
            run.workload.name == workload
                && run.repetition.is_some_and(|repetition| (repetition - 1) / per_try == number)
        };
        let runs: Vec<Record> = records.iter().filter(in_try).cloned().collect();
        let summaries = summarise(&runs);
        let summary = summaries.first().context("there are no runs of a try")?;
        let cell = |name: &str| summary.cell(name).with_context(|| format!("{name} has no runs"));
        let duplicate = summary.duplicate.as_ref().context("there is no duplicate")?;
        let (plain, again) = (cell("plain")?, cell("again")?);
        // The ratios include disturbed cells, which a report does not rank.
        let ratio = |one: &Cell, other: &Cell| {
            one.raw_ratio_to(other, RunFigure::COST).context("they have no repetition in common")
        };
        let control = ratio(duplicate, plain)?;
        let (burden, itself) = (ratio(cell("burdened")?, plain)?, ratio(again, plain)?);
        let noise = (control.high - 1.0).max(1.0 - control.low).max(0.0);
        let (is_seen, is_mistaken) = (differs(burden, noise), differs(itself, noise));
        seen += u32::from(is_seen);
        mistaken += u32::from(is_mistaken);
        squares += (control.median - 1.0).powi(2);
        for same in [control, itself, ratio(again, duplicate)?] {
            held += u32::from((same.low..=same.high).contains(&1.0));
        }
        println!(
            "{:>4}  {:>6.2} %  {}  {}  {}  {}{}",
            number + 1,
            noise * 100.0,
            shown(control),
            shown(burden),
            shown(itself),
            if is_seen { "burden" } else { "" },
            if is_mistaken { " ITSELF" } else { "" }
        );
    }
    let root_mean_square = (squares / f64::from(TRIES)).sqrt() * 100.0;
    println!("root mean square of the duplicate's difference: {root_mean_square:.2} %");
    println!("intervals of equal servers that hold 1: {held} of {}", 3 * TRIES);
    println!("distinguished from the burdened server: {seen} of {TRIES}; from itself: {mistaken} of {TRIES}");
    Ok(())
}

fn shown(ratio: Estimate) -> String {
    format!("{:.3} {:.3}–{:.3}", ratio.median, ratio.low, ratio.high)
}

/// Whether two servers have different ranks.
fn differs(ratio: Estimate, noise: f64) -> bool {
    (ratio.is_above(1.0) && ratio.median > 1.0 + noise) || (ratio.is_below(1.0) && ratio.median < 1.0 - noise)
}
