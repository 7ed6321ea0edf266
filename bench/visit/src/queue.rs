//! Reads the counters of full connection queues from the kernel of this machine.

use std::fs;

use visit_output::Queue;

const FILE: &str = "/proc/net/netstat";

/// The counts since the machine started; `None` when the kernel does not report them.
pub(super) fn read() -> Option<Queue> {
    parse(&fs::read_to_string(FILE).ok()?)
}

/// A line of names is followed by one of numbers, and both begin with the name of the group.
fn parse(text: &str) -> Option<Queue> {
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let number = |name: &str| {
        let at = names.split_whitespace().position(|known| known == name)?;
        numbers.split_whitespace().nth(at)?.parse().ok()
    };
    Some(Queue {
        overflows: number("ListenOverflows")?,
        drops: number("ListenDrops")?,
        timeouts: number("TCPTimeouts")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_their_names() {
        let text = "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 1 20 300 4000\n\
                    IpExt: InNoRoutes ListenDrops\nIpExt: 5 6\n";
        let found = parse(text).unwrap();
        assert_eq!(found, Queue { overflows: 20, drops: 300, timeouts: 4000 });
        let before = Queue { overflows: 20, drops: 0, timeouts: 5000 };
        assert_eq!(found.since(before), Queue { overflows: 0, drops: 300, timeouts: 0 });
        assert_eq!(parse("TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 2\n"), None);
        assert!(read().is_some(), "Linux has {FILE}");
    }
}
