//! The listening socket and the ready line.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds for us until we accept them. The kernel caps it at `net.core.somaxconn`, 4,096
/// by default.
const BACKLOG: i32 = 4096;

/// A listening socket, blocking, on which accepted connections have `TCP_NODELAY` from the start: Linux hands the
/// option down, which saves a system call a connection. An error names the address.
pub fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(address, false)
}

/// `count` sockets that listen on one port, among which the kernel spreads connections (`SO_REUSEPORT`).
/// A port that another process already listens on is an error, as it is for [`bind`].
pub fn bind_shared(address: SocketAddr, count: usize) -> anyhow::Result<Vec<TcpListener>> {
    // With SO_REUSEPORT a second server of this user would share the port in silence, so ask without it first.
    let address = bind(address)?.local_addr().context("cannot read the address listened on")?;
    (0..count).map(|_| listen(address, true)).collect()
}

/// Prints the ready line, the one line that goes to standard output.
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
