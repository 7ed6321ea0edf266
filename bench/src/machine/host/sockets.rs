//! The machine's TCP sockets, which the kernel lists by netlink (`sock_diag(7)`).
//!
//! `/proc/net/tcp` has the same information, but always a line for every socket: with 8,192
//! connections, reading it takes a core 43 ms, and the request for the sockets of one port 6 ms;
//! with 100, 4.6 ms and 0.3 ms. The core is one of those that are measured. The crate
//! `netlink-packet-sock-diag` takes 9 ms with 8,192 connections, as it decodes all of a socket's
//! attributes.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

/// The two families of TCP sockets, from `<sys/socket.h>`.
#[derive(Clone, Copy)]
pub(super) enum Family {
    V4 = 2,
    V6 = 10,
}

/// States of a socket, from `<netinet/tcp.h>`.
#[derive(Clone, Copy)]
pub(super) enum State {
    Established = 1,
    TimeWait = 6,
}

/// Kinds of messages, from `<linux/netlink.h>` and `<linux/sock_diag.h>`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
const BY_FAMILY: u16 = 20;

/// `NLM_F_REQUEST | NLM_F_DUMP`: all sockets that match the request.
const REQUEST_ALL: u16 = 0x301;

const HEAD_BYTES: usize = 16;

/// The head and an `inet_diag_req_v2`.
const REQUEST_BYTES: u32 = 72;

/// The kernel sends 32 KiB at most at a time.
const BUFFER_BYTES: usize = 32 * 1024;

/// Returns the number of connections that the server that listens on `address` has now, including
/// those in its accept queue. `None` if the kernel does not report it.
pub(super) fn established(address: SocketAddr) -> Option<u64> {
    let count = |family| {
        let mut count = 0;
        each(family, State::Established, address.port(), |local| count += u64::from(local == address))?;
        Some(count)
    };
    match address {
        SocketAddr::V6(_) => count(Family::V6),
        // Some runtimes serve IPv4 by an IPv6 socket, and the kernel lists the connections there.
        SocketAddr::V4(_) => match count(Family::V4)? {
            0 => Some(count(Family::V6).unwrap_or(0)),
            count => Some(count),
        },
    }
}

/// Returns what [`Host::accepted`](super::Host::accepted) returns for this machine.
pub(super) fn accepted() -> Option<u64> {
    procfs::net::snmp().ok().map(|counts| counts.tcp_passive_opens)
}

/// Calls `look` with the local address of each socket in this state; `port` 0 stands for any port.
/// An IPv4-mapped IPv6 address is passed as the IPv4 address. `None` if the kernel does not answer.
pub(super) fn each(family: Family, state: State, port: u16, mut look: impl FnMut(SocketAddr)) -> Option<()> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Netlink, SockType::Datagram, flags, SockProtocol::NetlinkSockDiag);
    let mut socket = File::from(socket.ok()?);
    socket.write_all(&request(family, state, port)).ok()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = socket.read(&mut buffer).ok()?;
        let mut rest = buffer.get(..length)?;
        while !rest.is_empty() {
            let (kind, body, after) = message(rest)?;
            match kind {
                BY_FAMILY => look(local_address(body)?),
                DONE => return Some(()),
                ERROR => return None,
                _ => {}
            }
            rest = after;
        }
    }
}

fn request(family: Family, state: State, port: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The head; sequence and sender may be 0.
    bytes.extend(REQUEST_BYTES.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_ALL.to_ne_bytes());
    bytes.extend([0; 8]);
    // Family, protocol (TCP is 6), no attributes beside the address; the states as a set; the local
    // port.
    bytes.extend([family as u8, 6, 0, 0]);
    bytes.extend((1_u32 << state as u8).to_ne_bytes());
    bytes.extend(port.to_be_bytes());
    bytes.resize(REQUEST_BYTES as usize, 0);
    bytes
}

/// The kind and the body of the first message, and the bytes after it.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let body = bytes.get(HEAD_BYTES..length)?;
    // The next message begins at a multiple of 4.
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// The local address in an `inet_diag_msg`: family, 3 bytes, two ports, 16 bytes per address.
fn local_address(body: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*body.get(4..)?.first_chunk()?);
    let address = body.get(8..)?;
    let v4 = || Some(IpAddr::from(Ipv4Addr::from(*address.first_chunk::<4>()?)));
    let v6 = || Some(Ipv6Addr::from(*address.first_chunk::<16>()?).to_canonical());
    let address = if *body.first()? == Family::V4 as u8 { v4()? } else { v6()? };
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;

    /// Waits until the kernel has counted `expected` connections; returns the last count.
    fn settled(address: SocketAddr, expected: u64) -> Option<u64> {
        let began = Instant::now();
        loop {
            let count = established(address);
            if count == Some(expected) || began.elapsed() > Duration::from_secs(20) {
                return count;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn counts_connections_of_one_listener() {
        // The address that the server listens on, and the address whose connections are counted.
        let v4 = "127.0.0.1";
        let cases =
            [("127.0.0.1:0", v4), ("0.0.0.0:0", v4), ("[::ffff:127.0.0.1]:0", v4), ("[::1]:0", "::1")];
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let _other = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        for (listens, asked) in cases {
            let listener = match TcpListener::bind(listens) {
                // Not every machine has IPv6.
                Err(_) if listens.contains("::") => continue,
                listener => listener.unwrap(),
            };
            let address = SocketAddr::new(asked.parse().unwrap(), listener.local_addr().unwrap().port());
            assert_eq!(established(address), Some(0), "{listens}: before");
            let mut clients: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
            assert_eq!(settled(address, 3), Some(3), "{listens}: in the queue");
            let accepted: Vec<_> = (0..2).map(|_| listener.accept().unwrap()).collect();
            assert_eq!(established(address), Some(3), "{listens}: two of them accepted");
            clients.truncate(1);
            assert_eq!(settled(address, 1), Some(1), "{listens}: two of them ended");
            drop(accepted);
        }
    }

    #[test]
    fn counts_more_than_the_kernel_sends_at_a_time() {
        crate::machine::host::raise_descriptor_limit().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| (TcpStream::connect(address).unwrap(), listener.accept().unwrap());
        let connections: Vec<_> = (0..400).map(connect).collect();
        assert_eq!(settled(address, 400), Some(400));
        drop(connections);
    }

    #[test]
    fn a_truncated_message_is_none() {
        let mut whole = Vec::new();
        whole.extend(24_u32.to_ne_bytes());
        whole.extend(DONE.to_ne_bytes());
        whole.extend([0; 10]);
        whole.extend([7; 8]);
        let (body, rest): (&[u8], &[u8]) = (&[7; 8], &[]);
        assert_eq!(message(&whole), Some((DONE, body, rest)));
        for length in 0..whole.len() {
            assert_eq!(message(whole.get(..length).unwrap()), None, "{length}");
        }
        // A length that is less than that of a head.
        whole.splice(..4, 8_u32.to_ne_bytes());
        assert_eq!(message(&whole), None);
    }
}
