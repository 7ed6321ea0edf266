//! Deploys a server to another host: builds it on this machine, and copies its files to the host. A
//! host that has the checkout builds the server itself.
//!
//! The copied files are the built programs that its commands name, and the files of its folder, in
//! which its commands run. Libraries that an interpreter has elsewhere are not copied: if they are
//! missing, the server's own check or version command says so.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::build;
use super::launch;
use super::server::Server;
use crate::machine::host::{Deployed, Host, Source};

/// Folders that are not copied: they are made from the other files, and may be large.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// The most bytes that are copied: more than the source of a server has.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Builds the server on this machine, and copies it to `host` if that is another machine. A host
/// that has the checkout builds it instead. Returns the server with its paths on that host, or why
/// it cannot run there. Unless `shown`, the builder's output is printed only when the build fails.
/// Fails when the build or the copy fails, or when the server's check fails without a reason.
pub fn prepare(
    here: &Host,
    host: &Host,
    server: &Server,
    shown: bool,
) -> anyhow::Result<Result<Server, String>> {
    let Some(name) = host.name() else {
        let why = launch::prepare_with(here, server, shown)?;
        return Ok(why.map_or_else(|| Ok(server.clone()), Err));
    };
    let on_host = |why: String| format!("on {name}: {why}");
    if let Some(source) = host.source() {
        return Ok(build_there(host, &source, server, shown)?.map_err(on_host));
    }
    let is_built = !server.build.is_empty();
    if is_built && let Some(why) = build::lacks(here, server) {
        return Ok(Err(format!("it is built on this machine: {why}")));
    }
    if let Some(why) = lacks(host, server) {
        return Ok(Err(on_host(why)));
    }
    build::build(here, server, shown)?;
    let deployed = copy(host, server)?;
    Ok(match launch::refused(host, &deployed)? {
        Some(why) => Err(on_host(why)),
        None => Ok(deployed),
    })
}

/// Why the host cannot run the server, if a program is missing there. It needs no builder of a server
/// that is built on this machine and copied.
pub fn lacks(host: &Host, server: &Server) -> Option<String> {
    let builder = server.build.first().filter(|_| host.source().is_none());
    server.lacks(|program| builder.is_some_and(|builder| builder == program) || host.find(program).is_some())
}

/// Builds the server on the host, in the checkout that is there.
fn build_there(
    host: &Host,
    source: &Source,
    server: &Server,
    shown: bool,
) -> anyhow::Result<Result<Server, String>> {
    let Ok(folder) = server.folder.strip_prefix(&source.here) else {
        return Ok(Err("it would have to be built there, and is outside of the checkout".into()));
    };
    let (here, there) = (server.target.display().to_string(), source.target.display().to_string());
    let moved = |words: &[String]| words.iter().map(|word| word.replace(&here, &there)).collect();
    let server = Server {
        folder: source.there.join(folder),
        target: source.target.clone(),
        variables: vec![format!("CARGO_TARGET_DIR={there}")],
        build: moved(&server.build),
        run: moved(&server.run),
        version: moved(&server.version),
        check: moved(&server.check),
        ..server.clone()
    };
    if let Some(why) = lacks(host, &server) {
        return Ok(Err(why));
    }
    build::build(host, &server, shown)?;
    Ok(launch::refused(host, &server)?.map_or(Ok(server), Err))
}

/// Copies the server's files to another host. Returns the server with its paths there.
fn copy(host: &Host, server: &Server) -> anyhow::Result<Server> {
    let folder = Path::new("folder").join(server.folder.file_name().unwrap_or_default());
    // The manifest comes first: its path on the host tells which folder was made.
    let manifest = Deployed { from: server.folder.join("server.toml"), to: folder.join("server.toml") };
    let mut files = vec![manifest];
    let commands = [&server.run, &server.version, &server.check];
    for word in commands.into_iter().flatten().filter(|word| build::is_made(word)) {
        let from = PathBuf::from(word);
        let to = Path::new("programs").join(from.file_name().unwrap_or_default());
        if !files.iter().any(|file| file.from == from) {
            files.push(Deployed { from, to });
        }
    }
    list(&server.folder, &folder, &mut files)?;
    let bytes = files.iter().filter_map(|file| Some(file.from.metadata().ok()?.len())).sum::<u64>();
    ensure!(bytes <= MOST_BYTES, "{}: its folder has {} MiB, too many to copy", server.name, bytes >> 20);
    let there = host.deploy(&files).with_context(|| format!("cannot copy {}", server.name))?;
    let moved = |words: &[String]| {
        let path_there = |word: &String| {
            let index = files.iter().position(|file| file.from == Path::new(word))?;
            Some(there.get(index)?.display().to_string())
        };
        words.iter().map(|word| path_there(word).unwrap_or_else(|| word.clone())).collect()
    };
    let folder = there.first().and_then(|manifest| manifest.parent()).context("nothing was copied")?;
    Ok(Server {
        folder: folder.to_owned(),
        run: moved(&server.run),
        version: moved(&server.version),
        check: moved(&server.check),
        ..server.clone()
    })
}

/// Adds the files of a folder, except those in the folders that are left out.
fn list(folder: &Path, to: &Path, files: &mut Vec<Deployed>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let (name, from) = (entry.file_name(), entry.path());
        if from.is_dir() {
            if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                list(&from, &to.join(&name), files)?;
            }
        } else if from.is_file() && !files.iter().any(|file| file.from == from) {
            files.push(Deployed { to: to.join(&name), from });
        }
    }
    Ok(())
}
