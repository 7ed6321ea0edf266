//! The protocol of nginx's clients, and the parts of the configuration that depend on it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use shared::tls::TlsFiles;

/// The longest wait for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// The names of the TLS files in nginx's folder, to which its configuration is relative. They are
/// links, since some characters of a user's path would have a meaning in the configuration.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

const TLS: &str = "\
ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        # Not all versions of nginx offer TLS 1.3 without this.
        ssl_protocols TLSv1.3;";

/// The preface of HTTP/2, with an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The type of a SETTINGS frame, and the position of a frame's type (RFC 9113, section 4.1).
const SETTINGS: u8 = 4;
const TYPE: usize = 3;

/// The protocol of a listener of nginx.
#[derive(Clone, Copy)]
pub(crate) enum Protocol<'a> {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 alone: nginx 1.22 does not check which protocol a client begins with.
    H2c,
    /// TLS 1.3, and over it the protocol that is agreed on.
    Tls(&'a TlsFiles),
}

impl<'a> Protocol<'a> {
    /// Returns TLS if there are files, else HTTP/2 with `h2c`, else HTTP/1.1. Fails when a file is
    /// unreadable or damaged, or the key belongs to another certificate.
    pub(crate) fn new(files: Option<&'a TlsFiles>, h2c: bool) -> anyhow::Result<Self> {
        let Some(files) = files else { return Ok(if h2c { Self::H2c } else { Self::Http1 }) };
        // nginx would report such an error in other words, and only after its start.
        files.config(&[])?;
        Ok(Self::Tls(files))
    }

    /// Returns further parameters of `listen`.
    pub(crate) fn parameters(self) -> &'static str {
        match self {
            Self::Http1 => "",
            Self::H2c => " http2",
            Self::Tls(_) => " ssl http2",
        }
    }

    /// Returns further directives of the server.
    pub(crate) fn directives(self) -> &'static str {
        if matches!(self, Self::Tls(_)) { TLS } else { "" }
    }

    /// Links the TLS files into nginx's `folder`. Fails when the folder or a file cannot be used.
    pub(crate) fn link(self, folder: &Path) -> anyhow::Result<()> {
        let Self::Tls(files) = self else { return Ok(()) };
        for (file, name) in [(&files.certificate, CERTIFICATE), (&files.key, KEY)] {
            let path = fs::canonicalize(file).with_context(|| file.display().to_string())?;
            let link = folder.join(name);
            symlink(path, &link).with_context(|| format!("cannot make {}", link.display()))?;
        }
        Ok(())
    }

    /// Whether nginx answers an HTTP/1.1 request, which it rejects when it expects TLS, or the
    /// HTTP/2 preface. nginx has then closed the connection, or closes it after this call.
    pub(crate) fn is_answered(self, address: SocketAddr) -> io::Result<bool> {
        let mut client = TcpStream::connect(address)?;
        client.set_read_timeout(Some(ANSWER_LIMIT))?;
        let status: &[u8] = match self {
            Self::Http1 => b"HTTP/1.1 200 ",
            Self::Tls(_) => b"HTTP/1.1 400 ",
            Self::H2c => {
                client.write_all(PREFACE)?;
                let mut frame = [0; 9];
                client.read_exact(&mut frame)?;
                return Ok(frame[TYPE] == SETTINGS);
            }
        };
        client.write_all(b"GET / HTTP/1.1\r\nHost: launcher\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        Ok(answer.starts_with(status))
    }
}
