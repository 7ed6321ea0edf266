//! `bench serve`: builds a server and replaces this process with it. On another host, or with a
//! certificate, which is removed at the end, the server is a process of its own.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::{Outcome, note, print, read_checkout};
use crate::cli::Serve;
use crate::machine::host::{Host, Launch, Waited};
use crate::servers::identity::{Identity, ServerFlags};
use crate::servers::server::Server;
use crate::servers::{build, deploy, launch};
use crate::text::names;

/// The time between two checks whether the server still runs.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn run(root: Option<&Path>, arguments: &Serve) -> anyhow::Result<Outcome> {
    let checkout = read_checkout(root)?.with_server_dirs(&arguments.server_dir)?;
    let server = names::find("server", &arguments.name, &checkout.servers, |server| &server.name)?;
    let hosts = arguments.host.reach(Host::this_machine(checkout.tools())?, &checkout.root)?;
    let (host, there) = (&hosts.here, hosts.server());
    let protocol = arguments.protocol;
    ensure!(
        protocol.is_plain() || server.protocols.contains(&protocol),
        "{} does not speak {protocol}, by its manifest",
        server.name
    );
    build::kept(host, server).iter().for_each(|sentence| note(sentence));
    let server = match deploy::prepare(host, there, server, true)? {
        Ok(server) => server,
        Err(why) => bail!("{} is unavailable: {why}", server.name),
    };
    // The certificate is kept until the end: some servers read their files more than once.
    let identity = protocol.is_encrypted().then(|| Identity::new(there.address())).transpose()?;
    let own = ServerFlags::new(there, protocol, identity.as_ref())?;
    let flags: Vec<String> =
        own.words().into_iter().map(str::to_owned).chain(arguments.flags.clone()).collect();
    if there.name().is_some() || identity.is_some() {
        return serve(there, &server, &flags);
    }
    let (program, words) = server.run.split_first().context("a manifest's run is never empty")?;
    let mut command = Command::new(program);
    command.args(words).args(flags).current_dir(&server.folder);
    if let Some(path) = host.path() {
        command.env("PATH", path);
    }
    Err(command.exec()).with_context(|| format!("cannot start {program}"))
}

/// Runs the server until the user interrupts, or it ends.
fn serve(host: &Host, server: &Server, flags: &[String]) -> anyhow::Result<Outcome> {
    let has_host = flags.iter().any(|flag| flag == "--host" || flag.starts_with("--host="));
    let address = ["--host".to_owned(), host.address().to_string()];
    let address = if has_host { &[][..] } else { &address };
    let words = [&server.run, address, flags].concat();
    let mut process = host.start(&Launch::new(&words, &server.folder))?;
    print(&(process.line(launch::START_LIMIT)? + "\n"))?;
    while !host.interrupted() {
        // Ctrl-C also ends `ssh`, and with it the channel over which the server's state is read.
        if process.wait(LOOK) == Waited::Exited && !host.interrupted() {
            process.check_running()?;
        }
    }
    Ok(Outcome::Interrupted)
}
