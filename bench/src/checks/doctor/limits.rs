//! The machine's limits of connections and CPU time.

use super::finding::{Finding, Level};
use crate::machine::Machine;
use crate::machine::host::{self, Host, Ports};
use crate::text::numbers::{as_f64, significant, whole};

/// The descriptors for 10,000 connections, the most of any load or drill, and for all other files
/// that servers and tools open.
const DESCRIPTORS: usize = 10_400;

/// Connections that the largest load opens at once. The kernel drops those beyond the queue.
const ACCEPT_QUEUE: u32 = 1024;

/// Returns findings about the limits. A limit that cannot be read is left out.
pub(crate) fn limits(host: &Host, machine: &Machine) -> Vec<Finding> {
    [
        host::raise_descriptor_limit().ok().map(descriptors),
        host.ports(host.address()).map(ports),
        machine.network.accept_queue.map(accept_queue),
        machine.cores.map(|cores| quota(host::quota(), cores)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn descriptors(limit: usize) -> Finding {
    let files = format!("{} files may be open", whole(as_f64(limit as u64)));
    let advice = format!(
        ", too few for 10,000 connections; as root: ulimit -n {DESCRIPTORS}, \
         or LimitNOFILE= and limits.conf for good"
    );
    Level::Bad.unless(limit >= DESCRIPTORS, files, advice)
}

fn ports(ports: Ports) -> Finding {
    let held = format!(
        "{} of {} ports for outgoing connections are held by connections that have ended",
        whole(as_f64(ports.held as u64)),
        whole(as_f64(ports.all as u64))
    );
    let advice = if ports.reused {
        "; the kernel reuses them after a second or two"
    } else {
        "; a load without keep-alive waits for them, up to a minute; as root: sysctl net.ipv4.tcp_tw_reuse=2"
    };
    Level::Note.unless(ports.held <= ports.enough_up_to(), held, advice)
}

fn accept_queue(length: u32) -> Finding {
    let text = format!("{} connections may wait to be accepted", whole(f64::from(length)));
    let advice = "; of more at once some wait for a second; as root: sysctl net.core.somaxconn=4096";
    Level::Bad.unless(length >= ACCEPT_QUEUE, text, advice)
}

/// `quota` is the CPU time per second that the machine's control group grants.
fn quota(quota: Option<f64>, cores: usize) -> Finding {
    let Some(quota) = quota else { return Level::Ok.finding("no quota of CPU time is set") };
    let text = format!("a quota of {} cores' time is set for {cores} cores", significant(quota));
    let advice = ": runs that reach it are throttled; start the container without `--cpus`, \
                  or give it whole cores with `--cpuset-cpus`";
    Level::Bad.unless(quota >= as_f64(cores as u64), text, advice)
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_finding;
    use super::*;

    #[test]
    fn limits_become_words() {
        let held = |held, reused| ports(Ports { all: 28_232, held, reused });
        let cases = [
            (descriptors(1_048_576), (Level::Ok, "1,048,576 files may be open")),
            (descriptors(10_400), (Level::Ok, "10,400 files may be open")),
            (descriptors(4096), (Level::Bad, "ulimit -n 10400")),
            (held(0, false), (Level::Ok, "0 of 28,232 ports")),
            (held(14_116, false), (Level::Ok, "14,116 of 28,232 ports")),
            (held(14_117, false), (Level::Note, "tcp_tw_reuse=2")),
            (held(14_117, true), (Level::Note, "after a second or two")),
            (accept_queue(4096), (Level::Ok, "4,096 connections")),
            (accept_queue(128), (Level::Bad, "somaxconn=4096")),
            (quota(None, 2), (Level::Ok, "no quota")),
            (quota(Some(2.0), 2), (Level::Ok, "a quota of 2.00 cores' time is set for 2 cores")),
            (quota(Some(1.5), 2), (Level::Bad, "a quota of 1.50 cores' time is set for 2 cores")),
        ];
        for (finding, expected) in cases {
            assert_finding(&finding, expected);
        }
    }
}
