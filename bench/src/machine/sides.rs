//! The hosts of the two sides of a measurement: the server is on one host, the load on the same or
//! on others.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use super::assignment::{Choice, Layout, Smt};
use super::cores::Cores;
use super::host::{Host, Ssh};
use super::topology::{Core, Topology};
use super::{HostLink, Hosts};

/// The name that the user gives for this machine, if it is one of several hosts.
pub const HERE: &str = "localhost";

/// A load host with at least this many cores leaves one to the helper.
const CORES_WITH_HELPER: usize = 4;

/// The hosts that the user chose.
#[derive(Clone, Debug)]
pub struct HostNames {
    /// The server's host; `None` for this machine.
    pub server: Option<String>,
    /// The hosts of the load; empty for this machine.
    pub loads: Vec<String>,
    /// The command that connects to hosts.
    pub ssh: Ssh,
}

/// The hosts of a measurement.
pub struct Sides {
    here: Arc<Host>,
    server: Arc<Host>,
    listens: IpAddr,
    loads: Vec<LoadSide>,
}

/// A host of the load, and the cores that the load tool has there.
pub struct LoadSide {
    /// The host.
    pub host: Arc<Host>,
    /// The CPUs of the load tool. If everything is on this machine, a run uses the workload's cores
    /// instead.
    pub cores: Vec<usize>,
    /// The topology of the host.
    pub topology: Topology,
    /// The number of the machine: load hosts with the same number are on one machine, such as two
    /// containers.
    pub machine: usize,
}

impl Sides {
    /// Returns the sides of a measurement on this machine alone, with the cores of `layout`.
    pub fn here(host: Arc<Host>, layout: &Layout) -> Self {
        let (server, listens) = (Arc::clone(&host), host.address());
        let (cores, topology) = (layout.cores.tool.clone(), layout.topology.clone());
        let loads = vec![LoadSide { host: Arc::clone(&host), cores, topology, machine: 0 }];
        Self { here: host, server, listens, loads }
    }

    /// Connects to each host once, and divides the cores: the server has all cores of its host, and
    /// the load tool all of its hosts, except those of helpers. Returns the sides and the layout of
    /// the server's host. Fails if a host cannot be reached, or is named twice.
    pub fn connect(here: Arc<Host>, names: &HostNames, choice: &Choice) -> anyhow::Result<(Self, Layout)> {
        let server_name = names.server.as_deref().unwrap_or(HERE);
        let load_names = if names.loads.is_empty() { vec![HERE.to_owned()] } else { names.loads.clone() };
        for (index, name) in load_names.iter().enumerate() {
            ensure!(name != server_name, "{name} is the server's host, and a load host: name another");
            ensure!(!load_names[..index].contains(name), "--load-host {name} is named twice");
        }
        let reach = |name: &str| match name {
            HERE => Ok(Arc::clone(&here)),
            name => here.connect(&names.ssh, name).map(Arc::new),
        };
        // At the same time, since a login takes a third of a second or more.
        let hosts = std::thread::scope(|scope| {
            let all = std::iter::once(server_name).chain(load_names.iter().map(String::as_str));
            let threads: Vec<_> = all.map(|name| scope.spawn(move || reach(name))).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| bail!("a thread panicked"))
            };
            threads.into_iter().map(join).collect::<anyhow::Result<Vec<Arc<Host>>>>()
        })?;
        let mut hosts = hosts.into_iter();
        let server = hosts.next().context("there is no host")?;
        let mut loads = hosts.map(|host| LoadSide::new(host, choice)).collect::<anyhow::Result<Vec<_>>>()?;
        number_machines(&mut loads);
        let listens = match loads.iter().find_map(|load| load.host.reached_from()) {
            Some(address) if server.name().is_none() => address,
            _ => server.address(),
        };
        let topology = server.topology().with_context(|| label(&server))?;
        let server_cores = match &choice.server {
            Some(cores) => within(&topology, "--server-cores", cores)?,
            None => threads(&topology.usable_cores().collect::<Vec<_>>(), choice.smt),
        };
        let tool = loads.first().map(|load| load.cores.clone()).unwrap_or_default();
        let layout = Layout { topology, cores: Cores { server: server_cores, tool, harness: None } };
        Ok((Self { here, server, listens, loads }, layout))
    }

    /// This machine, where the harness runs and servers are built.
    pub fn harness(&self) -> &Host {
        &self.here
    }

    /// The server's host.
    pub fn server(&self) -> &Host {
        &self.server
    }

    /// The address at which servers listen. The load hosts can reach it.
    pub fn listens(&self) -> IpAddr {
        self.listens
    }

    /// The hosts of the load, at least one.
    pub fn loads(&self) -> &[LoadSide] {
        &self.loads
    }

    /// Whether a side is on another host than the harness.
    pub fn are_apart(&self) -> bool {
        self.server.name().is_some() || self.loads.iter().any(|load| load.host.name().is_some())
    }

    /// All hosts, the server's first. If both sides are on this machine, it is returned once.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        let loads = self.loads.iter().map(|load| &*load.host).filter(|_| self.are_apart());
        std::iter::once(&*self.server).chain(loads)
    }

    /// Returns the machines of the load, and how each host was reached. Fails if one does not
    /// answer.
    pub fn machines(&self) -> anyhow::Result<Hosts> {
        let kernel = nix::sys::utsname::uname().context("cannot ask the kernel for its name")?;
        let of_load = |load: &LoadSide| {
            let cores = Cores { server: Vec::new(), tool: load.cores.clone(), harness: None };
            let layout = Layout { topology: load.topology.clone(), cores };
            let address = load.host.name().map(|_| load.host.address());
            Ok((link(&load.host, address)?, load.host.machine(&layout, 0)?))
        };
        Ok(Hosts {
            harness: kernel.nodename().to_string_lossy().into_owned(),
            server: link(&self.server, Some(self.listens))?,
            loads: self.loads.iter().map(of_load).collect::<anyhow::Result<_>>()?,
        })
    }

    /// Returns the name of the first lost host, and the reason.
    pub fn lost(&self) -> Option<String> {
        self.hosts().find_map(|host| Some(format!("{}: {}", label(host), host.lost()?)))
    }

    /// The names of the hosts that are lost.
    pub fn lost_hosts(&self) -> Vec<String> {
        self.hosts().filter(|host| host.lost().is_some()).map(label).collect()
    }

    /// Reconnects to the hosts that were lost. Fails if one cannot be reached.
    pub fn revive(&self) -> anyhow::Result<()> {
        self.hosts().try_for_each(Host::revive)
    }
}

impl LoadSide {
    fn new(host: Arc<Host>, choice: &Choice) -> anyhow::Result<Self> {
        let topology = host.topology().with_context(|| label(&host))?;
        let cores: Vec<&Core> = topology.usable_cores().collect();
        let own = if cores.len() < CORES_WITH_HELPER { &cores[..] } else { &cores[1..] };
        let (cores, helper) = match &choice.tool {
            Some(chosen) => (within(&topology, "--tool-cores", chosen)?, None),
            None => (threads(own, choice.smt), cores.first().filter(|_| own.len() < cores.len())),
        };
        let helper = helper.and_then(|core| core.usable.first().copied());
        if host.name().is_some() {
            host.pin_harness(&Cores { server: Vec::new(), tool: Vec::new(), harness: helper })?;
        }
        Ok(Self { host, cores, topology, machine: 0 })
    }
}

/// Gives load hosts that are on the same machine the same number.
fn number_machines(loads: &mut [LoadSide]) {
    let boots: Vec<Option<String>> = loads.iter().map(|load| load.host.boot()).collect();
    for (index, load) in loads.iter_mut().enumerate() {
        let first = boots.iter().position(|boot| boot.is_some() && *boot == boots[index]);
        load.machine = first.unwrap_or(index);
    }
}

fn link(host: &Host, address: Option<IpAddr>) -> anyhow::Result<HostLink> {
    Ok(HostLink {
        name: host.name().map(str::to_owned),
        address,
        interface: address.and_then(|address| host.interface(address)),
        round_trip_seconds: host.clock_offset()?.round_trip.as_secs_f64(),
    })
}

/// Returns the name of a host in messages.
pub fn label(host: &Host) -> String {
    host.name().unwrap_or(HERE).to_owned()
}

/// Returns one thread of each core, or all threads.
fn threads(cores: &[&Core], smt: Smt) -> Vec<usize> {
    let own = |core: &&Core| match smt {
        Smt::Off => core.usable.iter().take(1).copied().collect::<Vec<_>>(),
        Smt::On => core.usable.clone(),
    };
    cores.iter().flat_map(own).collect()
}

/// Returns the cores that the user chose. Fails if the host has no such core.
fn within(topology: &Topology, flag: &str, chosen: &[usize]) -> anyhow::Result<Vec<usize>> {
    let usable: Vec<usize> = topology.usable_cores().flat_map(|core| core.usable.clone()).collect();
    match chosen.iter().find(|cpu| !usable.contains(cpu)) {
        Some(cpu) => bail!("{flag}: there is no core {cpu} that may be used there"),
        None => Ok(chosen.to_vec()),
    }
}
