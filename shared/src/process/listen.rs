//! The listening socket and the ready line.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use nix::libc::{self, SOL_SOCKET, c_int, socklen_t};
use socket2::{Domain, Protocol, Socket, Type};

use super::flags::Flags;

/// The number of connections that the kernel holds until they are accepted. The kernel caps it at
/// `net.core.somaxconn`, 4,096 by default.
const BACKLOG: i32 = 4096;

/// Binds a socket to an interface by number. From `asm-generic/socket.h`: `libc` does not have it.
const SO_BINDTOIFINDEX: c_int = 62;

/// A number that no interface has: the kernel counts interfaces from 1.
const NO_INTERFACE: c_int = c_int::MAX;

/// Time for handshakes under way to complete, once no new ones begin.
const SETTLE: Duration = Duration::from_millis(20);

/// The longest wait for a port that the io_uring rings of a killed process still use. Rings have
/// kept a port for milliseconds.
const RINGS_TIMEOUT: Duration = Duration::from_secs(1);

/// The time between two attempts to bind a port that rings still use.
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// Returns a blocking socket that listens on the first of `addresses` that can be bound. They
/// belong to one name; an error names the last of them. Accepted connections inherit `TCP_NODELAY`
/// from the socket on Linux, which saves one system call per connection.
pub fn bind(addresses: &[SocketAddr]) -> anyhow::Result<TcpListener> {
    let mut outcome = Err(anyhow!("there is no address to listen on"));
    for address in addresses {
        outcome = listen(*address, false);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Returns `count` sockets that listen on one port. The kernel distributes connections among them
/// (`SO_REUSEPORT`). Fails, as [`bind`] does, for a port that another process listens on.
pub fn bind_shared(addresses: &[SocketAddr], count: usize) -> anyhow::Result<Vec<TcpListener>> {
    // Fails if the port is in use: with SO_REUSEPORT, two servers of a user would share it.
    let address = bind(addresses)?.local_addr().context("cannot read the address listened on")?;
    (0..count).map(|_| listen(address, true)).collect()
}

/// Does the same as [`bind_shared`], for a server with io_uring. The kernel removes the rings of a
/// killed process a moment after the process, and its port is in use until then. So a port in use
/// is an error only after repeated attempts.
pub fn bind_shared_after_rings(addresses: &[SocketAddr], count: usize) -> anyhow::Result<Vec<TcpListener>> {
    let began = Instant::now();
    let is_in_use = |error: &anyhow::Error| {
        error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::AddrInUse)
    };
    loop {
        match bind_shared(addresses, count) {
            Err(error) if is_in_use(&error) && began.elapsed() < RINGS_TIMEOUT => thread::sleep(RETRY_AFTER),
            listeners => return listeners,
        }
    }
}

/// Closes a listening socket. Gives `take` the connections that the kernel has accepted on it and
/// the server has not, since the close would reset them. Blocks for some milliseconds.
///
/// It cannot fail, since the end of a server depends on it. Since 5.7, Linux lets every user keep
/// new connections out. Where a sandbox or an older kernel forbids that, a connection that arrives
/// between the last accept and the close is reset.
pub fn close(listener: TcpListener, mut take: impl FnMut(TcpStream)) {
    // Clients that connect from now on are refused, as they are after the close.
    if keep_out(&listener).is_ok() {
        thread::sleep(SETTLE);
    }
    let mut has_more = listener.set_nonblocking(true).is_ok();
    while has_more {
        match listener.accept() {
            Ok((stream, _)) => take(stream),
            // Other errors mean that there is no connection, or no descriptor for it.
            Err(error) => {
                has_more = matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted);
            }
        }
    }
    drop(listener);
}

/// Keeps new connections from the listener, by binding it to an interface that does not exist.
/// Handshakes that have begun are completed: the kernel does not look up a listener for them.
#[allow(unsafe_code, reason = "an option of a socket is set")]
fn keep_out(listener: &TcpListener) -> std::io::Result<()> {
    let interface = std::ptr::from_ref(&NO_INTERFACE).cast();
    let bytes = socklen_t::try_from(size_of_val(&NO_INTERFACE)).unwrap_or_default();
    // SAFETY: the pointer is to an integer, of which the kernel reads `bytes`, its size.
    let result =
        unsafe { libc::setsockopt(listener.as_raw_fd(), SOL_SOCKET, SO_BINDTOIFINDEX, interface, bytes) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Prints the ready line, the only line on standard output.
pub fn announce(flags: &Flags, address: SocketAddr) -> anyhow::Result<()> {
    let scheme = if flags.tls.is_some() { "https" } else { "http" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {scheme}://{address}")
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn any_port() -> TcpListener {
        bind(&[([127, 0, 0, 1], 0).into()]).unwrap()
    }

    #[test]
    fn the_first_address_that_is_free_is_listened_on() {
        let taken = any_port().local_addr().unwrap();
        let _taken = bind(&[taken]).unwrap();
        let free = any_port().local_addr().unwrap();
        assert_eq!(bind(&[taken, free]).unwrap().local_addr().unwrap(), free);
        let error = bind(&[free, taken]).and_then(|_first| bind(&[taken])).unwrap_err();
        assert!(error.to_string().contains(&taken.to_string()), "{error:#}");
    }

    #[test]
    fn a_port_that_rings_have_for_a_moment_is_waited_for() {
        let rings = any_port();
        let address = rings.local_addr().unwrap();
        assert!(bind_shared(&[address], 2).is_err());
        let listeners = thread::scope(|scope| {
            let bound = scope.spawn(|| bind_shared_after_rings(&[address], 2));
            drop(rings);
            bound.join().unwrap().unwrap()
        });
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap() == address));
    }

    #[test]
    fn a_close_takes_what_is_queued_and_refuses_what_comes() {
        let listener = any_port();
        let address = listener.local_addr().unwrap();
        let mut queued: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut taken = Vec::new();
        close(listener, |mut stream| {
            assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
            stream.write_all(b"taken").unwrap();
            taken.push(stream);
        });
        drop(taken);
        for stream in &mut queued {
            let mut got = String::new();
            stream.read_to_string(&mut got).unwrap();
            assert_eq!(got, "taken");
        }
    }
}
