//! The link between hosts: it is down for a moment, or carries no more than some megabits per second.

use std::fs;

use bench::analysis::verdict::LINK_BUSY_FROM;
use bench::store::record::{Bound, ErrorKind};

use crate::faults::{self, helper, runs};
use crate::mock::{suite, text, wait_until, workload};
use crate::testbed::Testbed;

/// The number of segments that TCP has retransmitted on the host of this process.
fn sent_again(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/net/snmp")).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let mut fields = names.split(' ').zip(values.split(' '));
    fields.find(|(name, _)| *name == "RetransSegs").unwrap().1.parse().unwrap()
}

/// If the link is back before either side gives up, TCP retransmits what was lost, and the run
/// continues. On a machine that is too busy for that, the host is lost and the run is repeated.
#[test]
fn a_link_that_is_down_for_a_moment_loses_no_answer() {
    let check = |host: &str| {
        let Some(testbed) = faults::testbed() else { return };
        let bench = faults::start(&testbed, 3);
        let pid = bench.id();
        let helper = helper(&testbed, host);
        let before = sent_again(helper);
        testbed.rig.link(host, false);
        // The host's helper reports every second that it still runs.
        wait_until("what is lost is sent again", || sent_again(helper) > before);
        fs::write(testbed.home("alpha").join("release"), "").unwrap();
        testbed.rig.link(host, true);
        let output = faults::wait(host, bench);
        let text = text(&output);
        let records = testbed.records();
        let (first, lost, held) = (("first", None), ("held", Some(ErrorKind::HostLost)), ("held", None));
        let expected: [&[_]; 2] = [&[first, held], &[first, lost, held]];
        assert!(expected.contains(&runs(&records).as_slice()), "{host}: {text}");
        let done = records.last().unwrap();
        assert_eq!(done.load.as_ref().unwrap().answered, 40, "{host}: {text}");
        assert_eq!(done.error_count(), 0, "{host}: {text}");
        assert_eq!(output.status.code(), Some(0), "{host}: {text}");
        testbed.await_nothing(host, pid);
    };
    std::thread::scope(|scope| {
        for host in ["gamma", "alpha"] {
            scope.spawn(move || check(host));
        }
    });
}

/// The rate at which the host may send in the test. It is low even for a server that is a script.
const RATE: &str = "20mbit";

/// The same in megabits per second, with room for what the host sends in addition to its answers.
const MOST: f64 = 22.0;

/// The limit of a link is known only if the link limits the probe; the runs are then judged by it.
/// The test does not assert that a run reaches the limit: a machine that is busy with other tests
/// limits the run, too.
#[test]
fn a_link_is_judged_by_what_a_probe_finds() {
    let path = format!("/{}", "a".repeat(7000));
    let load = workload("load").tool("visit").path(&path).with("connections", 32);
    let suite = suite(&[load.without("requests").with("seconds", 1)]);
    let check = |rate: Option<&str>| {
        let Some(testbed) = Testbed::warm(&["alpha", "beta"], &["patient", "good"], &suite) else { return };
        testbed.checkout.extend_manifest("patient", "floor = true\n");
        if let Some(Err(why)) = rate.map(|rate| testbed.rig.limit("alpha", rate)) {
            return eprintln!("skipped: {why}");
        }
        let hosts = "--server-host alpha --load-host beta";
        let (_, text) = testbed.run(&format!("measure mock --out out --attempts 3 {hosts}"));
        let records = testbed.records();
        assert!(records.len() >= 2 && records.iter().all(|record| record.error.is_none()), "{text}");
        let is_known = text.contains("the link carries ");
        assert!(is_known != text.contains("the limit of the link is not known: its probe "), "{text}");
        for record in &records {
            let network = record.hosts.as_ref().unwrap().network.unwrap();
            let (carried, probed) = (network.carried().unwrap(), network.probed_megabits_per_second);
            assert_eq!(probed.is_some(), is_known, "{text}");
            assert!(rate.is_none() || carried.max(probed.unwrap_or(0.0)) < MOST, "{network:?}");
            let is_full = network.utilisation().is_some_and(|share| share >= LINK_BUSY_FROM);
            let verdict = record.verdict.as_ref().unwrap();
            let expected = if is_full { Bound::NetworkBound } else { Bound::LatencyBound };
            let by_link = [Bound::NetworkBound, Bound::LatencyBound].contains(&verdict.bound);
            assert!(!by_link || verdict.bound == expected, "{verdict:?}: {network:?}");
        }
    };
    check(Some(RATE));
    check(None);
}
