//! A server as its manifest, `servers/<language>/<name>/server.toml`, describes it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::machine::host::AttachedProcess;
use crate::servers::target::Target;
use crate::store::record::Protocol;
use crate::text::toml_file;

/// The placeholder for the folder of cargo's programs in the commands of a manifest.
pub const TARGET: &str = "{target}";

/// What `[[limits]]` of a manifest may name: a flag without its hyphens, or a limit without a flag.
pub const LIMITS: [&str; 9] = [
    "workers",
    "max-connections",
    "head-timeout",
    "idle-timeout",
    "write-timeout",
    "drain-timeout",
    "head",
    "target",
    "body",
];

/// The most bytes of a name. Longer names make tables too wide.
const NAME_BYTES: usize = 30;

/// The language, runtime and model of an attached server, which has no manifest.
const UNKNOWN: &str = "unknown";

/// A longer warm-up before each run would be a mistake: Jetty's is six seconds.
const LONGEST_WARM_UP_SECONDS: f64 = 60.0;

/// Returns what is wrong with a name for a server, if anything is. The name is also that of a
/// folder, a part of the program's name and a value of `--servers`.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if ["all", "none"].contains(&name) {
        Some("`all` and `none` have a meaning of their own for --servers and --control")
    } else if !begins || name.ends_with('-') || !name.bytes().all(is_allowed) || name.len() > NAME_BYTES {
        Some(
            "it is made of small letters, digits and `-`, begins with a letter and does not end with `-`, 30 characters at most",
        )
    } else {
        None
    }
}

/// How a server handles many connections at once.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Model {
    /// Blocking threads, each of which handles several connections over time.
    #[serde(rename = "thread pool")]
    ThreadPool,
    /// Threads that never block, any of which may handle any connection.
    #[serde(rename = "event loop")]
    EventLoop,
    /// Stackful coroutines: blocking code on threads that never block.
    #[serde(rename = "coroutine")]
    Coroutine,
    /// An event loop per core, each with its own connections.
    #[serde(rename = "thread per core")]
    ThreadPerCore,
    /// Processes, each of which handles one connection at a time or has an event loop of its own.
    #[serde(rename = "process")]
    Process,
    /// The model of an attached server. No manifest has it.
    #[default]
    #[serde(skip)]
    Unknown,
}

impl Model {
    /// The name in manifests and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThreadPool => "thread pool",
            Self::EventLoop => "event loop",
            Self::Coroutine => "coroutine",
            Self::ThreadPerCore => "thread per core",
            Self::Process => "process",
            Self::Unknown => UNKNOWN,
        }
    }
}

/// A program that a server needs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The program's name on `PATH`.
    pub program: String,
    /// How to get the program, as the end of a sentence.
    pub hint: String,
    /// The Debian package that has it, for `--install`.
    pub debian: Option<String>,
}

/// Conformance cases and drills that the server is known to fail, for one reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownFailure {
    /// The cases as `subject/name`; a drill's subject is `drill`, `https-drill` or `h2-drill`.
    #[schemars(length(min = 1))]
    pub cases: Vec<String>,
    /// The reason why the server fails them, in a sentence.
    pub reason: String,
    /// Whether the cases pass on some runs. A pass is then not reported.
    #[serde(default)]
    pub flaky: bool,
    /// Whether the cases fail only when the request arrives in two pieces. They pass as a whole.
    #[serde(default)]
    pub only_split: bool,
}

impl KnownFailure {
    /// Whether the server fails the cases on every run, however the request arrives.
    pub fn is_certain(&self) -> bool {
        !self.flaky && !self.only_split
    }
}

/// Limits or flags of the process contract that the server does not honour, for one reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmetLimit {
    /// The flags, without hyphens, or `head`, `target` and `body`.
    #[schemars(length(min = 1))]
    pub names: Vec<String>,
    /// The reason why the server cannot honour them, in a sentence.
    pub reason: String,
}

/// The microbenchmarks, by their full names, whose times add up to a part of a request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// The benchmarks of the framework; none if the server has no framework.
    #[serde(default)]
    pub framework: Vec<String>,
    /// The benchmarks of the code in this repository.
    #[serde(default)]
    pub own: Vec<String>,
}

/// A server: what it is, and the commands that build it, run it and print its version. This is also
/// the form of `server.toml`; `bench check` quotes the first sentence below of a field that is missing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The name of the server's folder.
    pub name: String,
    /// The name in reports.
    pub title: String,
    /// The language it is written in.
    pub language: String,
    /// The runtime that it stands for, and its HTTP library.
    pub runtime: String,
    /// The way it handles many connections at once.
    pub model: Model,
    /// Its folder, where its commands run.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The folder that `{target}` stands for in its commands.
    #[serde(skip)]
    pub target: PathBuf,
    /// The variables that its build is given, as `NAME=value`.
    #[serde(skip)]
    pub variables: Vec<String>,
    /// The program that builds it, and its arguments; empty if there is nothing to build.
    #[serde(default)]
    pub build: Vec<String>,
    /// The program that runs it, and its arguments. The flags of the process contract follow.
    #[schemars(length(min = 1))]
    pub run: Vec<String>,
    /// The program that prints its version, and its arguments.
    #[schemars(length(min = 1))]
    pub version: Vec<String>,
    /// The program that fails if this machine cannot run the server although it is built, with the
    /// reason as its last line on standard error; empty if there is none.
    #[serde(default)]
    pub check: Vec<String>,
    /// Whether it is a floor and not a server: it answers at the lowest possible cost, without HTTP.
    #[serde(default, rename = "floor")]
    pub is_floor: bool,
    /// Whether commands take it when the user names no server.
    #[serde(default = "by_default", rename = "default")]
    pub is_default: bool,
    /// Whether the user named its folder by `--server-dir`.
    #[serde(skip)]
    pub is_given: bool,
    /// The address and the process, if the user has started the server. It has no commands then.
    #[serde(skip)]
    pub attached: Option<Attached>,
    /// The name in the article's table, if it is one of the article's two programs.
    pub article: Option<String>,
    /// The protocols that it speaks: `http/1.1`, `https`, `h2c`, `h2`.
    #[serde(default = "http_1")]
    pub protocols: Vec<Protocol>,
    /// The programs that it needs.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// The conformance cases and drills that it is known to fail.
    #[serde(default)]
    pub known_failures: Vec<KnownFailure>,
    /// The number of hidden requests that it answers, apart from those in known failures: for other
    /// projects' software, the manifest does not name the cases that show them.
    #[serde(default)]
    pub hidden: usize,
    /// The minimum time of load before a measured run, in seconds, if the workload has a warm-up: for a
    /// runtime that compiles code while it runs.
    pub warm_up_seconds: Option<f64>,
    /// The limits that it is known not to honour.
    #[serde(default)]
    pub limits: Vec<UnmetLimit>,
    /// The parts of a request's CPU time, by microbenchmarks.
    pub costs: Option<Costs>,
    /// The instructions that a request may take, if the tests count them.
    pub instructions: Option<f64>,
}

/// A server that the user has started.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The address at which it listens.
    pub address: SocketAddr,
    /// Its process, if the user gave `--pid`.
    pub process: Option<AttachedProcess>,
    /// Its version as the user gave it: the harness cannot ask for it.
    pub version: String,
}

/// The form of a manifest, as a JSON schema without references.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Server>()
}

/// The value of `default` in a manifest that does not have it.
fn by_default() -> bool {
    true
}

/// The value of `protocols` in a manifest that does not have it.
fn http_1() -> Vec<Protocol> {
    vec![Protocol::Http1]
}

impl Server {
    /// A server that the user has started.
    pub fn attached(name: String, attached: Attached) -> Self {
        Self {
            title: name.clone(),
            name,
            language: UNKNOWN.into(),
            runtime: UNKNOWN.into(),
            is_given: true,
            protocols: http_1(),
            attached: Some(attached),
            ..Self::default()
        }
    }

    /// Reads the manifest in `folder` of a server that is built in `target`. Fails when the manifest
    /// cannot be read, has a mistake, or names another folder.
    pub fn read(folder: &Path, target: &Target) -> anyhow::Result<Self> {
        let path = folder.join("server.toml");
        let mut server: Self = toml_file::read(&path)?;
        let expected =
            folder.file_name().and_then(|name| name.to_str()).context("a server's folder has a name")?;
        if server.name != expected {
            bail!("{}: name is `{}`, but the folder is `{expected}`", path.display(), server.name);
        }
        for (field, command) in [("run", &server.run), ("version", &server.version)] {
            if command.is_empty() {
                bail!("{}: {field} is empty: it names a program and its arguments", path.display());
            }
        }
        if server.warm_up_seconds.is_some_and(|seconds| !(0.0..=LONGEST_WARM_UP_SECONDS).contains(&seconds)) {
            bail!("{}: warm_up_seconds is not from 0 to {LONGEST_WARM_UP_SECONDS}", path.display());
        }
        if let Some(failure) =
            server.known_failures.iter().find(|failure| failure.flaky && failure.only_split)
        {
            let cases = failure.cases.join(", ");
            bail!("{}: flaky and only_split exclude each other, of {cases}", path.display());
        }
        folder.clone_into(&mut server.folder);
        server.target = target.programs();
        server.variables.extend(target.home());
        let programs = target.programs().display().to_string();
        let Self { variables, build, run, version, check, .. } = &mut server;
        // A server outside of the checkout may be built in a folder of its own.
        if [&*run, version, check].into_iter().flatten().any(|word| word.contains(TARGET)) {
            variables.extend(target.variables());
        }
        for word in [build, run, version, check].into_iter().flatten() {
            *word = word.replace(TARGET, &programs);
        }
        Ok(server)
    }

    /// The flag that selects the server in a command.
    pub fn flag(&self) -> String {
        if let Some(attached) = &self.attached {
            format!("--address {}", attached.address)
        } else if self.is_given {
            format!("--server-dir {}", self.folder.display())
        } else {
            format!("--servers {}", self.name)
        }
    }

    /// The known failure that lists the case or drill, with its reason.
    pub fn known_failure(&self, case: &str) -> Option<&KnownFailure> {
        self.known_failures.iter().find(|failure| failure.cases.iter().any(|known| known == case))
    }

    /// Every case and drill that the server is known to fail.
    pub fn known_failure_names(&self) -> impl Iterator<Item = &str> {
        self.known_failures.iter().flat_map(|failure| &failure.cases).map(String::as_str)
    }

    /// Whether the server honours the limit or the flag of this name, as far as is known.
    pub fn honours(&self, limit: &str) -> bool {
        !self.limits.iter().flat_map(|unmet| &unmet.names).any(|name| name == limit)
    }

    /// How long the server is loaded before a run is measured: as long as the workload says but,
    /// unless that is zero, at least as long as the manifest says.
    pub fn warm_up(&self, of_workload: Duration) -> Duration {
        let own = Duration::from_secs_f64(self.warm_up_seconds.unwrap_or_default());
        if of_workload.is_zero() { of_workload } else { of_workload.max(own) }
    }

    /// The requirements whose programs are missing according to `has_program`.
    pub fn missing(&self, has_program: impl Fn(&str) -> bool) -> impl Iterator<Item = &Requirement> {
        self.requires.iter().filter(move |requirement| !has_program(&requirement.program))
    }

    /// The first missing requirement according to `has_program`, as text after `unavailable: `.
    pub fn lacks(&self, has_program: impl Fn(&str) -> bool) -> Option<String> {
        let missing = self.missing(has_program).next()?;
        Some(format!("there is no `{}` here; {}", missing.program, missing.hint))
    }
}

#[cfg(test)]
impl Server {
    /// Reads a manifest, whose folder is called `example`.
    pub(crate) fn parse(manifest: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let folder = folder.path().join("example");
        std::fs::create_dir(&folder)?;
        std::fs::write(folder.join("server.toml"), manifest)?;
        Self::read(&folder, &Target::example())
    }

    /// A server called `example`, with `lines` at the end of its manifest.
    pub(crate) fn example(lines: &str) -> Self {
        Self::parse(&(EXAMPLE.to_owned() + lines)).unwrap()
    }
}

/// The smallest manifest.
#[cfg(test)]
const EXAMPLE: &str = r#"
    name = "example"
    title = "Example"
    language = "Rust"
    runtime = "std"
    model = "thread pool"
    run = ["{target}/example", "--fast"]
    version = ["{target}/example", "--version"]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_manifest() {
        let server = Server::example(
            r#"
            check = ["{target}/example", "--check"]
            [[requires]]
            program = "cargo"
            hint = "install Rust"
            debian = "cargo"
            [[limits]]
            names = ["head-timeout", "idle-timeout"]
            reason = "There are no timeouts."
            [costs]
            own = ["connection/pipelined/1"]
            "#,
        );
        assert_eq!(server.run, ["/t/example", "--fast"]);
        assert!(server.variables.contains(&"CARGO_TARGET_DIR=/t".to_owned()));
        assert!(server.build.is_empty() && !server.is_floor && server.is_default);
        assert_eq!(server.check, ["/t/example", "--check"]);
        assert_eq!(server.missing(|_| false).next().unwrap().debian.as_deref(), Some("cargo"));
        assert!(!server.honours("idle-timeout") && server.honours("workers"));
        let Costs { framework, own } = server.costs.as_ref().unwrap();
        assert_eq!((framework.len(), own.as_slice()), (0, &["connection/pipelined/1".to_owned()][..]));
        assert_eq!(server.lacks(|_| true), None);
        let why = server.lacks(|program| program != "cargo").unwrap();
        assert_eq!(why, "there is no `cargo` here; install Rust");
    }

    #[test]
    fn a_server_is_warmed_up_as_long_as_its_runtime_needs() {
        // The manifest's warm-up in seconds, and the workload's and the resulting one in
        // milliseconds.
        let cases = [("", 200, 200), ("6", 200, 6000), ("0.1", 200, 200), ("6", 0, 0)];
        for (own, of_workload, expected) in cases {
            let lines = if own.is_empty() { String::new() } else { format!("warm_up_seconds = {own}") };
            let found = Server::example(&lines).warm_up(Duration::from_millis(of_workload));
            assert_eq!(found, Duration::from_millis(expected), "{own}, {of_workload}");
        }
    }

    #[test]
    fn a_mistake_names_file_and_field() {
        let twice = r#"
            [[known_failures]]
            cases = ["host/list", "host/url"]
            reason = "It depends."
            flaky = true
            only_split = true
        "#;
        let cases = [
            (EXAMPLE.replace("title", "titel"), "server.toml:3: unknown field `titel`"),
            (EXAMPLE.replace("thread pool", "threads"), "unknown variant `threads`"),
            (EXAMPLE.replace("\"example\"\n", "\"other\"\n"), "name is `other`, but the folder is `example`"),
            (EXAMPLE.replace("[\"{target}/example\", \"--fast\"]", "[]"), "run is empty"),
            (EXAMPLE.to_owned() + "folder = \"/\"", "unknown field `folder`"),
            (EXAMPLE.to_owned() + "warm_up_seconds = -1", "warm_up_seconds is not from 0 to 60"),
            (EXAMPLE.to_owned() + "warm_up_seconds = 61", "warm_up_seconds is not from 0 to 60"),
            (EXAMPLE.to_owned() + "warm_up_seconds = nan", "warm_up_seconds is not from 0 to 60"),
            (EXAMPLE.to_owned() + twice, "flaky and only_split exclude each other, of host/list, host/url"),
        ];
        for (text, expected) in cases {
            let message = Server::parse(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
