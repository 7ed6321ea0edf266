//! Answers as bytes. Each function appends to a buffer, and allocates nothing when there is room.

use super::rules::{Method, Rejection, Request, Version};
use super::{date, greeting};

/// Whether the connection persists after an answer, which announces it (RFC 9112, section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It stays open, which is the default of HTTP/1.1.
    KeepAlive,
    /// It stays open because an HTTP/1.0 client asked for it.
    KeepAliveHttp10,
    /// It is closed.
    Close,
}

impl Persistence {
    /// Returns what `request` allows, or `Close` when the server is draining.
    pub fn after(request: &Request, draining: bool) -> Self {
        match request.version {
            _ if draining || !request.keep_alive => Self::Close,
            Version::Http10 => Self::KeepAliveHttp10,
            Version::Http11 | Version::Later => Self::KeepAlive,
        }
    }

    fn end_of_head(self) -> &'static [u8] {
        match self {
            Self::KeepAlive => b"\r\n\r\n",
            Self::KeepAliveHttp10 => b"\r\nConnection: keep-alive\r\n\r\n",
            Self::Close => b"\r\nConnection: close\r\n\r\n",
        }
    }
}

/// Writes the answer to a request that keeps the rules.
pub fn write(request: &Request, persistence: Persistence, date: &[u8; date::LEN], out: &mut Vec<u8>) {
    match request.method {
        Method::Get => {
            write_greeting_head(request.path, persistence, date, out);
            greeting::write(request.path, out);
        }
        Method::Head => write_greeting_head(request.path, persistence, date, out),
        Method::Other => {
            out.extend_from_slice(
                b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\nDate: ",
            );
            out.extend_from_slice(date);
            out.extend_from_slice(persistence.end_of_head());
        }
    }
}

/// Writes the answer to a request that breaks a rule. It has no body, so it is also valid for HEAD.
pub fn write_rejection(rejection: Rejection, date: &[u8; date::LEN], out: &mut Vec<u8>) {
    let (status, reason) = rejection.status();
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\nContent-Length: 0\r\nDate: ");
    out.extend_from_slice(date);
    out.extend_from_slice(Persistence::Close.end_of_head());
}

/// Writes the interim answer for which a client waits before it sends a body.
pub fn write_continue(out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
}

fn write_greeting_head(path: &[u8], persistence: Persistence, date: &[u8; date::LEN], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    out.extend_from_slice(itoa::Buffer::new().format(greeting::len(path)).as_bytes());
    out.extend_from_slice(b"\r\nDate: ");
    out.extend_from_slice(date);
    out.extend_from_slice(persistence.end_of_head());
}
