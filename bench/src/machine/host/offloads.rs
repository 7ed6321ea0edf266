//! The offloads of a network interface, as `ethtool --show-offload` lists them.
//!
//! With offloads, the processor handles one large packet where the link carries forty, and computes
//! no checksums. So they affect the cost of an answer of some kilobytes, and two links of the same
//! speed may differ in them.

use std::fmt;
use std::os::unix::net::UnixDatagram;

use nix::libc::{__c_anonymous_ifr_ifru, IFNAMSIZ, c_char, ifreq};
use rustix::ioctl::{Opcode, Updater, ioctl};
use serde::{Deserialize, Serialize};

/// Work with packets that the interface does itself, or that the kernel does for many packets at
/// once.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offload {
    /// The interface divides what TCP sends into packets.
    Tso,
    /// The kernel divides what TCP sends into packets, as the last step before the interface.
    Gso,
    /// The kernel joins packets that arrive, as the first thing after the interface.
    Gro,
    /// The interface joins packets that arrive.
    Lro,
    /// The interface adds checksums to packets that are sent.
    TxChecksums,
    /// The interface verifies the checksums of packets that arrive.
    RxChecksums,
}

/// The offloads that are on, in the order of [`Offload`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Offloads(pub Vec<Offload>);

/// The number of the ioctl (`linux/sockios.h`).
const SIOCETHTOOL: Opcode = 0x8946;

/// For each offload, the command that asks for it, and the bit that is set in the answer if it is
/// on (`linux/ethtool.h`). LRO has no command of its own, but a bit among flags. Any user may give
/// these commands.
const COMMANDS: [(Offload, u32, u32); 6] = [
    (Offload::Tso, 0x1e, 1),
    (Offload::Gso, 0x23, 1),
    (Offload::Gro, 0x2b, 1),
    (Offload::Lro, 0x25, 1 << 15),
    (Offload::TxChecksums, 0x16, 1),
    (Offload::RxChecksums, 0x14, 1),
];

/// `ethtool_value` of `linux/ethtool.h`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

impl Offload {
    /// The name that administrators use.
    fn name(self) -> &'static str {
        match self {
            Self::Tso => "TSO",
            Self::Gso => "GSO",
            Self::Gro => "GRO",
            Self::Lro => "LRO",
            Self::TxChecksums => "TX checksums",
            Self::RxChecksums => "RX checksums",
        }
    }
}

impl fmt::Display for Offloads {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|offload| offload.name()).collect();
        out.write_str(if names.is_empty() { "none" } else { "" })?;
        out.write_str(&names.join(", "))
    }
}

/// Returns the offloads that are on for the interface of this name in the process's network
/// namespace. `None` if the kernel does not report them.
pub(super) fn read(name: &str) -> Option<Offloads> {
    // A socket of any kind will do: it only selects the network namespace.
    let socket = UnixDatagram::unbound().ok()?;
    those_on(|command| ask(&socket, name, command))
}

/// Returns the offloads that are on by the answers to the commands. `None` if a command is not
/// answered.
fn those_on(answer: impl Fn(u32) -> Option<u32>) -> Option<Offloads> {
    let mut on = Vec::new();
    for (offload, command, bit) in COMMANDS {
        if answer(command)? & bit != 0 {
            on.push(offload);
        }
    }
    Some(Offloads(on))
}

/// Asks for a value of the interface. `None` if there is no such interface, or it has no such
/// value.
#[allow(unsafe_code, reason = "the kernel is asked by an ioctl that writes to where a pointer points")]
fn ask(socket: &UnixDatagram, name: &str, command: u32) -> Option<u32> {
    // A zero ends the name.
    if name.len() >= IFNAMSIZ {
        return None;
    }
    let mut ifr_name = [0; IFNAMSIZ];
    for (place, byte) in ifr_name.iter_mut().zip(name.bytes()) {
        *place = c_char::from_ne_bytes([byte]);
    }
    let mut value = Value { command, data: 0 };
    let ifr_ifru = __c_anonymous_ifr_ifru { ifru_data: (&raw mut value).cast() };
    let mut request = ifreq { ifr_name, ifr_ifru };
    // SAFETY: SIOCETHTOOL takes an `ifreq` with a name and with a pointer to a structure, whose
    // first number, the command, says which structure it is. All of `COMMANDS` read and write an
    // `ethtool_value`. Both live until the call returns, and the kernel keeps no pointer.
    unsafe { ioctl(socket, Updater::<SIOCETHTOOL, ifreq>::new(&mut request)) }.ok()?;
    Some(value.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whose_answer_says_so_are_on() {
        use Offload::{Gro, Gso, Lro, RxChecksums, Tso, TxChecksums};
        // The kernel's answer to each command, in their order; the offloads that are on, and the
        // text.
        type Case<'a> = ([Option<u32>; 6], Option<&'a [Offload]>, &'a str);
        let (on, off) = (Some(1), Some(0));
        // LRO among other flags, and the other flags without it.
        let (with_lro, others) = (Some(0x8000 | 0x180), Some(0x180));
        let cases: [Case; 5] = [
            ([off; 6], Some(&[]), "none"),
            (
                [on, on, on, others, on, on],
                Some(&[Tso, Gso, Gro, TxChecksums, RxChecksums]),
                "TSO, GSO, GRO, TX checksums, RX checksums",
            ),
            ([off, off, off, with_lro, off, off], Some(&[Lro]), "LRO"),
            ([off, on, off, on, off, on], Some(&[Gso, RxChecksums]), "GSO, RX checksums"),
            ([on, on, on, None, on, on], None, ""),
        ];
        for (answers, expected, words) in cases {
            let answer = |command| {
                let index = COMMANDS.iter().position(|(_, known, _)| *known == command);
                answers[index.unwrap()]
            };
            let found = those_on(answer);
            assert_eq!(found, expected.map(|all| Offloads(all.to_vec())), "{answers:?}");
            assert_eq!(found.map(|found| found.to_string()).unwrap_or_default(), words);
        }
    }

    #[test]
    fn the_kernel_says_what_the_loopback_interface_does() {
        // Packets that never leave the machine need no checksums, so the kernel reports checksums
        // as done.
        let found = read("lo").unwrap().0;
        assert!(found.contains(&Offload::TxChecksums) && !found.contains(&Offload::Lro), "{found:?}");
        for name in ["", "no-such-one", "a-name-that-is-far-too-long"] {
            assert_eq!(read(name), None, "{name:?}");
        }
    }

    #[test]
    fn offloads_are_read_as_they_are_written() {
        let all = Offloads(COMMANDS.map(|(offload, ..)| offload).to_vec());
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(text, r#"["tso","gso","gro","lro","tx-checksums","rx-checksums"]"#);
        assert_eq!(serde_json::from_str::<Offloads>(&text).unwrap(), all);
    }
}
