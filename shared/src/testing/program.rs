//! A server's program under test, and the client's side of a connection to it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Only a server that hangs takes this long.
const BOUND: Duration = Duration::from_secs(60);

/// A server's program, and how it is started.
pub struct Program {
    /// The path that cargo gives: `env!("CARGO_BIN_EXE_…")`.
    pub path: &'static str,
    /// The value of `--workers`.
    pub workers: usize,
}

/// A running server, which is killed when it is dropped.
pub struct Server {
    process: Child,
    address: String,
}

/// The client's side of a connection.
pub struct Client<S = TcpStream>(pub(super) S);

/// Calls `look` until it returns `Some`. Panics with `what` when it does not within a minute.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + BOUND;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Program {
    /// Starts the server on a free port, and waits until it is ready.
    pub fn start(&self, flags: &[&str]) -> Server {
        self.start_with(flags, Stdio::inherit())
    }

    /// Starts the server with another standard error.
    pub(super) fn start_with(&self, flags: &[&str], stderr: Stdio) -> Server {
        self.start_by(Command::new(self.path), flags, stderr)
    }

    /// Starts the server by a command, which ends with the server's program.
    pub(super) fn start_by(&self, command: Command, flags: &[&str], stderr: Stdio) -> Server {
        self.try_start_by(command, flags, stderr).expect("is ready")
    }

    /// Does what [`Program::start_by`] does. Fails with the process when it ends or prints another
    /// line before it is ready.
    pub(super) fn try_start_by(
        &self,
        mut command: Command,
        flags: &[&str],
        stderr: Stdio,
    ) -> Result<Server, Child> {
        command.args(["--port", "0", "--workers", &self.workers.to_string()]).args(flags);
        command.stdout(Stdio::piped()).stderr(stderr);
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on http");
        match url.and_then(|url| url.trim_start_matches('s').strip_prefix("://")) {
            Some(address) => Ok(Server { process, address: address.to_owned() }),
            None => Err(process),
        }
    }
}

impl Server {
    /// Returns the address that the server listens on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Connects to the server.
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream.set_write_timeout(Some(BOUND)).unwrap();
        Client(stream)
    }

    /// Waits until the server has read all that `client` has sent.
    pub fn wait_until_read(&self, client: &Client) {
        let port_of = |address: SocketAddr| format!(":{:04X}", address.port());
        let local_port = port_of(self.address.parse().unwrap());
        let peer_port = port_of(client.0.local_addr().unwrap());
        let nothing_unread = |socket: &str| {
            let fields: Vec<_> = socket.split_whitespace().collect();
            // The local address, the peer's, a state, and the number of bytes to send and to read.
            matches!(fields[..], [_, local, peer, _, queues, ..]
                if local.ends_with(&local_port) && peer.ends_with(&peer_port) && queues.ends_with(":00000000"))
        };
        wait_for("the server's read", || {
            std::fs::read_to_string("/proc/net/tcp").unwrap().lines().any(nothing_unread).then_some(())
        });
    }

    /// Waits until the server accepts no more connections.
    pub(super) fn wait_until_refused(&self) {
        wait_for("the end of listening", || TcpStream::connect(&self.address).is_err().then_some(()));
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap().count()
    }

    /// Sends SIGTERM to the server.
    pub fn terminate(&self) {
        let process = Pid::from_raw(self.process.id().try_into().unwrap());
        kill(process, Signal::SIGTERM).unwrap();
    }

    /// Waits for the end of the server.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the server's end", || self.process.try_wait().unwrap())
    }

    /// Returns the first line of the server's standard error, which has to be a pipe.
    pub(super) fn first_error_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Client {
    /// Sends `bytes` until the server takes no more for `bound`. Panics when the server closes.
    pub(super) fn flood(&mut self, bytes: &str, bound: Duration) {
        self.0.set_write_timeout(Some(bound)).unwrap();
        let error = loop {
            if let Err(error) = self.0.write_all(bytes.as_bytes()) {
                break error;
            }
        };
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    }
}

impl<S: Read + Write> Client<S> {
    /// Sends all of `bytes`.
    pub fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).unwrap();
    }

    /// Asks for `path` on a connection that stays open.
    pub fn ask(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    }

    /// Asks for `path`, and reads the answer as [`Client::expect`] does.
    pub fn get(&mut self, path: &str) -> bool {
        self.ask(path);
        self.expect(path)
    }

    /// Reads the greeting for `path` as an answer. Returns whether the connection stays open.
    pub fn expect(&mut self, path: &str) -> bool {
        // Servers differ in the case of field names, which has no meaning.
        !self.answer(path).to_ascii_lowercase().contains("\r\nconnection: close\r\n")
    }

    /// Reads an answer, which has to be the greeting for `path`.
    pub(super) fn answer(&mut self, path: &str) -> String {
        let body = format!("\r\n\r\nHello, visitor! You've requested: {path}\n");
        let mut got = Vec::new();
        while !got.ends_with(body.as_bytes()) {
            let mut buffer = [0; 1024];
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&buffer[..read]);
        }
        let got = String::from_utf8(got).unwrap();
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got:?}");
        got
    }

    /// Sends `request`, one or several requests, `times` times, and reads `bytes` bytes after each.
    pub(super) fn repeat(&mut self, request: &str, times: usize, bytes: usize) {
        let mut got = vec![0; bytes];
        for _ in 0..times {
            self.send(request);
            self.0.read_exact(&mut got).unwrap();
        }
    }

    /// Reads until the server closes.
    pub fn read_to_end(&mut self) -> String {
        let mut got = String::new();
        self.0.read_to_string(&mut got).unwrap();
        got
    }
}
