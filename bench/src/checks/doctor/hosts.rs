//! Hosts of a measurement: what each lacks, how it is reached, and whether it is quiet.

use std::time::Duration;

use super::finding::{Finding, Level};
use crate::machine::assignment::Layout;
use crate::machine::host::{Host, Interface, Ports};
use crate::machine::sides::{self, Sides};
use crate::servers::deploy;
use crate::servers::server::Server;
use crate::text::numbers::{self, as_f64};
use crate::tools::{self, TOOLS};

/// How long the cores are observed.
const OBSERVED: Duration = Duration::from_secs(1);

/// The share of the cores' time that may be used while nothing is measured.
const QUIET_SHARE: f64 = 0.05;

/// The round-trip time from which a note is shown: it is then longer than most answers take.
const LONG_TRIP: Duration = Duration::from_millis(1);

/// Returns the findings about each host, with a title. Fails when a host cannot be queried.
pub(crate) fn hosts(
    sides: &Sides,
    layout: &Layout,
    servers: &[Server],
) -> anyhow::Result<Vec<(String, Vec<Finding>)>> {
    let server = sides.server();
    let mut all = reached(server, &layout.cores.server)?;
    all.extend(link(server.interface(sides.listens()).as_ref(), sides.listens().is_loopback()));
    all.push(runs(server, servers));
    let mut sections = vec![(format!("{}: servers", sides::label(server)), all)];
    for load in sides.loads() {
        let mut findings = reached(&load.host, &load.cores)?;
        findings.extend(tools_of(&load.host));
        findings.extend(load.host.ports(sides.listens()).map(ports));
        sections.push((format!("{}: load", sides::label(&load.host)), findings));
    }
    Ok(sections)
}

/// Returns findings about the host: how it is reached, its machine, and whether its cores are
/// quiet.
fn reached(host: &Host, cores: &[usize]) -> anyhow::Result<Vec<Finding>> {
    let topology = host.topology()?;
    let layout = Layout {
        topology,
        cores: crate::machine::cores::Cores { server: cores.to_vec(), tool: Vec::new(), harness: None },
    };
    let machine = host.machine(&layout, 0)?;
    let processor = machine.processor.as_deref().unwrap_or("an unknown processor");
    let counted = machine.counted_cores();
    let mut findings =
        vec![Level::Ok.finding(format!("{counted} of {processor}: it gets {}", numbers::cores(cores)))];
    if let Some(name) = host.name() {
        let offset = host.clock_offset()?;
        let trip = numbers::duration(offset.round_trip.as_secs_f64());
        let text =
            format!("ssh reaches {name} at {}: round trip {trip}, clock known to half of it", host.address());
        let advice = ": latency at one connection is that of the network";
        findings.push(Level::Note.unless(offset.round_trip < LONG_TRIP, text, advice));
    }
    let before = host.counters(cores)?;
    std::thread::sleep(OBSERVED);
    let after = host.counters(cores)?;
    let busy = after.busy.zip(before.busy).map(|(after, before)| after.since(&before).busy);
    findings
        .extend(busy.map(|seconds| quiet(seconds / (OBSERVED.as_secs_f64() * as_f64(cores.len() as u64)))));
    Ok(findings)
}

fn quiet(share: f64) -> Finding {
    let text =
        format!("its cores were {:.0} % busy in a second in which nothing was measured", share * 100.0);
    Level::Note.unless(share <= QUIET_SHARE, text, ": `top` there shows with what")
}

fn link(interface: Option<&Interface>, is_loopback: bool) -> Vec<Finding> {
    let Some(interface) = interface else {
        return vec![Level::Note.finding("the kernel does not say which interface the load arrives at")];
    };
    let mtu = interface.mtu.map(|mtu| format!(", packets of {mtu} bytes")).unwrap_or_default();
    let driver = interface.driver.as_ref().map(|driver| format!(" ({driver})")).unwrap_or_default();
    let offloads = interface.offloads.as_ref();
    let offloads = offloads.map(|on| format!(", offloads: {on}")).unwrap_or_default();
    let name = &interface.name;
    vec![match interface.megabits_per_second {
        Some(speed) => Level::Ok.finding(format!("{name}{driver} carries {speed} Mbit/s{mtu}{offloads}")),
        None if is_loopback => Level::Note.finding(format!("{name} is no network{mtu}{offloads}")),
        None => Level::Note.finding(format!(
            "{name}{driver} does not say how much it carries{mtu}{offloads}: only a measurement with the floor \
             among its servers can call a run network-bound"
        )),
    }]
}

/// Counts the servers whose required programs the host has.
fn runs(host: &Host, servers: &[Server]) -> Finding {
    let lacking = |server: &Server| deploy::lacks(host, server);
    let lacks: Vec<String> =
        servers.iter().filter_map(|server| Some(format!("{} ({})", server.name, lacking(server)?))).collect();
    let count = servers.len() - lacks.len();
    let text = format!("{} of {} servers have what they need to run there", count, servers.len());
    if lacks.is_empty() {
        Level::Ok.finding(text)
    } else {
        Level::Lacks.finding(format!("{text}; not {}", lacks.join("; ")))
    }
}

fn tools_of(host: &Host) -> Vec<Finding> {
    let of = |tool: &&dyn tools::Tool| match tools::available(host, *tool) {
        Ok(version) => Level::Ok.finding(version),
        Err(why) if tool.name() == "visit" => Level::Bad.finding(why),
        Err(why) => Level::Lacks.finding(why),
    };
    TOOLS.iter().map(of).collect()
}

fn ports(ports: Ports) -> Finding {
    let text = format!("{} ports for outgoing connections", numbers::whole(as_f64(ports.all as u64)));
    let advice = "; one that has been used is free again after a minute, so that a load without keep-alive waits; \
                  as root there: sysctl net.ipv4.tcp_tw_reuse=1";
    Level::Note.unless(ports.reused, text, advice)
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_finding;
    use super::*;
    use crate::machine::host::{Offload, Offloads};

    #[test]
    fn a_link_says_what_it_carries_or_that_it_does_not() {
        let interface = |speed: Option<u64>, on: Option<Offloads>| Interface {
            name: "eth0".into(),
            driver: Some("virtio_net".into()),
            megabits_per_second: speed,
            mtu: Some(1500),
            receive_queues: Some(2),
            offloads: on,
        };
        let on = |offloads: &[Offload]| Some(Offloads(offloads.to_vec()));
        let cases = [
            (
                interface(Some(10_000), None),
                false,
                (Level::Ok, "eth0 (virtio_net) carries 10000 Mbit/s, packets of 1500 bytes"),
            ),
            (interface(Some(10_000), on(&[Offload::Tso])), false, (Level::Ok, " bytes, offloads: TSO")),
            (interface(Some(10_000), on(&[])), false, (Level::Ok, " bytes, offloads: none")),
            (
                interface(None, None),
                false,
                (Level::Note, "only a measurement with the floor among its servers can call"),
            ),
            (
                interface(None, on(&[])),
                false,
                (Level::Note, " bytes, offloads: none: only a measurement with"),
            ),
            (interface(None, None), true, (Level::Note, "is no network")),
        ];
        for (interface, is_loopback, expected) in cases {
            assert_finding(&link(Some(&interface), is_loopback)[0], expected);
        }
    }

    #[test]
    fn ports_that_are_not_reused_are_told() {
        let ports = |reused| super::ports(Ports { all: 28_232, held: 0, reused });
        assert_finding(&ports(true), (Level::Ok, "28,232 ports"));
        assert_finding(&ports(false), (Level::Note, "tcp_tw_reuse=1"));
        assert_finding(&quiet(0.01), (Level::Ok, "1 % busy"));
        assert_finding(&quiet(0.5), (Level::Note, "`top` there"));
    }
}
