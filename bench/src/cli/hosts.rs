//! The flags that say on which hosts the sides run.

use std::path::Path;

use clap::Args;

use crate::machine::host::{Host, Ssh};
use crate::machine::sides::{HERE, HostNames};

/// The server's host.
#[derive(Args, Clone, Debug)]
pub struct ServerHost {
    /// The host that servers run on, by the name that `ssh` knows it by [default: this machine]
    #[arg(long, value_name = "HOST")]
    pub server_host: Option<String>,

    /// The command that reaches hosts, with flags of its own, separated by spaces
    #[arg(long, value_name = "COMMAND", default_value = "ssh", value_parser = ssh)]
    pub ssh: Ssh,
}

/// The hosts of both sides.
#[derive(Args, Clone, Debug)]
pub struct Hosts {
    /// The server's host.
    #[command(flatten)]
    pub server: ServerHost,

    /// A host that the load comes from, by the name that `ssh` knows it by, or `localhost` for this
    /// machine. Repeat the flag for more: they make one load together [default: this machine]
    #[arg(long, value_name = "HOST")]
    pub load_host: Vec<String>,
}

impl ServerHost {
    /// Connects to the host that the user named. Without a name, servers run on this machine. A
    /// host of another architecture builds the checkout. Fails if the host cannot be reached.
    pub(super) fn reach(&self, here: Host, checkout: &Path) -> anyhow::Result<Reached> {
        let ssh = Ssh { checkout: Some(checkout.to_owned()), ..self.ssh.clone() };
        let there = match self.server_host.as_deref() {
            None | Some(HERE) => None,
            Some(name) => Some(here.connect(&ssh, name)?),
        };
        Ok(Reached { here, there })
    }
}

impl Hosts {
    /// Whether everything runs on this machine.
    pub(super) fn are_none(&self) -> bool {
        self.server.server_host.is_none() && self.load_host.is_empty()
    }

    pub(super) fn names(&self, checkout: &Path) -> HostNames {
        let ServerHost { server_host, ssh } = self.server.clone();
        let ssh = Ssh { checkout: Some(checkout.to_owned()), ..ssh };
        HostNames { server: server_host, loads: self.load_host.clone(), ssh }
    }
}

/// This machine, and the host of the servers if it is a different one.
pub(super) struct Reached {
    pub(super) here: Host,
    there: Option<Host>,
}

impl Reached {
    /// The host of the servers.
    pub(super) fn server(&self) -> &Host {
        self.there.as_ref().unwrap_or(&self.here)
    }
}

fn ssh(text: &str) -> Result<Ssh, String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        Err("it is a program, such as ssh".into())
    } else {
        Ok(Ssh { words, checkout: None })
    }
}
