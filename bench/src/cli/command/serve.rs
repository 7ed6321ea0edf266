//! `bench serve`: builds a server and replaces itself with it.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::{Outcome, note, read_checkout};
use crate::cli::Serve;
use crate::machine::host::Host;
use crate::servers::{build, launch};
use crate::text::names;

pub(super) fn run(root: Option<&Path>, arguments: &Serve) -> anyhow::Result<Outcome> {
    let checkout = read_checkout(root)?.with_server_dirs(&arguments.server_dir)?;
    let server = names::find("server", &arguments.name, &checkout.servers, |server| &server.name)?;
    let host = Host::this_machine(checkout.tools())?;
    build::kept(&host, server).iter().for_each(|sentence| note(sentence));
    if let Some(why) = launch::prepare(&host, server)? {
        bail!("{} is unavailable: {why}", server.name);
    }
    let (program, words) = server.run.split_first().context("a manifest's run is never empty")?;
    let mut command = Command::new(program);
    command.args(words).args(&arguments.flags).current_dir(&server.folder).env("PATH", host.path());
    Err(command.exec()).with_context(|| format!("cannot start {program}"))
}
