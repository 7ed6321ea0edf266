//! Other states of servers: a commit of the checkout, another checkout, or the folder of a server.
//!
//! A commit is unpacked below the target folder, and built there. Its folder is the same each time,
//! and its files have the time of the commit, so cargo builds it only once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::checkout::Checkout;
use super::server::Server;
use crate::machine::host::{Host, Launch};
use crate::text::names;

/// The time limit for git and tar, for a checkout with some thousand small files.
const BOUND: Duration = Duration::from_secs(120);

/// Unpacks a commit. The arguments are the checkout, the commit, and the folder.
const UNPACK: &str =
    "mkdir -p \"$3\" && git -C \"$1\" archive --format=tar \"$2\" | tar --extract --directory=\"$3\"";

/// A state of servers.
#[derive(Debug)]
pub struct Revision {
    /// The name for the user: the path, or the commit with the name that the user gave.
    pub label: String,
    /// What identifies it: a commit or a path.
    pub identity: String,
    servers: Vec<Server>,
    /// A checkout that is removed when this is dropped.
    unpacked: Option<PathBuf>,
}

impl Revision {
    /// Finds the state that the user named: the folder of a server, a checkout, or a commit of
    /// `checkout`. Fails when the text names none of them.
    pub fn find(host: &Host, checkout: &Checkout, text: &str) -> anyhow::Result<Self> {
        let path = Path::new(text);
        if path.is_dir() {
            return Self::from_folder(checkout, path).with_context(|| text.to_owned());
        }
        Self::from_commit(host, checkout, text)
    }

    fn from_folder(checkout: &Checkout, path: &Path) -> anyhow::Result<Self> {
        let path = path.canonicalize().context("it cannot be resolved")?;
        let identity = path.display().to_string();
        let servers = if path.join("server.toml").is_file() {
            vec![Server::read(&path, &checkout.target)?]
        } else if path.join("servers").is_dir() {
            let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
            let name: String = identity.chars().map(plain).collect();
            Checkout::read_at(path, checkout.target.for_checkout(&name))?.servers
        } else {
            bail!("it is neither the folder of a server nor a checkout");
        };
        Ok(Self { label: identity.clone(), identity, servers, unpacked: None })
    }

    fn from_commit(host: &Host, checkout: &Checkout, text: &str) -> anyhow::Result<Self> {
        let root = checkout.root.display().to_string();
        let run = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            host.run(&Launch::build(&words, Path::new("/")), BOUND)
        };
        ensure!(!text.starts_with('-'), "{text} is neither a folder nor a commit");
        let commit = format!("{text}^{{commit}}");
        let found = run(&["git", "-C", &root, "rev-parse", "--verify", "--quiet", &commit]);
        let sha = found.with_context(|| format!("{text} is neither a folder nor a commit of {root}"))?;
        let sha = sha.trim().to_owned();
        let short: String = sha.chars().take(12).collect();
        let unpacked = checkout.target.other(&short).join("checkout");
        let _ = fs::remove_dir_all(&unpacked);
        run(&["sh", "-c", UNPACK, "unpack", &root, &sha, &unpacked.to_string_lossy()])
            .with_context(|| format!("cannot unpack {text}"))?;
        let label = if sha.starts_with(text) { short.clone() } else { format!("{text} ({short})") };
        let read = Checkout::read_at(unpacked.clone(), checkout.target.for_checkout(&short));
        let mut found = Self { label, identity: sha, servers: Vec::new(), unpacked: Some(unpacked) };
        found.servers = read.with_context(|| format!("{}: its files cannot be read", found.label))?.servers;
        Ok(found)
    }

    /// Returns the server of this name. Fails when this state has no such server.
    pub fn server(&self, name: &str) -> anyhow::Result<&Server> {
        names::find("server", name, &self.servers, |server| &server.name).with_context(|| self.label.clone())
    }

    /// The names of the servers that are measured when the user names none.
    pub fn default_names(&self) -> Vec<String> {
        let is_meant = |server: &&Server| server.is_default && !server.is_floor;
        let of_one = self.servers.len() == 1;
        self.servers.iter().filter(|server| of_one || is_meant(server)).map(|one| one.name.clone()).collect()
    }
}

impl Drop for Revision {
    fn drop(&mut self) {
        if let Some(folder) = &self.unpacked {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
