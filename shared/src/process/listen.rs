//! The listening socket and the ready line.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Context;
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};

/// Connections that the kernel holds until they are accepted. The kernel caps it at
/// `net.core.somaxconn`, 4,096 by default.
const BACKLOG: i32 = 4096;

/// Classic BPF that drops packets which ask for a new connection, and no others: the flags of a TCP
/// header are its byte 13, and `SYN` is their bit 1.
const DROP_NEW: [SockFilter; 4] = [
    SockFilter::new(BPF_LOAD_BYTE, 0, 0, 13),
    SockFilter::new(BPF_JUMP_IF_ANY, 0, 1, 0b10),
    SockFilter::new(BPF_RETURN, 0, 0, 0),
    SockFilter::new(BPF_RETURN, 0, 0, u32::MAX),
];
const BPF_LOAD_BYTE: u16 = 0x30;
const BPF_JUMP_IF_ANY: u16 = 0x45;
const BPF_RETURN: u16 = 0x06;

/// Time for handshakes under way to complete, once no new ones begin.
const SETTLE: Duration = Duration::from_millis(20);

/// A listening socket, blocking, whose accepted connections have `TCP_NODELAY` from the start: they
/// inherit the option on Linux, which saves a system call each. An error names the address.
pub fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(address, false)
}

/// `count` sockets that listen on one port, among which the kernel distributes connections
/// (`SO_REUSEPORT`). Fails, as [`bind`] does, for a port that another process listens on.
pub fn bind_shared(address: SocketAddr, count: usize) -> anyhow::Result<Vec<TcpListener>> {
    // With SO_REUSEPORT another server of this user would share the port silently.
    let address = bind(address)?.local_addr().context("cannot read the address listened on")?;
    (0..count).map(|_| listen(address, true)).collect()
}

/// Closes a listening socket, and gives `take` the connections that the kernel has accepted on it
/// and the server has not: the close would reset them. Blocks for some milliseconds. Fails when the
/// kernel refuses the filter that keeps new connections out.
pub fn close(listener: TcpListener, mut take: impl FnMut(TcpStream)) -> anyhow::Result<()> {
    // No connection may arrive before the close. Clients that connect now are refused after it.
    SockRef::from(&listener).attach_filter(&DROP_NEW).context("cannot attach a filter to the listener")?;
    std::thread::sleep(SETTLE);
    listener.set_nonblocking(true).context("cannot make the listener non-blocking")?;
    while let Ok((stream, _)) = listener.accept() {
        take(stream);
    }
    drop(listener);
    Ok(())
}

/// Prints the ready line, the only line on standard output.
pub fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{address}")
        .and_then(|()| out.flush())
        .context("cannot print the ready line")
}

fn listen(address: SocketAddr, shared: bool) -> anyhow::Result<TcpListener> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shared)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        std::io::Result::Ok(socket.into())
    };
    open().with_context(|| format!("cannot listen on {address}"))
}
