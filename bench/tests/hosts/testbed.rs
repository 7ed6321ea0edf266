//! Hosts, and a checkout whose servers run on them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use bench::store::record::Record;
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::mock::{Checkout, expect, suite, text, wait_until, workload};
use crate::rig::Rig;

/// Hosts and a checkout.
pub(crate) struct Testbed {
    pub(crate) rig: Rig,
    pub(crate) checkout: Checkout,
    names: Vec<String>,
    /// The cache folder of all hosts, if they share one.
    cache: Option<Arc<TempDir>>,
}

/// The pause before each look at all processes, which takes some milliseconds of a core itself.
const LOOK: Duration = Duration::from_millis(100);

/// The cache folder that all hosts of [`Testbed::warm`] share, as long as one of them exists.
static CACHE: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());

/// The variable of all processes that the harness or one of its helpers has started.
const VARIABLE: &str = "BENCH_STARTED_BY=";

impl Testbed {
    /// Makes hosts with these names, and a checkout with these mock servers and a suite called
    /// `mock`. Returns `None`, and prints why, where this machine cannot have such hosts.
    pub(crate) fn new(names: &[&str], servers: &[&str], suite: &str) -> Option<Self> {
        let rig = match Rig::up(names) {
            Ok(rig) => rig,
            Err(why) => {
                eprintln!("skipped: {why}");
                return None;
            }
        };
        let names = names.iter().map(ToString::to_string).collect();
        let testbed = Self { rig, checkout: checkout(servers, suite), names, cache: None };
        for name in &testbed.names {
            fs::create_dir(testbed.home(name).join("pids")).unwrap();
        }
        Some(testbed)
    }

    /// Does what [`Testbed::new`] does, with hosts that have the helper and `visit` already.
    pub(crate) fn warm(names: &[&str], servers: &[&str], suite: &str) -> Option<Self> {
        let mut testbed = Self::new(names, servers, suite)?;
        let cache = cache();
        for name in &testbed.names {
            symlink(cache.path(), testbed.home(name).join(".cache")).unwrap();
        }
        testbed.cache = Some(cache);
        Some(testbed)
    }

    /// The folder that is `HOME` on a host.
    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.rig.path("hosts").join(name).join("home")
    }

    /// A command that runs `bench`, which reaches the hosts by the rig's ssh.
    pub(crate) fn bench(&self, arguments: &str) -> Command {
        let mut bench = self.checkout.bench(arguments);
        bench.args(["--ssh", &self.rig.ssh()]);
        bench
    }

    /// Runs `bench` to its end, and waits until nothing that it has started runs anywhere. Also
    /// returns its output as text, standard error last.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &str) -> (Output, String) {
        self.run_by(&self.rig.ssh(), arguments)
    }

    /// Does what [`Testbed::run`] does, with `ssh` as the command that reaches the hosts.
    #[track_caller]
    pub(crate) fn run_by(&self, ssh: &str, arguments: &str) -> (Output, String) {
        let bench = self.checkout.bench(arguments).args(["--ssh", ssh]).spawn().unwrap();
        let pid = bench.id();
        let output = bench.wait_with_output().unwrap();
        self.await_nothing(arguments, pid);
        let text = text(&output);
        (output, text)
    }

    /// Runs `bench`, which has to exit with `code` and to print `expected`. Returns its output.
    #[track_caller]
    pub(crate) fn expect(&self, arguments: &str, code: i32, expected: &str) -> String {
        expect(self.run(arguments), arguments, code, expected)
    }

    /// All records of the result folder, with their histograms, which `results::load` leaves out.
    pub(crate) fn records(&self) -> Vec<Record> {
        records(&self.checkout.path("out"))
    }

    /// The processes on a host, except for sshd's sessions, which do not end while the link is
    /// down.
    pub(crate) fn runs(&self, name: &str) -> Vec<i32> {
        thread::sleep(LOOK);
        let mut pids = self.rig.pids(name);
        let sessions = self.rig.sessions(name);
        pids.retain(|pid| !sessions.contains(pid));
        pids
    }

    /// Waits until nothing runs on any host, and nothing that this harness has started runs here.
    /// Asserts that no folder of a run is left on a host.
    #[track_caller]
    pub(crate) fn await_nothing(&self, what: &str, harness: u32) {
        for name in &self.names {
            wait_until(&format!("{what}: nothing runs on {name}"), || self.runs(name).is_empty());
        }
        await_nothing_of(what, harness);
        let own = format!("run-{harness}-");
        for name in &self.names {
            let kept = fs::read_dir(self.home(name).join(".cache/hello-bench")).into_iter().flatten();
            let names = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let left: Vec<String> = names.filter(|name| name.starts_with(&own)).collect();
            assert!(left.is_empty(), "{what}: {left:?} are left on {name}");
        }
    }
}

/// The shared cache. A new one is filled by a `bench` that uses the mock `ssh`.
fn cache() -> Arc<TempDir> {
    let mut known = CACHE.lock();
    if let Some(cache) = known.upgrade() {
        return cache;
    }
    let cache = Arc::new(tempfile::tempdir().unwrap());
    // A server that ends at once: it is enough that `bench` can try to start it there.
    let checkout = checkout(&["dead"], &suite(&[workload("load")]));
    symlink(cache.path(), checkout.path(".cache")).unwrap();
    let mut bench = checkout.bench("verify dead --server-host there");
    let output = text(&bench.args(["--ssh", &mock_ssh("nothing nowhere")]).output().unwrap());
    assert!(output.contains("no luck today"), "{output}");
    *known = Arc::downgrade(&cache);
    cache
}

/// The command that runs the mock `ssh` with this fault.
pub(crate) fn mock_ssh(fault: &str) -> String {
    format!("{}/tests/hosts/ssh {fault}", env!("CARGO_MANIFEST_DIR"))
}

/// A checkout whose servers run from their own folders, so that they can be copied.
pub(crate) fn checkout(servers: &[&str], suite: &str) -> Checkout {
    let checkout = Checkout::new(servers, suite);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mock/server.py");
    for server in servers {
        let folder = format!("servers/mock/{server}");
        checkout.write(&format!("{folder}/server.py"), &fs::read_to_string(&script).unwrap());
        checkout.change(&format!("{folder}/server.toml"), |manifest| {
            manifest.replace(&script.display().to_string(), "server.py")
        });
    }
    checkout
}

/// All records of a result folder.
pub(crate) fn records(folder: &Path) -> Vec<Record> {
    let lines = fs::read_to_string(folder.join("measurements.jsonl")).unwrap_or_default();
    // The last line may be incomplete.
    let complete = lines.rsplit_once('\n').map_or("", |(complete, _)| complete);
    complete.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until no process is left that this harness or one of its helpers has started, also on
/// hosts that are namespaces of this machine.
#[track_caller]
pub(crate) fn await_nothing_of(what: &str, harness: u32) {
    let mark = format!("{VARIABLE}{harness}-");
    let mut left = Vec::new();
    let is_its = |folder: &Path| {
        let read = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&[read("environ"), read("cmdline")].concat()).into_owned();
        text.split('\0').any(|part| part.starts_with(&mark)).then_some(text)
    };
    wait_until(&format!("{what}: nothing of it runs"), || {
        thread::sleep(LOOK);
        let folders = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        left = folders.filter_map(|folder| is_its(&folder)).collect();
        left.is_empty()
    });
}

/// All processes of this machine, including those on hosts that are its namespaces.
pub(crate) fn pids() -> Vec<i32> {
    let folders = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    folders.filter_map(|name| name.to_str()?.parse().ok()).collect()
}

/// The processes among `pids` whose command line has all of these parts.
pub(crate) fn with_words(pids: &[i32], parts: &[&str]) -> Vec<i32> {
    let has_all = |pid: &&i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        parts.iter().all(|part| words.contains(part))
    };
    pids.iter().filter(has_all).copied().collect()
}
