//! The commands other than `bench measure`, with their server on another host.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use visit_output::Report;

use crate::mock::{Checkout, suite, text, wait_until, workload};
use crate::testbed::Testbed;

fn testbed() -> Option<Testbed> {
    let testbed = Testbed::warm(&["alpha", "beta"], &["tidy"], &suite(&[workload("load").tool("visit")]))?;
    testbed.checkout.extend_manifest("tidy", "protocols = [\"http/1.1\", \"https\"]\n");
    Some(testbed)
}

#[test]
fn commands_have_their_server_on_another_host() {
    let Some(testbed) = testbed() else { return };
    let cases = [
        ("verify tidy --only endpoint/path --server-host alpha", 0, "as known: 1 of 1 cases pass"),
        (
            "verify tidy --protocol https --only https/path --server-host alpha",
            0,
            "as known: 1 of 1 cases pass",
        ),
        ("drill tidy --short --drills kill --server-host alpha", 0, "drill/kill               up in "),
        ("doctor --server-host alpha --load-host beta", 0, "1 of 1 servers have what they need to run there"),
    ];
    for (arguments, code, expected) in cases {
        testbed.expect(arguments, code, expected);
    }
}

#[test]
fn a_server_is_served_on_another_host_until_the_user_interrupts() {
    let Some(testbed) = testbed() else { return };
    let visit = Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("visit");
    for (protocol, scheme, trust) in [("http/1.1", "http", None), ("https", "https", Some("--insecure"))] {
        let serve = format!("serve --protocol {protocol} --server-host alpha");
        let mut bench = testbed.bench(&serve).arg("tidy").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(bench.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{serve}: `{line}`"));
        let address: SocketAddr = url.strip_prefix(&format!("{scheme}://")).unwrap().parse().unwrap();
        assert_eq!(address.ip(), testbed.rig.address("alpha"));
        let mut load = Command::new(&visit);
        load.args(["--quiet", "--connections", "1", "--requests", "3"]).args(trust).arg(format!("{url}/abc"));
        let report = Report::parse(&text(&load.output().unwrap())).unwrap();
        assert_eq!((report.answered, report.mismatch), (3, None), "{serve}");

        kill(Pid::from_raw(bench.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        wait_until("bench ends", || bench.try_wait().unwrap().is_some());
        let pid = bench.id();
        let output = bench.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{serve}: {}", text(&output));
        testbed.await_nothing(&serve, pid);
    }
}

#[test]
fn a_server_is_not_served_by_a_protocol_that_it_does_not_speak() {
    let checkout = Checkout::new(&["tidy"], &suite(&[workload("load")]));
    checkout.expect("serve --protocol h2 tidy", 1, "tidy does not speak h2, by its manifest");
}
