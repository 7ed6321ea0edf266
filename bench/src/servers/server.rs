//! A server as its manifest, `servers/<language>/<name>/server.toml`, describes it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::machine::host::AttachedProcess;
use crate::text::toml_file;

/// What stands for cargo's target folder in the commands of a manifest.
pub const TARGET: &str = "{target}";

/// What a manifest may say of a server that it does not honour: a flag, without its hyphens, or a limit that has none.
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

/// Names longer than this make tables too wide.
const NAME_BYTES: usize = 30;

/// What is wrong with a name for a server, which is a folder, a part of its program's name and a word of `--servers`; `None`
/// when nothing is.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if ["all", "none"].contains(&name) {
        Some("`all` and `none` mean something to the harness")
    } else if !begins || name.ends_with('-') || !name.bytes().all(is_allowed) || name.len() > NAME_BYTES {
        Some(
            "it is made of small letters, digits and `-`, begins with a letter and does not end with `-`, 30 characters at most",
        )
    } else {
        None
    }
}

/// What is said where a server that runs already has no manifest to say more.
const UNKNOWN: &str = "unknown";

/// How a server serves many connections at once.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Model {
    /// Threads that block, several connections to a thread over time.
    #[serde(rename = "thread pool")]
    ThreadPool,
    /// Threads that never block, any of which may serve any connection.
    #[serde(rename = "event loop")]
    EventLoop,
    /// Stackful coroutines: blocking code on threads that never block.
    #[serde(rename = "coroutine")]
    Coroutine,
    /// An event loop a core, each with its own connections.
    #[serde(rename = "thread per core")]
    ThreadPerCore,
    /// One process or more, each serving one connection at a time or an event loop of its own.
    #[serde(rename = "process")]
    Process,
    /// Nobody says it of a server that runs already. No manifest does.
    #[serde(skip)]
    Unknown,
}

impl Model {
    /// The word that manifests and reports use.
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

/// A program that a server cannot do without.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The program's name on `PATH`.
    pub program: String,
    /// How a person gets it, as the end of a sentence.
    pub hint: String,
    /// The Debian package that has it, for `--install`.
    pub debian: Option<String>,
}

/// Conformance cases and drills that the server is known to fail for one reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownFailure {
    /// `subject/name` of each case; a drill's subject is `drill`.
    #[schemars(length(min = 1))]
    pub cases: Vec<String>,
    /// Why the server fails them, in a sentence.
    pub reason: String,
    /// Whether a case passes at times, by how its bytes come together: that it passes is no news then.
    #[serde(default)]
    pub flaky: bool,
}

/// Limits or flags of the contract that the server is known not to honour for one reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmetLimit {
    /// The name of each: a flag's without its hyphens, or `head`, `target` or `body`.
    #[schemars(length(min = 1))]
    pub names: Vec<String>,
    /// Why the server cannot honour them, in a sentence.
    pub reason: String,
}

/// Benchmarks, by their full names, whose times add up to a part of a request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Those of the framework; none where the server has none.
    #[serde(default)]
    pub framework: Vec<String>,
    /// Those of our own code.
    #[serde(default)]
    pub own: Vec<String>,
}

/// `server.toml` as it is written. In commands [`TARGET`] stands for cargo's target folder. `bench check` tells authors what is said
/// here of a field that they forgot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The name of the server's folder.
    name: String,
    /// What reports call it.
    title: String,
    /// The language it is written in.
    language: String,
    /// The runtime that it stands for, and its HTTP library.
    runtime: String,
    /// How it serves many connections at once.
    model: Model,
    #[serde(default)]
    build: Vec<String>,
    /// The program that runs it, and its arguments.
    #[schemars(length(min = 1))]
    run: Vec<String>,
    /// The program that prints its version, and its arguments.
    #[schemars(length(min = 1))]
    version: Vec<String>,
    #[serde(default)]
    check: Vec<String>,
    #[serde(default)]
    floor: bool,
    #[serde(default = "by_default")]
    default: bool,
    article: Option<String>,
    #[serde(default)]
    requires: Vec<Requirement>,
    #[serde(default)]
    known_failures: Vec<KnownFailure>,
    #[serde(default)]
    limits: Vec<UnmetLimit>,
    costs: Option<Costs>,
    instructions: Option<f64>,
}

/// What may stand in a manifest, as a JSON schema without references.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Manifest>()
}

/// A manifest that does not say otherwise wants its server measured when nobody names one.
fn by_default() -> bool {
    true
}

/// One server: what it is, and the commands that build it, run it and ask for its version.
#[derive(Clone, Debug)]
pub struct Server {
    /// The name of its folder, by which it is known.
    pub name: String,
    /// What reports call it.
    pub title: String,
    /// The language it is written in.
    pub language: String,
    /// The runtime that it stands for.
    pub runtime: String,
    /// How it serves many connections at once.
    pub model: Model,
    /// Its folder, where its commands run.
    pub folder: PathBuf,
    /// Builds it; empty when there is nothing to build.
    pub build: Vec<String>,
    /// Runs it; flags of the process contract follow.
    pub run: Vec<String>,
    /// Prints its version.
    pub version: Vec<String>,
    /// Fails, with the reason as its last line on standard error, where the server cannot run although it was built; empty when
    /// there is nothing to ask.
    pub check: Vec<String>,
    /// Whether it is not a server, but the line that the others are held against: it does what any server has to, and nothing
    /// of what HTTP asks of one.
    pub is_floor: bool,
    /// Whether it is among those that a command takes when none is named.
    pub is_default: bool,
    /// Whether a person has given its folder for this command, which may lie anywhere.
    pub is_given: bool,
    /// Where it runs, when somebody else has started it: then there are no commands.
    pub attached: Option<Attached>,
    /// What the article's table calls it, when it is one of the article's two programs.
    pub article: Option<String>,
    /// Programs that it needs.
    pub requires: Vec<Requirement>,
    /// Conformance cases and drills that it fails, as known, by reason.
    pub known_failures: Vec<KnownFailure>,
    /// Limits that it does not honour, as known.
    pub limits: Vec<UnmetLimit>,
    /// What a request is made of in it, where benchmarks tell.
    pub costs: Option<Costs>,
    /// How many instructions a request may take in it, where the tests count them.
    pub instructions: Option<f64>,
}

/// A server that somebody else has started.
#[derive(Clone, Debug)]
pub struct Attached {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, where a person has said which it is.
    pub process: Option<AttachedProcess>,
    /// What a person has said it is, since it cannot be asked.
    pub version: String,
}

impl Server {
    /// One of that name that runs already.
    pub fn attached(name: String, attached: Attached) -> Self {
        Self {
            title: name.clone(),
            name,
            language: UNKNOWN.into(),
            runtime: UNKNOWN.into(),
            model: Model::Unknown,
            folder: PathBuf::new(),
            build: Vec::new(),
            run: Vec::new(),
            version: Vec::new(),
            check: Vec::new(),
            is_floor: false,
            is_default: false,
            is_given: true,
            attached: Some(attached),
            article: None,
            requires: Vec::new(),
            known_failures: Vec::new(),
            limits: Vec::new(),
            costs: None,
            instructions: None,
        }
    }

    /// Reads the manifest in `folder`; `target` is cargo's target folder.
    pub fn read(folder: &Path, target: &Path) -> anyhow::Result<Self> {
        let path = folder.join("server.toml");
        let manifest: Manifest = toml_file::read(&path)?;
        let expected =
            folder.file_name().and_then(|name| name.to_str()).context("a server's folder has a name")?;
        if manifest.name != expected {
            bail!("{}: name is `{}`, but the folder is `{expected}`", path.display(), manifest.name);
        }
        for (field, command) in [("run", &manifest.run), ("version", &manifest.version)] {
            if command.is_empty() {
                bail!("{}: {field} is empty: it names a program and its arguments", path.display());
            }
        }
        let target = target.display().to_string();
        let fill = |command: Vec<String>| command.iter().map(|word| word.replace(TARGET, &target)).collect();
        Ok(Self {
            name: manifest.name,
            title: manifest.title,
            language: manifest.language,
            runtime: manifest.runtime,
            model: manifest.model,
            folder: folder.to_owned(),
            build: fill(manifest.build),
            run: fill(manifest.run),
            version: fill(manifest.version),
            check: fill(manifest.check),
            is_floor: manifest.floor,
            is_default: manifest.default,
            is_given: false,
            attached: None,
            article: manifest.article,
            requires: manifest.requires,
            known_failures: manifest.known_failures,
            limits: manifest.limits,
            costs: manifest.costs,
            instructions: manifest.instructions,
        })
    }

    /// The flag that names it to a command.
    pub fn flag(&self) -> String {
        if let Some(attached) = &self.attached {
            format!("--address {}", attached.address)
        } else if self.is_given {
            format!("--server-dir {}", self.folder.display())
        } else {
            format!("--servers {}", self.name)
        }
    }

    /// Whether the server is known to fail the case.
    pub fn has_gap(&self, case: &str) -> bool {
        self.known_failure_names().any(|known| known == case)
    }

    /// The known failure that the case is one of, when the server is known to fail it.
    pub fn known_failure(&self, case: &str) -> Option<&KnownFailure> {
        self.known_failures.iter().find(|known_failure| known_failure.cases.iter().any(|known| known == case))
    }

    /// Every case that the server is known to fail.
    pub fn known_failure_names(&self) -> impl Iterator<Item = &str> {
        self.known_failures.iter().flat_map(|known_failure| &known_failure.cases).map(String::as_str)
    }

    /// Whether the server does as the limit or the flag of this name says, as far as is known.
    pub fn honours(&self, limit: &str) -> bool {
        !self.limits.iter().flat_map(|unmet| &unmet.names).any(|name| name == limit)
    }

    /// The requirements that `has_program` denies.
    pub fn missing(&self, has_program: impl Fn(&str) -> bool) -> impl Iterator<Item = &Requirement> {
        self.requires.iter().filter(move |requirement| !has_program(&requirement.program))
    }

    /// The first of those, as `unavailable: …` says it; `None` when there is none.
    pub fn lacks(&self, has_program: impl Fn(&str) -> bool) -> Option<String> {
        let missing = self.missing(has_program).next()?;
        Some(format!("there is no `{}` on this machine; {}", missing.program, missing.hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        name = "example"
        title = "Example"
        language = "Rust"
        runtime = "std"
        model = "thread pool"
        run = ["{target}/example", "--fast"]
        version = ["{target}/example", "--version"]
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
    "#;

    fn read(text: &str) -> anyhow::Result<Server> {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("example");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("server.toml"), text).unwrap();
        Server::read(&folder, Path::new("/t"))
    }

    #[test]
    fn reads_a_manifest() {
        let server = read(MANIFEST).unwrap();
        assert_eq!(server.run, ["/t/example", "--fast"]);
        assert!(server.build.is_empty() && !server.is_floor && server.is_default);
        assert_eq!(server.check, ["/t/example", "--check"]);
        assert_eq!(server.missing(|_| false).next().unwrap().debian.as_deref(), Some("cargo"));
        assert!(!server.honours("idle-timeout") && server.honours("workers"));
        let Costs { framework, own } = server.costs.as_ref().unwrap();
        assert_eq!((framework.len(), own.as_slice()), (0, &["connection/pipelined/1".to_owned()][..]));
        assert_eq!(server.lacks(|_| true), None);
        let why = server.lacks(|program| program != "cargo").unwrap();
        assert_eq!(why, "there is no `cargo` on this machine; install Rust");
    }

    #[test]
    fn a_mistake_names_file_and_field() {
        let cases = [
            (MANIFEST.replace("title", "titel"), "server.toml:3: unknown field `titel`"),
            (MANIFEST.replace("thread pool", "threads"), "unknown variant `threads`"),
            (
                MANIFEST.replace("\"example\"\n", "\"other\"\n"),
                "name is `other`, but the folder is `example`",
            ),
            (MANIFEST.replace("[\"{target}/example\", \"--fast\"]", "[]"), "run is empty"),
        ];
        for (text, expected) in cases {
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
