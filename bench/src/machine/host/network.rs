//! A host's network interface: its properties and its traffic.
//!
//! `/proc/net` belongs to the network namespace that the process is in, but `/sys/class/net` may
//! belong to another one, in which an interface of the same name has another hardware address. The
//! files of such an interface are not read.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use procfs::net::{dev_status, snmp};
use serde::{Deserialize, Serialize};

use super::offloads::{self, Offloads};

/// A network interface. A value that the kernel does not report is `None`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The driver; a virtual interface has none.
    pub driver: Option<String>,
    /// The speed of the link in each direction, in megabits per second.
    pub megabits_per_second: Option<u64>,
    /// The largest packet in bytes.
    pub mtu: Option<u64>,
    /// The number of queues for packets that arrive.
    pub receive_queues: Option<usize>,
    /// The offloads that are on.
    #[serde(default)]
    pub offloads: Option<Offloads>,
}

/// The traffic of an interface since it was created, and the number of segments that TCP sent again
/// on all interfaces.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Traffic {
    /// Bytes that arrived.
    pub received_bytes: u64,
    /// Bytes that were sent.
    pub sent_bytes: u64,
    /// Packets that arrived.
    pub received_packets: u64,
    /// Packets that were sent.
    pub sent_packets: u64,
    /// Packets that the interface dropped, in both directions.
    pub dropped: u64,
    /// Segments that TCP sent again.
    pub retransmitted: u64,
}

impl Traffic {
    /// The difference to an earlier reading.
    pub fn since(&self, before: &Self) -> Self {
        let between = |get: fn(&Self) -> u64| get(self).saturating_sub(get(before));
        Self {
            received_bytes: between(|traffic| traffic.received_bytes),
            sent_bytes: between(|traffic| traffic.sent_bytes),
            received_packets: between(|traffic| traffic.received_packets),
            sent_packets: between(|traffic| traffic.sent_packets),
            dropped: between(|traffic| traffic.dropped),
            retransmitted: between(|traffic| traffic.retransmitted),
        }
    }
}

/// The interface of this machine that has the address.
pub(super) fn interface(address: IpAddr) -> Option<Interface> {
    let name = name_of(address)?;
    let offloads = offloads::read(&name);
    let folder = Path::new("/sys/class/net").join(&name);
    let hardware = fs::read_to_string(folder.join("address")).ok();
    let is_known = hardware.is_some_and(|shown| hardware_address(&name).as_deref() == Some(shown.trim()));
    if !is_known {
        return Some(Interface {
            name,
            driver: None,
            megabits_per_second: None,
            mtu: None,
            receive_queues: None,
            offloads,
        });
    }
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<i64>().ok();
    let driver = fs::read_link(folder.join("device/driver")).ok();
    let queues = fs::read_dir(folder.join("queues")).ok().map(|entries| {
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.starts_with("rx-")).count()
    });
    Some(Interface {
        driver: driver.and_then(|path| Some(path.file_name()?.to_str()?.to_owned())),
        // The speed is -1 if the link is down, or has no speed.
        megabits_per_second: number("speed").and_then(|speed| speed.try_into().ok()),
        mtu: number("mtu").and_then(|mtu| mtu.try_into().ok()),
        receive_queues: queues,
        offloads,
        name,
    })
}

/// The traffic of the interface of this machine that has the address.
pub(super) fn traffic(address: IpAddr) -> Option<Traffic> {
    let interface = dev_status().ok()?.remove(&name_of(address)?)?;
    Some(Traffic {
        received_bytes: interface.recv_bytes,
        sent_bytes: interface.sent_bytes,
        received_packets: interface.recv_packets,
        sent_packets: interface.sent_packets,
        dropped: interface.recv_drop + interface.sent_drop,
        retransmitted: snmp().ok()?.tcp_retrans_segs,
    })
}

/// The hardware address of an interface of the process's namespace, such as `02:42:0a:00:00:02`.
fn hardware_address(name: &str) -> Option<String> {
    let mut all = getifaddrs().ok()?.filter(|interface| interface.interface_name == name);
    let bytes = all.find_map(|interface| interface.address?.as_link_addr()?.addr())?;
    Some(bytes.map(|byte| format!("{byte:02x}")).join(":"))
}

fn name_of(address: IpAddr) -> Option<String> {
    let is_it = |own: &nix::sys::socket::SockaddrStorage| match address {
        IpAddr::V4(address) => own.as_sockaddr_in().is_some_and(|own| own.ip() == address),
        IpAddr::V6(address) => own.as_sockaddr_in6().is_some_and(|own| own.ip() == address),
    };
    let mut all = getifaddrs().ok()?;
    all.find(|interface| interface.address.as_ref().is_some_and(is_it)).map(|found| found.interface_name)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_the_loopback_interface_carries_is_counted() {
        let address = Ipv4Addr::LOCALHOST.into();
        let found = interface(address).unwrap();
        assert_eq!((found.name.as_str(), found.driver), ("lo", None));
        assert!(found.mtu.is_some_and(|mtu| mtu > 1500), "{:?}", found.mtu);
        let before = traffic(address).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(&[7; 5000]).unwrap();
        listener.accept().unwrap().0.read_exact(&mut [0; 5000]).unwrap();
        let carried = traffic(address).unwrap().since(&before);
        assert!(carried.sent_bytes >= 5000 && carried.received_packets >= 4, "{carried:?}");
    }

    #[test]
    fn an_address_of_no_interface_has_none() {
        let address = Ipv4Addr::new(192, 0, 2, 1).into();
        assert!(interface(address).is_none() && traffic(address).is_none());
    }
}
