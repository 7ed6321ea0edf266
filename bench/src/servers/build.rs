//! Builds servers. A server that is built already is not built again for a user who cannot write to
//! the target folder or has no compiler: it runs as another user has built it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::machine::host::{Host, Launch};
use crate::servers::server::Server;
use crate::servers::target::is_writable;

/// The time limit of a build from scratch, on a slow machine.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What the server lacks to be built and run on this machine, and how to get it.
pub fn lacks(host: &Host, server: &Server) -> Option<String> {
    let only_builds =
        |program: &str| is_built(server) && server.build.first().is_some_and(|first| first == program);
    server.lacks(|program| host.find(program).is_some() || only_builds(program))
}

/// Why a server that is built cannot be built again, in a sentence. The server runs as it was
/// built.
pub fn kept(host: &Host, server: &Server) -> Option<String> {
    let builder = server.build.first().filter(|_| is_built(server))?;
    let why = if host.find(builder).is_none() {
        format!("there is no `{builder}` here")
    } else {
        let folder = read_only(server)?;
        format!("{} cannot be written to", folder.display())
    };
    Some(format!("{} runs as it was built before: {why}", server.name))
}

/// Builds the server, unless there is nothing to build or it is [`kept`]. The builder prints to
/// standard error; unless `shown`, its output is printed only when the build fails.
pub(super) fn build(host: &Host, server: &Server, shown: bool) -> anyhow::Result<()> {
    if server.build.is_empty() || kept(host, server).is_some() {
        return Ok(());
    }
    let words = [&["env".to_owned()], server.variables.as_slice(), &server.build].concat();
    let launch = Launch::build(&words, &server.folder).shown(shown);
    host.run(&launch, LIMIT).map(drop).with_context(|| match read_only(server) {
        None => format!("cannot build {}", server.name),
        Some(folder) => format!(
            "cannot build {}, since {} cannot be written to: CARGO_TARGET_DIR names another folder",
            server.name,
            folder.display()
        ),
    })
}

/// Whether the program of a command is a file that the build has made, and not one on `PATH`.
pub(super) fn is_made(program: &str) -> bool {
    Path::new(program).is_absolute() && Path::new(program).is_file()
}

/// The first bytes of a program that the kernel runs itself (`elf(5)`).
const ELF: [u8; 4] = *b"\x7fELF";

/// The size, in bytes, of the program that the server runs; `None` for a script, for a symbolic
/// link to an installed program, such as an interpreter, and for a program on `PATH`.
pub(crate) fn binary_bytes(server: &Server) -> Option<u64> {
    let program = server.run.first().filter(|program| program.contains('/'))?;
    let program = server.folder.join(program);
    let size = fs::symlink_metadata(&program).ok().filter(fs::Metadata::is_file)?.len();
    let mut first = [0; ELF.len()];
    File::open(&program).ok()?.read_exact(&mut first).ok()?;
    (first == ELF).then_some(size)
}

fn is_built(server: &Server) -> bool {
    server.run.first().is_some_and(|program| is_made(program))
}

/// The folder that the server's program belongs in, if this user cannot write to it.
fn read_only(server: &Server) -> Option<&Path> {
    let program = Path::new(server.run.first()?);
    let folder = program.ancestors().skip(1).find(|folder| folder.is_dir())?;
    (program.is_absolute() && !is_writable(folder)).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_is_what_was_built() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("built"), b"\x7fELF and more").unwrap();
        fs::write(path("short"), b"\x7fEL").unwrap();
        fs::write(path("script"), "#!/bin/sh").unwrap();
        std::os::unix::fs::symlink(path("built"), path("linked")).unwrap();
        let absolute = path("built").display().to_string();
        let cases = [
            (absolute.as_str(), Some(13)),
            ("./built", Some(13)),
            ("built", None),
            ("./short", None),
            ("./script", None),
            ("./linked", None),
            ("./missing", None),
            ("./", None),
            ("sh", None),
        ];
        for (program, expected) in cases {
            let mut server = Server::example("");
            (server.folder, server.run) = (folder.path().to_owned(), vec![program.to_owned()]);
            assert_eq!(binary_bytes(&server), expected, "{program}");
        }
    }
}
