//! A visitor who asks once, and may stay.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use socket2::SockRef;

use crate::servers::workload::Workload;

/// How long to wait for what has to come. Only a server that is wrong, or that has lost the connection, takes so long.
const BOUND: Duration = Duration::from_secs(10);

/// Bytes of an answer beside its body; ours have some 150.
const HEAD_BYTES: usize = 4096;

/// A connection that has been used once. Dropping it resets it, so that no port stays taken for a minute.
pub(super) struct Visitor(TcpStream);

impl Visitor {
    /// Connects, asks for the workload's path, and reads the answer to its last byte.
    pub(super) fn come(address: SocketAddr, workload: &Workload) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, BOUND).context("cannot connect")?;
        stream.set_read_timeout(Some(BOUND))?;
        stream.set_write_timeout(Some(BOUND))?;
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        let mut visitor = Self(stream);
        visitor.ask(address, workload).with_context(|| format!("GET {}", workload.path))?;
        Ok(visitor)
    }

    fn ask(&mut self, address: SocketAddr, workload: &Workload) -> anyhow::Result<()> {
        let request = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n\r\n", workload.path);
        self.0.write_all(request.as_bytes())?;
        let body = workload.answer.as_bytes();
        let mut answer = vec![0; HEAD_BYTES + body.len()];
        let mut got = 0;
        // What else is right of it was looked at before: this is about the moment of its last byte.
        while !answer[..got].ends_with(body) {
            match self.0.read(&mut answer[got..])? {
                0 => bail!("{got} bytes came, and not the whole answer"),
                more => got += more,
            }
        }
        let status = answer[..got].get(9..12);
        ensure!(answer.starts_with(b"HTTP/1.") && status == Some(b"200"), "the answer has no status 200");
        Ok(())
    }
}
