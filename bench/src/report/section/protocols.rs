//! What do TLS and HTTP/2 cost? Compares each server with itself over plain HTTP/1.1.

use super::family::Question;
use super::metric::{COST, cost};
use super::words::short;
use super::{Source, fields, figures};
use crate::analysis::summary::{Cell, WorkloadSummary};
use crate::report::chart::{Bar, Bars, Chart};
use crate::report::document::{Section, Table};
use crate::report::field::Field;
use crate::report::value::Quantity;
use crate::store::record::{Protocol, WorkloadRecord};
use crate::text::numbers;

pub(super) fn section(source: &Source) -> Option<Section> {
    let families = source.families.iter().filter(|family| family.question == Question::Protocols);
    let families: Vec<Vec<&WorkloadSummary>> = families
        .map(|family| in_order(&family.members))
        .filter(|members: &Vec<_>| !members.is_empty())
        .collect();
    if families.is_empty() {
        return None;
    }
    let section = Section::new(
        "protocols",
        "What does TLS cost? What does HTTP/2 cost?",
        "Each server is compared with itself, speaking plain HTTP/1.1. The client fixes the cryptography, so that all servers \
         do the same work: TLS 1.3, AES-128-GCM, X25519, a certificate on P-256. Streams of HTTP/2 multiply what a \
         write carries, as pipelining does: what counts is how many are open on a connection.",
    );
    let charts = families.iter().filter_map(|members| chart(members));
    let tables = families.iter().flat_map(|members| {
        let mut cost =
            COST.shown("protocols-cost", "CPU time per request by protocol").matrix(members, short);
        cost.name = format!("{}-cost", family_name(members));
        [Some(cost), ratios(members), handshakes(members)].into_iter().flatten()
    });
    section.with(charts, tables)
}

/// Sentences about what each protocol costs, relative to the same server over plain HTTP/1.1, and
/// what a handshake costs. The load of a protocol is the one over kept connections with the most
/// streams, or, among equal ones, with the most connections.
pub(super) fn sentences(members: &[&WorkloadSummary]) -> Vec<String> {
    let ratios = |protocol: Protocol| {
        let kept = members.iter().copied().filter(|member| {
            member.workload.protocol == protocol && member.workload.mode.as_deref() == Some("keep-alive")
        });
        let member = kept.max_by_key(|member| (member.workload.streams, member.workload.connections))?;
        let plain = plain_of(members, member)?;
        let shown = ascending(member, |cell| ratio(member, plain, cell), |ratio| format!("{ratio:.2}×"));
        let what = &member.workload.title;
        shown.map(|shown| format!("CPU time per request, relative to plain HTTP/1.1, {what}: {shown}."))
    };
    let handshake = || {
        let (member, plain) =
            handshakes_of(members).into_iter().find(|(member, _)| !member.workload.resumes)?;
        let of_cell = |cell: &Cell| Some(cost(member, cell)? - cost(plain, cell)?);
        let shown = ascending(member, of_cell, numbers::duration);
        shown.map(|shown| format!("CPU time per full handshake: {shown}."))
    };
    let protocols = Protocol::ALL.into_iter().filter(|protocol| !protocol.is_plain());
    protocols.filter_map(ratios).chain(handshake()).collect()
}

/// The servers with their figures, in ascending order; `None` if there are none.
fn ascending(
    member: &WorkloadSummary,
    figure: impl Fn(&Cell) -> Option<f64>,
    shown: impl Fn(f64) -> String,
) -> Option<String> {
    let of_cell = |cell| Some((Cell::name(cell), figure(cell)?));
    let mut found: Vec<(&str, f64)> = member.cells.iter().filter_map(of_cell).collect();
    found.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let found: Vec<(&str, String)> = found.into_iter().map(|(name, figure)| (name, shown(figure))).collect();
    (!found.is_empty()).then(|| figures(&found))
}

/// The workloads with figures. Plain HTTP/1.1, with which the others are compared, comes first.
fn in_order<'s, 'a>(members: &[&'s WorkloadSummary<'a>]) -> Vec<&'s WorkloadSummary<'a>> {
    let mut members: Vec<_> = members.iter().copied().filter(|member| member.is_measured()).collect();
    members.sort_by_key(|member| member.workload.protocol);
    members
}

/// The name that the members have in common.
fn family_name(members: &[&WorkloadSummary]) -> String {
    let first = members.first().map(|member| member.workload.name.as_str()).unwrap_or_default();
    format!("protocols-{}", first.split('-').next().unwrap_or_default())
}

/// The workload over plain HTTP/1.1 that `of` is compared with: the one with as many connections,
/// or else the one with the most, since streams take the place of connections.
fn plain_of<'s, 'a>(
    members: &[&'s WorkloadSummary<'a>],
    of: &WorkloadSummary,
) -> Option<&'s WorkloadSummary<'a>> {
    let is_like =
        |workload: &WorkloadRecord| workload.protocol == Protocol::Http1 && workload.mode == of.workload.mode;
    let plain = members.iter().copied().filter(|member| is_like(member.workload));
    plain.max_by_key(|member| {
        let connections = member.workload.connections;
        (connections == of.workload.connections, connections)
    })
}

fn ratio(member: &WorkloadSummary, plain: &WorkloadSummary, cell: &Cell) -> Option<f64> {
    Some(cost(member, cell)? / cost(plain, cell)?)
}

/// A bar per server and protocol, grouped by server.
fn chart(members: &[&WorkloadSummary]) -> Option<Chart> {
    let kept: Vec<_> =
        members.iter().filter(|member| member.workload.mode.as_deref() == Some("keep-alive")).collect();
    let servers = super::servers(members);
    let bar = |server: &str, member: &WorkloadSummary| {
        let cell = member.cell(server)?;
        let label = format!("{server}, {}", short(member));
        Some(Bar::new(&label, COST.figure(cell), COST.attribution(cell), server.to_owned()))
    };
    let bars: Vec<Bar> = servers
        .iter()
        .flat_map(|server| kept.iter().filter_map(|member| bar(server, member)).collect::<Vec<_>>())
        .collect();
    let id = family_name(members);
    (!bars.is_empty()).then(|| {
        let title = "CPU time per request by protocol".to_owned();
        Chart::from_bars(id, title, Bars::new(COST.header, COST.quantity, bars))
    })
}

/// A table of the ratios of each protocol to plain HTTP/1.1 on the same server.
fn ratios(members: &[&WorkloadSummary]) -> Option<Table> {
    let first = members.first()?;
    let others = members.iter().copied().filter(|member| !member.workload.protocol.is_plain());
    let pairs = others.filter_map(|member| Some((member, plain_of(members, member)?)));
    let fields = pairs.map(|(member, plain)| {
        let of_cell = move |cell: &Cell| ratio(member, plain, cell);
        Field::new(short(member), Quantity::Ratio, of_cell).essential()
    });
    let fields = std::iter::once(fields::server()).chain(fields);
    let id = format!("{}-ratio", family_name(members));
    let title = "CPU time per request, relative to the same server over plain HTTP/1.1";
    Table::from_fields(id, title, fields, first.cells.iter()).with_rows()
}

/// A table of what a handshake costs each server: the difference between a request on a new
/// connection with TLS and one without.
fn handshakes(members: &[&WorkloadSummary]) -> Option<Table> {
    let pairs = handshakes_of(members);
    let (first, _) = *pairs.first()?;
    let fields = pairs.into_iter().map(|(member, plain)| {
        let of_cell = move |cell: &Cell| Some(cost(member, cell)? - cost(plain, cell)?);
        let kind = if member.workload.resumes { "resumed" } else { "full" };
        Field::new(format!("CPU/handshake, {kind}"), Quantity::Time, of_cell).essential()
    });
    let fields = std::iter::once(fields::server()).chain(fields);
    let id = format!("{}-handshake", family_name(members));
    let title = "What a handshake costs: the difference to a connection without TLS";
    Table::from_fields(id, title, fields, first.cells.iter()).with_rows()
}

/// The workloads with a handshake per request, each with the one without TLS to compare it with.
fn handshakes_of<'s, 'a>(
    members: &[&'s WorkloadSummary<'a>],
) -> Vec<(&'s WorkloadSummary<'a>, &'s WorkloadSummary<'a>)> {
    let is_handshake = |member: &&WorkloadSummary| {
        member.workload.mode.as_deref() == Some("close") && member.workload.protocol.is_encrypted()
    };
    let closing = members.iter().copied().filter(is_handshake);
    closing.filter_map(|member| Some((member, plain_of(members, member)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::Record;
    use crate::store::results::Loaded;

    fn runs(name: &str, protocol: Protocol, mode: &str, seconds: f64) -> Vec<Record> {
        Record::seven("one", |record| {
            (record.workload.name, record.workload.title) = (name.into(), name.into());
            (record.workload.protocol, record.workload.mode) = (protocol, Some(mode.into()));
            record.set_cpu_seconds(seconds);
        })
    }

    #[test]
    fn each_server_is_compared_with_itself() {
        let records = [
            runs("tls-plain", Protocol::Http1, "keep-alive", 0.5),
            runs("tls-kept", Protocol::Https, "keep-alive", 0.6),
            runs("tls-plain-close", Protocol::Http1, "close", 1.0),
            runs("tls-full", Protocol::Https, "close", 2.0),
        ];
        let loaded = Loaded::example(records.concat());
        let section = loaded.section(section).unwrap();
        let [_, ratios, handshakes] = section.tables.as_slice() else { panic!("{section:?}") };
        assert_eq!(ratios.shown(&["Server", "kept", "full"]), ["one | 1.20 | 2.00"]);
        assert_eq!(handshakes.shown(&["Server", "CPU/handshake, full"]).len(), 1);
        assert_eq!(section.charts.len(), 1);
        let summaries = crate::analysis::summary::summarise(&loaded.records);
        let members: Vec<&WorkloadSummary> = summaries.iter().collect();
        let said = sentences(&members);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].ends_with("tls-kept: one 1.20×."), "{said:?}");
    }
}
