//! The other commands with their server on another host.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::ground::Ground;
use crate::mock::{suite, text, wait_until, workload};

fn ground() -> Option<Ground> {
    Ground::warm(&["alpha", "beta"], &["tidy"], &suite(&[workload("load").tool("visit")]))
}

#[test]
fn commands_have_their_server_on_another_host() {
    let Some(ground) = ground() else { return };
    let cases = [
        ("verify tidy --only endpoint/path --server-host alpha", 0, "as known: 1 of 1 cases pass"),
        ("drill tidy --short --drills kill --server-host alpha", 0, "drill/kill               up in "),
        ("doctor --server-host alpha --load-host beta", 0, "1 of 1 servers have what they need to run there"),
    ];
    for (arguments, code, expected) in cases {
        ground.expect(arguments, code, expected);
    }
}

#[test]
fn a_server_is_served_on_another_host_until_the_user_interrupts() {
    let Some(ground) = ground() else { return };
    let mut bench = ground.bench("serve tidy --server-host alpha").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(bench.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address: SocketAddr = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
    assert_eq!(address.ip(), ground.rig.address("alpha"));
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /abc HTTP/1.1\r\nHost: alpha\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Hello, visitor! You've requested: /abc\n"), "{answer}");

    kill(Pid::from_raw(bench.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    wait_until("bench ends", || bench.try_wait().unwrap().is_some());
    let pid = bench.id();
    let output = bench.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    ground.await_nothing("interrupted", pid);
}
