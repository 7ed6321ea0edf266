//! A checkout with mock servers and mock load tools, in which tests run `bench`.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod suite;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use bench::store::results::{self, Loaded};

pub(crate) use suite::{suite, task, workload};

/// The timeout of each wait. Only a broken harness comes near it.
const LIMIT: Duration = Duration::from_secs(60);

/// The output of a process as text, standard error last.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Returns the output of `bench`. Fails unless `bench` exited with `code` and printed `expected`.
#[track_caller]
pub(crate) fn expect((output, text): (Output, String), arguments: &str, code: i32, expected: &str) -> String {
    assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
    assert!(text.contains(expected), "{arguments}: {text}");
    text
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A temporary checkout, and the results of `bench` in it.
pub(crate) struct Checkout {
    folder: tempfile::TempDir,
}

impl Checkout {
    /// A checkout with servers that misbehave as their names say (see `server.py`), and a suite
    /// called `mock`.
    pub(crate) fn new(servers: &[&str], suite: &str) -> Self {
        let checkout = Self { folder: tempfile::tempdir().unwrap() };
        let mock = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mock/server.py");
        for name in servers {
            let manifest = format!(
                "name = \"{name}\"\ntitle = \"{name}\"\nlanguage = \"Python\"\nruntime = \"mock\"\n\
                 model = \"process\"\nrun = [\"python3\", \"{0}\", \"{name}\"]\n\
                 version = [\"python3\", \"{0}\", \"{name}\", \"--version\"]\n",
                mock.display()
            );
            checkout.write(&format!("servers/mock/{name}/server.toml"), &manifest);
        }
        checkout.write("bench/workloads/mock.toml", suite);
        fs::create_dir(checkout.path("pids")).unwrap();
        checkout
    }

    /// The path of a file in the checkout.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the checkout, and makes its folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// Replaces the text of a file in the checkout.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(String) -> String) {
        self.write(name, &change(fs::read_to_string(self.path(name)).unwrap()));
    }

    /// Adds lines to the manifest of a mock server. The first replaces any line with the same key.
    pub(crate) fn extend_manifest(&self, server: &str, lines: &str) {
        let key = lines.split(' ').next().unwrap_or_default();
        self.change(&format!("servers/mock/{server}/server.toml"), |manifest| {
            let others = manifest.lines().filter(|other| key.is_empty() || !other.starts_with(key));
            others.fold(String::new(), |text, other| text + other + "\n") + lines
        });
    }

    /// Returns a command that runs `bench` with the mock tools first on `PATH`. Each mock creates a
    /// file below `HOME` when it starts: see [`Self::pids`].
    pub(crate) fn bench(&self, arguments: &str) -> Command {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mock");
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(arguments.split(' '));
        // Without retries the number of records does not depend on how busy the machine is.
        let has_own = ["--resume", "--attempts"].iter().any(|flag| arguments.contains(flag));
        if arguments.starts_with("measure") && !has_own {
            command.args(["--attempts", "1"]);
        }
        command.current_dir(self.folder.path()).env("PATH", path);
        command.env("HOME", self.folder.path()).env_remove("CARGO_TARGET_DIR").env_remove("XDG_CACHE_HOME");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Returns a command that runs `bench` by another one, such as a shell that has set a limit.
    pub(crate) fn bench_by(&self, command: &[&str], arguments: &str) -> Command {
        let bench = self.bench(arguments);
        let (program, words) = command.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(words).arg(bench.get_program()).args(bench.get_args()).current_dir(self.path(""));
        for (name, value) in bench.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs `bench` to its end. Also returns its output as text, standard error last.
    pub(crate) fn run(&self, arguments: &str) -> (Output, String) {
        let output = self.bench(arguments).output().unwrap();
        let text = text(&output);
        (output, text)
    }

    /// Runs `bench`, which has to exit with `code` and to print `expected`. Returns its output.
    #[track_caller]
    pub(crate) fn expect(&self, arguments: &str, code: i32, expected: &str) -> String {
        expect(self.run(arguments), arguments, code, expected)
    }

    /// Runs `bench`, which has to succeed. Returns its output.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &str) -> String {
        self.expect(arguments, 0, "")
    }

    /// The results in `out`.
    pub(crate) fn loaded(&self) -> Loaded {
        results::load(&self.path("out")).unwrap()
    }

    /// The names of all mocks that were ever started, such as `server-PID` or `tool-PID`.
    pub(crate) fn pids(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("pids")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Asserts that all mocks that were ever started have ended.
    pub(crate) fn assert_nothing_runs(&self) {
        assert!(!self.pids().is_empty());
        for name in self.pids() {
            assert!(!self.runs(&name), "{name} still runs");
        }
    }

    /// Waits until all mocks that were ever started have ended.
    #[track_caller]
    pub(crate) fn wait_until_nothing_runs(&self, what: &str) {
        for name in self.pids() {
            wait_until(&format!("{what}: {name} ends"), || !self.runs(&name));
        }
    }

    /// Whether the mock with this name, one of [`Self::pids`], runs. Another process may have its
    /// PID by now, but not its `HOME`; a process that has ended, and waits for its parent, has no
    /// variables.
    pub(crate) fn runs(&self, name: &str) -> bool {
        let pid = name.rsplit('-').next().unwrap();
        let home = format!("HOME={}", self.folder.path().display());
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&variables).contains(&home)
    }
}
