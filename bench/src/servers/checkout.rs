//! The checkout: where servers and workloads are, and where builds and results go.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::servers::server::Server;
use crate::servers::target::{Target, is_writable, variable};
use crate::servers::workload::{Suite, Workload};
use crate::text::names;

/// A checkout with everything in it that can be measured.
#[derive(Debug)]
pub struct Checkout {
    /// Its top folder.
    pub root: PathBuf,
    /// Where its programs are built.
    pub target: Target,
    /// Every server, by language and name; those of `--server-dir` and `--address` come last.
    pub servers: Vec<Server>,
    /// Every suite of workloads, by name.
    pub suites: Vec<Suite>,
    /// Folders without a manifest among those of servers, such as a change of branch leaves behind.
    pub leftover: Vec<PathBuf>,
}

impl Checkout {
    /// Reads the checkout at `root`, or the one around the working folder. Fails when there is none,
    /// or a manifest or a workload file has a mistake.
    pub fn read(root: Option<&Path>) -> anyhow::Result<Self> {
        let root = self::root(root)?;
        let target = Target::find(&root);
        Self::read_at(root, target)
    }

    /// Reads the checkout at `root`, whose programs are built in `target`. Fails as [`Checkout::read`].
    pub(super) fn read_at(root: PathBuf, target: Target) -> anyhow::Result<Self> {
        let folders = server_folders(&root)?;
        let servers = folders.with_manifest.iter().map(|folder| Server::read(folder, &target));
        let servers = servers.collect::<anyhow::Result<Vec<_>>>()?;
        let mut suites = Vec::new();
        for path in sorted_entries(&root.join("bench/workloads"))? {
            if path.extension().is_some_and(|extension| extension == "toml") {
                suites.push(Suite::read(&path)?);
            }
        }
        names::all_different("server", servers.iter().map(|server| server.name.as_str()))?;
        let workloads = suites.iter().flat_map(|suite| &suite.workloads);
        let all = suites.iter().map(|suite| &suite.name).chain(workloads.map(|workload| &workload.name));
        names::all_different("workload", all.map(String::as_str))?;
        Ok(Self { root, target, servers, suites, leftover: folders.without_manifest })
    }

    /// Adds the servers in the folders of `--server-dir`, which commands use in addition to those
    /// of `--servers`. Fails when a folder has no valid manifest or a server's name is taken.
    pub fn with_server_dirs(mut self, folders: &[PathBuf]) -> anyhow::Result<Self> {
        for folder in folders {
            let place = || format!("--server-dir {}", folder.display());
            let folder = folder.canonicalize().with_context(place)?;
            if let Some(known) = self.servers.iter_mut().find(|server| server.folder == folder) {
                known.is_given = true;
                continue;
            }
            if !folder.join("server.toml").is_file() {
                bail!("{}: it is not the folder of a server: it has no `server.toml`", place());
            }
            let server =
                Server { is_given: true, ..Server::read(&folder, &self.target).with_context(place)? };
            if let Some(known) = self.servers.iter().find(|known| known.name == server.name) {
                bail!(
                    "{}: `{}` is the name of {} already: rename one of the two, its folder and its manifest",
                    place(),
                    known.name,
                    known.folder.display()
                );
            }
            self.servers.push(server);
        }
        Ok(self)
    }

    /// Adds a server that runs already, which commands use like those of `--server-dir`. Fails when
    /// its name is taken.
    pub fn with_attached(mut self, server: Option<Server>) -> anyhow::Result<Self> {
        if let Some(known) =
            self.servers.iter().find(|known| server.as_ref().is_some_and(|new| new.name == known.name))
        {
            bail!(
                "--as: `{}` is the name of {} already: give yours another",
                known.name,
                known.folder.display()
            );
        }
        self.servers.extend(server);
        Ok(self)
    }

    /// Returns the servers that `--servers` names, or every server for `all`, and those of
    /// `--server-dir`; without either flag, the default servers. Fails when a name is unknown or
    /// repeated.
    pub fn choose_servers(&self, wanted: &[String]) -> anyhow::Result<Vec<&Server>> {
        if wanted == ["all"] {
            return Ok(self.servers.iter().collect());
        }
        let given: Vec<&Server> = self.servers.iter().filter(|server| server.is_given).collect();
        if wanted.is_empty() && given.is_empty() {
            return Ok(self.servers.iter().filter(|server| server.is_default).collect());
        }
        names::all_different("server", wanted.iter().map(String::as_str))?;
        let find = |name: &String| names::find("server", name, &self.servers, |server| &server.name);
        let named = wanted.iter().map(find).collect::<anyhow::Result<Vec<&Server>>>()?;
        let others = given.into_iter().filter(|server| !wanted.contains(&server.name));
        Ok(named.iter().copied().chain(others).collect())
    }

    /// Returns the named workloads. A name is that of a suite or of a workload, or the path of a
    /// file. If the rate of a workload depends on the result of another one, that one comes before
    /// it, even if it was not named. Fails when a name is unknown or repeated, or a file has a
    /// mistake.
    pub fn choose_workloads(&self, wanted: &[String]) -> anyhow::Result<Vec<Workload>> {
        let mut chosen: Vec<Workload> = Vec::new();
        for name in wanted {
            if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
                chosen.extend(self.workloads_of(&Suite::read(Path::new(name))?)?);
            } else if let Some(suite) = self.suites.iter().find(|suite| suite.name == *name) {
                chosen.extend(self.workloads_of(suite)?);
            } else {
                chosen.push(self.single_workload(name)?.clone());
            }
        }
        names::all_different("workload", chosen.iter().map(|workload| workload.name.as_str()))?;
        let mut ordered: Vec<Workload> = Vec::with_capacity(chosen.len());
        for workload in &chosen {
            if let Some(peak) = workload.peak()
                && !ordered.iter().any(|other| other.name == peak)
            {
                let own = chosen.iter().find(|other| other.name == peak);
                let peak = own.map_or_else(|| self.single_workload(peak), Ok);
                ordered.push(peak.with_context(|| format!("the peak of {}", workload.name))?.clone());
            }
            if !ordered.iter().any(|other| other.name == workload.name) {
                ordered.push(workload.clone());
            }
        }
        Ok(ordered)
    }

    /// The workloads of a suite, or of the suites that it names. Fails when a named suite is unknown.
    pub fn workloads_of(&self, suite: &Suite) -> anyhow::Result<Vec<Workload>> {
        let mut workloads = suite.workloads.clone();
        for name in &suite.suites {
            let place = || format!("{}: suites", suite.path.display());
            let named = names::find("suite", name, &self.suites, |suite| &suite.name).with_context(place)?;
            if named.workloads.is_empty() {
                bail!("{}: `{name}` consists of suites itself", place());
            }
            workloads.extend(named.workloads.iter().cloned());
        }
        Ok(workloads)
    }

    fn single_workload(&self, name: &str) -> anyhow::Result<&Workload> {
        let workloads = || self.suites.iter().flat_map(|suite| &suite.workloads);
        workloads().find(|workload| workload.name == name).with_context(|| {
            let suites = self.suites.iter().map(|suite| suite.name.as_str());
            let known: Vec<&str> = suites.chain(workloads().map(|workload| workload.name.as_str())).collect();
            format!("unknown workload `{name}`: {}", names::suggest(name, &known))
        })
    }

    /// Where `scripts/setup` puts the programs that are not in a package of the system.
    pub fn tools(&self) -> PathBuf {
        self.target.tools()
    }

    /// The folder for results without `--out`: in the checkout; if this user cannot write to it, in
    /// the folder for such files by the XDG Base Directory Specification; otherwise in the working
    /// folder.
    pub fn results(&self) -> PathBuf {
        let own = self.root.join("bench/results");
        let home = || Some(PathBuf::from(variable("HOME")?).join(".local/state"));
        let state = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let state = state.or_else(home).map(|folder| folder.join("hello-bench"));
        let can_be_made =
            |path: &PathBuf| path.ancestors().find(|folder| folder.exists()).is_some_and(is_writable);
        [Some(own), state].into_iter().flatten().find(can_be_made).unwrap_or_else(|| "results".into())
    }
}

/// The top folder of the checkout at `root`, or of the one around the working folder. Fails when
/// there is none.
pub fn root(root: Option<&Path>) -> anyhow::Result<PathBuf> {
    let root = match root {
        Some(root) => root.canonicalize().with_context(|| format!("--root {}", root.display()))?,
        None => enclosing_checkout()?,
    };
    for folder in ["servers", "bench/workloads"] {
        if !root.join(folder).is_dir() {
            bail!("--root {}: it is not a checkout: it has no folder `{folder}`", root.display());
        }
    }
    Ok(root)
}

/// The folders of a checkout for servers, by language and name.
#[derive(Debug, Default)]
pub struct ServerFolders {
    /// The folders of servers.
    pub with_manifest: Vec<PathBuf>,
    /// The folders that are not servers yet, or no longer.
    pub without_manifest: Vec<PathBuf>,
}

/// The folders of the checkout at `root` for servers. Fails when a folder cannot be listed.
pub fn server_folders(root: &Path) -> anyhow::Result<ServerFolders> {
    let mut folders = ServerFolders::default();
    for language in sorted_entries(&root.join("servers"))?.iter().filter(|path| path.is_dir()) {
        for folder in sorted_entries(language)?.into_iter().filter(|path| path.is_dir()) {
            let is_server = folder.join("server.toml").is_file();
            let kind = if is_server { &mut folders.with_manifest } else { &mut folders.without_manifest };
            kind.push(folder);
        }
    }
    Ok(folders)
}

fn enclosing_checkout() -> anyhow::Result<PathBuf> {
    let here = env::current_dir().context("the working folder is unknown")?;
    let is_checkout =
        |folder: &&Path| folder.join("servers").is_dir() && folder.join("bench/workloads").is_dir();
    match here.ancestors().find(is_checkout) {
        Some(root) => Ok(root.to_owned()),
        None => bail!("{} is not in a checkout: change to one, or name it with --root", here.display()),
    }
}

fn sorted_entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || {
        let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        entries.collect::<std::io::Result<Vec<_>>>()
    };
    let mut entries = read().with_context(|| format!("cannot list {}", folder.display()))?;
    let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    entries.retain(|path| !path.file_name().is_some_and(is_hidden));
    entries.sort();
    Ok(entries)
}
