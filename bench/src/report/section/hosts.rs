//! Where did each side run? The hosts of a measurement over a network, and what each of them did.

use super::{Source, words};
use crate::analysis::summary::{Cell, WorkloadSummary, grouped};
use crate::machine::{HostLink, Machine};
use crate::report::chart::{self, Chart, HostBox, Plot};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{HostsRecord, LoadHostRecord, NetworkRecord};
use crate::text::numbers::as_f64;

/// A host with its machine, and the cores that its side could use.
struct HostRow<'a> {
    side: &'static str,
    link: &'a HostLink,
    machine: &'a Machine,
    cores: &'a [usize],
}

pub(super) fn section(source: &Source) -> Option<Section> {
    let machine = &source.loaded.machine;
    let hosts = machine.hosts.as_ref()?;
    let about = format!(
        "The server and the load tool ran on different hosts, so that requests and answers pass a network. The harness \
         ran on {} and used a helper on each host, over ssh; while a load runs it sends nothing but heartbeats.",
        hosts.harness
    );
    let server = HostRow { side: "server", link: &hosts.server, machine, cores: &machine.server_cores };
    let loads: Vec<HostRow> = hosts.loads.iter().map(HostRow::from_load).collect();
    let runs = source.summaries.iter().map(|summary| (summary, host_runs(summary)));
    let runs: Vec<Measured> = runs.filter(|(_, runs)| !runs.is_empty()).collect();
    let has_several = loads.len() > 1;
    let each = runs.iter().filter(|_| has_several).map(|(summary, runs)| load_table(summary, runs));
    let chart = chart(&server, &loads);
    let tables = std::iter::once(hosts_table(server, loads, source));
    let tables = tables.chain(network_table(&runs, has_several)).chain(each);
    Section::new("hosts", "Where did each side run?", &about).with([chart], tables)
}

impl<'a> HostRow<'a> {
    fn from_load((link, machine): &'a (HostLink, Machine)) -> Self {
        Self { side: "load", link, machine, cores: &machine.tool_cores }
    }

    /// The texts in the host's box of the chart.
    fn in_a_box(&self) -> HostBox {
        HostBox {
            label: words::host(self.link).into(),
            side: format!("{} on {}", self.side, words::cores(self.cores)),
            link: words::interface(self.link),
        }
    }
}

fn chart(server: &HostRow, loads: &[HostRow]) -> Chart {
    let shown = |host: &HostBox| format!("{} ({})", host.label, host.side);
    let (server, loads) = (server.in_a_box(), loads.iter().map(HostRow::in_a_box).collect::<Vec<_>>());
    let described: Vec<String> = loads.iter().map(shown).collect();
    Chart {
        id: "hosts".into(),
        title: "The hosts of the server and of the load".into(),
        description: format!("{}, under load from {}.", shown(&server), words::list(&described)),
        plot: Plot::Hosts(chart::Hosts { server, loads }),
    }
}

/// A table of the hosts, the server's first.
fn hosts_table(server: HostRow, loads: Vec<HostRow>, source: &Source) -> Table {
    let speed = capacity(source, &server);
    let rows: Vec<HostRow> = std::iter::once(server).chain(loads).collect();
    let interface = |row: &HostRow| row.link.interface.clone();
    let trip = |row: &HostRow| Some(row.link.round_trip_seconds).filter(|_| row.link.name.is_some());
    let fields = [
        Field::text("Host", |row: &HostRow| words::host(row.link)).essential(),
        Field::text("Side", |row: &HostRow| row.side).essential(),
        Field::text("Processor", |row: &HostRow| row.machine.processor.clone()),
        Field::text("Cores used", |row: &HostRow| cores(row)).essential(),
        Field::text("Kernel", |row: &HostRow| row.machine.kernel.clone()).optional(),
        Field::text("Interface", move |row: &HostRow| interface(row).map(|interface| interface.name)),
        Field::text("Driver", move |row: &HostRow| interface(row)?.driver).optional(),
        Field::text("Link", |row: &HostRow| words::speed(row.link)),
        Field::new("MTU", Quantity::Count, move |row: &HostRow| Some(as_f64(interface(row)?.mtu?)))
            .optional(),
        Field::text("Offloads", offloads).optional(),
        Field::text("Address", |row: &HostRow| row.link.address.map(|address| address.to_string())),
        Field::new("Round trip", Quantity::Time, trip),
        Field::new("Clock known to", Quantity::Time, move |row: &HostRow| Some(trip(row)? / 2.0)).optional(),
    ];
    let mut table = Table::from_fields("hosts", "The hosts", fields, &rows);
    table.notes.push(
        "Host: the name by which the harness reached it. Round trip: the fastest exchange of the harness with its helper \
         there, which passes ssh, and so takes longer than a packet. Half of it is how well the host's clock is known."
            .into(),
    );
    if rows.iter().any(|row| offloads(row).is_some()) {
        table.notes.push(
            "Offloads: those that are on. TSO and GSO divide what TCP sends into packets, in the interface or just before \
             it, GRO and LRO join packets that arrive, and the interface computes checksums: the processor has less to do \
             per byte."
                .into(),
        );
    }
    table.notes.extend(speed);
    table.notes.extend(shared_machines(source));
    table
}

/// `2 of 8 cores`: the cores of its side, and those of the machine.
fn cores(row: &HostRow) -> String {
    format!("{} of {}", row.cores.len(), row.machine.counted_cores())
}

/// The offloads of its interface that are on, in words.
fn offloads(row: &HostRow) -> Option<String> {
    row.link.interface.as_ref()?.offloads.as_ref().map(ToString::to_string)
}

/// A note on the capacity of the server's link: what a probe found, or that the capacity is
/// unknown. `None` if only the interface states it.
fn capacity(source: &Source, server: &HostRow) -> Option<String> {
    let networks = source.loaded.records.iter().filter_map(|run| run.hosts.as_ref()?.network);
    let probed = networks.filter_map(|network| network.probed_megabits_per_second).reduce(f64::max);
    let host = words::host(server.link);
    match probed {
        Some(probed) => Some(format!("The link of {host} carries {probed:.0} Mbit/s, as a probe of large answers found.")),
        None => words::speed(server.link).is_none().then(|| {
            format!("The interface of {host} does not say how much it carries, so that no run can be called network-bound.")
        }),
    }
}

/// A sentence for each machine that is several load hosts, according to the records.
fn shared_machines(source: &Source) -> Vec<String> {
    let run = source.loaded.records.iter().find_map(|run| run.hosts.as_ref());
    let machines = run.map(HostsRecord::load_machines).unwrap_or_default();
    let shared = machines.values().filter(|(hosts, _)| hosts.len() > 1);
    let sentence = |(hosts, cores): &(Vec<&LoadHostRecord>, _)| {
        let names: Vec<&str> = hosts.iter().map(|host| host.label()).collect();
        let cores: Vec<usize> = std::collections::BTreeSet::clone(cores).into_iter().collect();
        format!("{} are one machine, and have {} together.", words::list(&names), words::cores(&cores))
    };
    shared.map(sentence).collect()
}

/// The records of the hosts in each run of a workload that did not fail.
fn host_runs<'a>(summary: &WorkloadSummary<'a>) -> Vec<&'a HostsRecord> {
    let cells = summary.with_floor().chain(&summary.duplicate);
    cells.flat_map(Cell::measured).filter_map(|run| run.hosts.as_ref()).collect()
}

/// A workload, and the records of the hosts in its runs.
type Measured<'a, 's> = (&'s WorkloadSummary<'a>, Vec<&'a HostsRecord>);

/// A row per workload: what the server's link carried, and for how long all load hosts made load.
fn network_table(runs: &[Measured], has_several: bool) -> Option<Table> {
    fn networks<'r>((_, runs): &'r Measured) -> impl Iterator<Item = NetworkRecord> + use<'r> {
        runs.iter().filter_map(|run| run.network)
    }
    fn sum(row: &Measured, of: fn(&NetworkRecord) -> u64) -> Option<f64> {
        networks(row).map(|network| of(&network)).reduce(|one, other| one + other).map(as_f64)
    }
    let overlap = |(_, runs): &Measured| runs.iter().map(|run| run.overlap).reduce(f64::min);
    let used = |row: &Measured| networks(row).filter_map(|network| network.utilisation()).reduce(f64::max);
    let fields = [
        Some(Field::text("Workload", |(summary, _): &Measured| summary.workload.name.as_str()).essential()),
        Some(Field::text("Tool", |(summary, _): &Measured| summary.tool.name.as_str()).optional()),
        has_several.then(|| Field::new("Together, least", Quantity::Share, overlap).essential()),
        Some(Field::new("Link used, most", Quantity::Share, used).essential()),
        Some(Field::new("Sent again", Quantity::Count, |row: &Measured| {
            sum(row, |network| network.retransmitted)
        })),
        Some(Field::new("Dropped", Quantity::Count, |row: &Measured| sum(row, |network| network.dropped))),
    ];
    let mut table = Table::from_fields(
        "hosts-network",
        "The link of the server's host",
        fields.into_iter().flatten(),
        runs,
    );
    if has_several {
        table.notes.push(
            "Together: the time in which all load hosts made load, as a share of the time in which one of them did. \
             With less than 99 % a run is invalid."
                .into(),
        );
    }
    table.notes.push(
        "Link used: what the busier direction carried, as a share of its capacity; from 90 % a run whose server and \
         load tool had time left is network-bound. Sent again: segments that TCP on the server's host sent again, in all \
         runs. Dropped: packets that its interface dropped."
            .into(),
    );
    table.with_rows()
}

/// What each load host did under a workload: a row per host, over all runs.
fn load_table(summary: &WorkloadSummary, runs: &[&HostsRecord]) -> Table {
    type Row<'a> = (&'a str, Vec<&'a LoadHostRecord>);
    fn most(of: impl Fn(&LoadHostRecord) -> Option<f64>) -> impl Fn(&Row) -> Option<f64> {
        move |(_, loads)| loads.iter().filter_map(|load| of(load)).reduce(f64::max)
    }
    fn share(load: &LoadHostRecord, seconds: f64) -> f64 {
        seconds / (load.elapsed_seconds * as_f64(load.cores.len() as u64))
    }
    let rows: Vec<Row> = grouped(runs.iter().flat_map(|run| &run.loads).map(|load| (load.label(), load)));
    let answers = |(_, loads): &Row| as_f64(loads.iter().map(|load| load.answered).sum());
    let fields = [
        Field::text("Load host", |(name, _): &Row| *name).essential(),
        Field::new("Answers", Quantity::Count, answers).essential(),
        Field::new("Tool busy, most", Quantity::Share, most(|load| Some(share(load, load.tool.seconds))))
            .essential(),
        Field::new(
            "Other processes, most",
            Quantity::Share,
            most(|load| Some(share(load, load.external_seconds?))),
        ),
        Field::new("Began later, most", Quantity::Time, most(|load| Some(load.began_seconds))),
        Field::new("Clock moved, most", Quantity::Time, most(|load| Some(load.clock_drift_seconds))),
    ];
    let is_check = if summary.is_check { format!("-{}", summary.tool.name) } else { String::new() };
    let name = format!("hosts-{}{is_check}", summary.workload.name);
    let mut table =
        Table::from_fields(name, format!("The load hosts, {}", words::title(summary)), fields, &rows);
    table.notes.push(
        "Over all runs of all servers. Tool busy: of the time of the cores that the tool had on this host. Began later: \
         than the first host. Clock moved: against the harness's in a run, as far as their exchanges show it."
            .into(),
    );
    table.is_detail = true;
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Hosts;
    use crate::machine::host::Interface;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    /// A measurement under load from these hosts: the name of each, and the number of its machine.
    fn measured(loads: &[(&str, usize)], megabits_per_second: Option<u64>) -> Loaded {
        let records = Record::seven("one", |run| {
            let tool = run.cpu.as_ref().unwrap().tool;
            let load = |(name, machine): &(&str, usize)| LoadHostRecord {
                name: Some((*name).into()),
                machine: *machine,
                cores: vec![1],
                answered: 500,
                began_seconds: 0.001,
                elapsed_seconds: 1.0,
                late_seconds: None,
                tool,
                external_seconds: None,
                round_trip_seconds: 0.0002,
                round_trip_after_seconds: 0.0002,
                clock_drift_seconds: 0.0,
            };
            let loads = loads.iter().map(load).collect();
            run.hosts = Some(HostsRecord { server: None, loads, overlap: 0.995, network: None });
        });
        let mut loaded = Loaded::example(records);
        let link = |name: Option<&str>| HostLink {
            name: name.map(str::to_owned),
            address: None,
            interface: Some(Interface {
                name: "eth0".into(),
                driver: None,
                megabits_per_second,
                mtu: None,
                receive_queues: None,
                offloads: None,
            }),
            round_trip_seconds: 0.0002,
        };
        let machines = loads.iter().map(|(name, _)| (link(Some(name)), loaded.machine.clone())).collect();
        loaded.machine.hosts = Some(Hosts { harness: "desk".into(), server: link(None), loads: machines });
        loaded
    }

    #[test]
    fn the_tables_say_what_the_hosts_are() {
        let unknown = "The interface of this machine does not say how much it carries";
        let shared = "beta and gamma are one machine, and have core 1 together.";
        type Case<'a> = (&'a [(&'a str, usize)], Option<u64>, &'a [&'a str], &'a str);
        let cases: [Case; 3] = [
            (&[("beta", 0)], Some(1000), &[], "hosts hosts-network"),
            (&[("beta", 0), ("gamma", 1)], None, &[unknown], "hosts hosts-network hosts-work"),
            (&[("beta", 0), ("gamma", 0)], Some(1000), &[shared], "hosts hosts-network hosts-work"),
        ];
        for (loads, speed, notes, tables) in cases {
            let section = measured(loads, speed).section(section).unwrap();
            let names: Vec<&str> = section.tables.iter().map(|table| table.name.as_str()).collect();
            assert_eq!(names.join(" "), tables);
            let hosts = &section.tables[0];
            assert_eq!(hosts.rows.len(), 1 + loads.len());
            assert_eq!(hosts.notes.len(), 1 + notes.len(), "{:?}", hosts.notes);
            assert!(notes.iter().all(|note| hosts.notes.iter().any(|known| known.starts_with(note))));
            // The server is on the harness's machine.
            assert_eq!(hosts.shown(&["Host", "Round trip"])[..2], ["this machine | –", "beta | 200"]);
            let together = if loads.len() > 1 { "work | 99.5 | –" } else { "work | - | –" };
            assert_eq!(
                section.tables[1].shown(&["Workload", "Together, least", "Link used, most"]),
                [together]
            );
        }
        assert!(Loaded::example(Record::seven("one", |_| ())).section(section).is_none());
    }
}
