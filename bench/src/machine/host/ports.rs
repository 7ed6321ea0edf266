//! Ports in `TIME_WAIT`, for which a load of short connections has to wait.
//!
//! The side that closes a connection first keeps its port in `TIME_WAIT` for a minute. A server has
//! one port for all of its connections, but a client that closes first uses up the ports for
//! outgoing connections: there are 28,232 of them, enough for a second or two without keep-alive.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Host;
use super::sockets::{Family, State, each};
use crate::machine::settings::port_range;

/// The ports for outgoing connections, divided by this, are the most that may be in `TIME_WAIT` when
/// a load starts.
/// Linux searches either all odd or all even ports first, chosen at random, and then the other
/// half. With the first half in use and no reuse, a connection took 2 ms of CPU time here instead
/// of 56 µs.
const HELD_DIVISOR: usize = 2;

/// The time for which Linux keeps a port in `TIME_WAIT` (`TCP_TIMEWAIT_LEN`, 60 s), and some more:
/// a longer wait would be for the connections of another program.
const HOLD_BOUND: Duration = Duration::from_secs(65);

/// The time after which Linux reuses ports in `TIME_WAIT`, as it does by default on the loopback
/// interface: more than a second, by a clock of whole seconds. After that, a connection took 59
/// µs.
const REUSE_BOUND: Duration = Duration::from_secs(2);

/// The interval between two looks at the ports. Nothing is measured during the wait, and the user
/// does not notice a tenth of a second.
const POLL: Duration = Duration::from_millis(100);

/// The ports for outgoing connections.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Ports {
    /// The number of ports.
    pub all: usize,
    /// The number of ports in `TIME_WAIT`.
    pub held: usize,
    /// Whether ports in `TIME_WAIT` are reused, after a while, for new connections to the target
    /// address.
    pub reused: bool,
}

impl Ports {
    /// The maximum number of ports that may be in `TIME_WAIT` when a load without keep-alive
    /// starts.
    pub fn enough_up_to(&self) -> usize {
        self.all / HELD_DIVISOR
    }
}

/// Returns the state of the ports for outgoing connections now. `to_loopback` is whether the
/// connections are to an address of the loopback interface, which decides whether ports are reused.
/// `None` if the kernel does not report the ports.
pub(super) fn ports(to_loopback: bool) -> Option<Ports> {
    let range = outgoing_ports()?;
    Some(Ports { all: range.len(), held: held(&range, 0)?, reused: are_reused(to_loopback) })
}

/// Waits until half of the ports of `host` for outgoing connections are free, or can be reused for
/// connections to `target`. Returns whether they are: false if the wait timed out, or the user
/// interrupted it. Calls `say` when the wait begins, and when it times out. Does not wait if the
/// kernel does not report the ports.
pub(super) fn wait_for_ports(host: &Host, target: IpAddr, say: impl FnMut(&str)) -> bool {
    let Some(Ports { all, reused, .. }) = host.ports(target) else { return true };
    let bound = if reused { REUSE_BOUND } else { HOLD_BOUND };
    let held = || Some(host.ports(target)?.held);
    wait(all / HELD_DIVISOR, reused, bound, held, || host.interrupted(), say)
}

fn outgoing_ports() -> Option<RangeInclusive<u16>> {
    port_range(&fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

/// Waits for at most `bound` until at most `most` ports are held. Returns whether a load can start:
/// after `bound`, it can if held ports are `reused`.
fn wait(
    most: usize,
    reused: bool,
    bound: Duration,
    held: impl Fn() -> Option<usize>,
    interrupted: impl Fn() -> bool,
    mut say: impl FnMut(&str),
) -> bool {
    let began = Instant::now();
    let mut waits = false;
    while let Some(held) = held().filter(|held| *held > most) {
        let ports = format!("connections that have ended hold {held} ports, more than {most}");
        if interrupted() {
            return false;
        }
        if began.elapsed() >= bound {
            if !reused {
                say(&format!("{ports}: they are not waited for any longer, and connections may fail"));
            }
            return reused;
        }
        if !waits {
            say(&format!("{ports}: waiting for them for up to {} s", bound.as_secs()));
            waits = true;
        }
        std::thread::sleep(POLL);
    }
    true
}

/// Returns the number of ports of `range` that are in `TIME_WAIT`. A server's port, which all of
/// its connections have, counts once. If the kernel's count of such sockets is at most `most`,
/// returns that count without enumerating the distinct ports, which takes some milliseconds per ten
/// thousand.
fn held(range: &RangeInclusive<u16>, most: usize) -> Option<usize> {
    let count = parse_held(&fs::read_to_string("/proc/net/sockstat").ok()?)?;
    if count <= most {
        return Some(count);
    }
    let mut ports = HashSet::new();
    let mut look = |local: SocketAddr| {
        if range.contains(&local.port()) {
            ports.insert(local.port());
        }
    };
    each(Family::V4, State::TimeWait, 0, &mut look)?;
    // Not every machine has IPv6.
    let _ = each(Family::V6, State::TimeWait, 0, &mut look);
    Some(ports.len())
}

/// Whether ports in `TIME_WAIT` are reused: `tcp_tw_reuse` is 1, or 2 for connections over the loopback
/// interface alone, and timestamps let the other side distinguish old connections from new ones.
fn are_reused(to_loopback: bool) -> bool {
    let value = |name: &str| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
    let (reuse, timestamps) = (value("tcp_tw_reuse"), value("tcp_timestamps"));
    let is_reused = match reuse.trim() {
        "1" => true,
        "2" => to_loopback,
        _ => false,
    };
    is_reused && !matches!(timestamps.trim(), "" | "0")
}

/// Parses the number of sockets in `TIME_WAIT`: the number after `tw` in the line of `TCP:`.
fn parse_held(text: &str) -> Option<usize> {
    let mut words = text.lines().find_map(|line| line.strip_prefix("TCP:"))?.split_whitespace();
    words.find(|word| *word == "tw")?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn says_that_it_waits_and_that_the_wait_timed_out() {
        let (long, none) = (Duration::from_secs(3600), Duration::ZERO);
        let waiting = "hold 20 ports, more than 10: waiting";
        let in_vain = "hold 20 ports, more than 10: they are not waited for any longer";
        // Ports in use at each look, whether they are reused, the bound, the message, the result.
        type Case<'a> = (&'a [Option<usize>], bool, Duration, &'a str, bool);
        let cases: [Case; 6] = [
            (&[Some(10)], false, long, "", true),
            (&[None], false, long, "", true),
            (&[Some(20), Some(11), Some(10)], false, long, waiting, true),
            (&[Some(20), None], false, long, waiting, true),
            (&[Some(20)], false, none, in_vain, false),
            (&[Some(20)], true, none, "", true),
        ];
        for (held, reused, bound, expected, enough) in cases {
            let (looks, mut said) = (Cell::new(0), Vec::new());
            let look = || held[looks.replace(looks.get() + 1)];
            let found = wait(10, reused, bound, look, || false, |line| said.push(line.to_owned()));
            assert_eq!((found, looks.get()), (enough, held.len()), "{held:?}: {said:?}");
            assert_eq!(said.len(), usize::from(!expected.is_empty()), "{held:?}: {said:?}");
            assert!(said.concat().contains(expected), "{held:?}: {said:?}");
        }
        let finds = wait(10, false, long, || Some(20), || true, |line| panic!("{line}"));
        assert!(!finds, "it was interrupted");
    }

    #[test]
    fn finds_the_port_of_a_client_that_closed_first() {
        let range = outgoing_ports().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        drop(client);
        drop(server);
        let began = Instant::now();
        while held(&range, 0).unwrap() == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "no port is held");
            std::thread::sleep(Duration::from_millis(5));
        }
        // With this limit, the ports are not enumerated.
        assert!(held(&range, usize::MAX).unwrap() > 0);
    }

    #[test]
    fn reads_the_files_of_the_kernel() {
        let sockstat = "sockets: used 10\nTCP: inuse 1 orphan 0 tw 42 alloc 1 mem 0\nUDP: inuse 3 mem 0\n";
        assert_eq!(parse_held(sockstat), Some(42));
        for text in ["", "TCP: inuse 1", "TCP: inuse 1 tw", "TCP: tw some", "UDP: tw 1\n"] {
            assert_eq!(parse_held(text), None, "{text}");
        }
    }
}
