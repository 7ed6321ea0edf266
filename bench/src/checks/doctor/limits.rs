//! What bounds connections and CPU time here.

use super::{Finding, Level};
use crate::machine::Machine;
use crate::machine::host::{self, Ports};
use crate::text::numbers::as_f64;
use crate::text::numbers::{significant, whole};

/// Connections that the largest load and the largest drill open at once, with what a server and a tool keep for themselves.
const DESCRIPTORS: usize = 10_400;

/// As many connections as the largest load opens in one go: with a shorter queue some of them are made to wait for a second.
const ACCEPT_QUEUE: u32 = 1024;

/// The limits. Those that cannot be read are left out.
pub fn limits(machine: &Machine) -> Vec<Finding> {
    [
        host::raise_descriptor_limit().ok().map(descriptors),
        host::ports().map(ports),
        machine.network.accept_queue.map(accept_queue),
        machine.cores.map(|cores| quota(host::quota(), cores)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn descriptors(limit: usize) -> Finding {
    let files = format!("{} files may be open", whole(as_f64(limit as u64)));
    if limit >= DESCRIPTORS {
        Level::Ok.finding(format!("{files}: enough for 10,000 connections"))
    } else {
        Level::Bad.finding(format!(
            "{files}, too few for 10,000 connections; \
             as root: ulimit -n {DESCRIPTORS}, or LimitNOFILE= and limits.conf for good"
        ))
    }
}

fn ports(ports: Ports) -> Finding {
    let held = format!(
        "{} of {} ports for outgoing connections are held by connections that have ended",
        whole(as_f64(ports.held as u64)),
        whole(as_f64(ports.all as u64))
    );
    match (ports.held <= ports.enough_up_to(), ports.reused) {
        (true, _) => Level::Ok.finding(held),
        (false, true) => {
            Level::Note.finding(format!("{held}; the kernel gives them out again after a second or two"))
        }
        (false, false) => Level::Note.finding(format!(
            "{held}; a load without keep-alive waits for them, up to a minute; \
             as root: sysctl net.ipv4.tcp_tw_reuse=2"
        )),
    }
}

fn accept_queue(length: u32) -> Finding {
    let text = format!("{} connections may wait to be accepted", whole(f64::from(length)));
    if length >= ACCEPT_QUEUE {
        Level::Ok.finding(text)
    } else {
        Level::Bad.finding(format!(
            "{text}, and more at once are made to wait for a second; as root: sysctl net.core.somaxconn=4096"
        ))
    }
}

/// Of the time of so many cores.
fn quota(quota: Option<f64>, cores: usize) -> Finding {
    match quota {
        None => Level::Ok.finding("no quota of CPU time is set"),
        Some(quota) if quota >= as_f64(cores as u64) => Level::Ok
            .finding(format!("a quota of {} cores' time is set, which is all there is", significant(quota))),
        Some(quota) => Level::Bad.finding(format!(
            "a quota of {} cores' time is set for {cores} cores: what runs into it is disturbed; \
             start the container without `--cpus`, or give it whole cores with `--cpuset-cpus`",
            significant(quota)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finding;
    use super::*;

    #[test]
    fn limits_become_words() {
        let held = |held, reused| ports(Ports { all: 28_232, held, reused });
        let cases = [
            (descriptors(1_048_576), (Level::Ok, "1,048,576 files may be open")),
            (descriptors(10_400), (Level::Ok, "enough")),
            (descriptors(4096), (Level::Bad, "ulimit -n 10400")),
            (held(0, false), (Level::Ok, "0 of 28,232 ports")),
            (held(14_116, false), (Level::Ok, "14,116 of 28,232 ports")),
            (held(14_117, false), (Level::Note, "tcp_tw_reuse=2")),
            (held(14_117, true), (Level::Note, "after a second or two")),
            (accept_queue(4096), (Level::Ok, "4,096 connections")),
            (accept_queue(128), (Level::Bad, "somaxconn=4096")),
            (quota(None, 2), (Level::Ok, "no quota")),
            (quota(Some(2.0), 2), (Level::Ok, "all there is")),
            (quota(Some(1.5), 2), (Level::Bad, "a quota of 1.50 cores' time is set for 2 cores")),
        ];
        for (finding, expected) in cases {
            assert_finding(&finding, expected);
        }
    }
}
