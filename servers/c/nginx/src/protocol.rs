//! What nginx and its clients speak, and what is different in its configuration for that.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use shared::tls::TlsFiles;

/// The time for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// The names of the files of TLS in nginx's folder, to which its configuration is relative. In a
/// path as the user gives it some characters would have a meaning.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

const TLS: &str = "\
ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        # Not all versions of nginx offer TLS 1.3 without this.
        ssl_protocols TLSv1.3;";

/// The preface of HTTP/2, and settings without a setting.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The type of a frame of settings, and where a frame has its type (RFC 9113, section 4.1).
const SETTINGS: u8 = 4;
const TYPE: usize = 3;

/// What a listener of nginx speaks.
#[derive(Clone, Copy)]
pub(crate) enum Protocol<'a> {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, and nothing else: nginx 1.22 does not look how a client begins.
    H2c,
    /// TLS 1.3, and within it what is agreed.
    Tls(&'a TlsFiles),
}

impl<'a> Protocol<'a> {
    /// That of a server with these files, if any, or of one that is asked for HTTP/2. Fails when a
    /// file is unreadable or damaged, or the key is another certificate's.
    pub(crate) fn new(files: Option<&'a TlsFiles>, h2c: bool) -> anyhow::Result<Self> {
        let Some(files) = files else { return Ok(if h2c { Self::H2c } else { Self::Http1 }) };
        // nginx would say so in other words, once it has started.
        files.config(&[])?;
        Ok(Self::Tls(files))
    }

    /// Further parameters of `listen`.
    pub(crate) fn parameters(self) -> &'static str {
        match self {
            Self::Http1 => "",
            Self::H2c => " http2",
            Self::Tls(_) => " ssl http2",
        }
    }

    /// Further directives of the server.
    pub(crate) fn directives(self) -> &'static str {
        if matches!(self, Self::Tls(_)) { TLS } else { "" }
    }

    /// Makes the files of TLS known in nginx's `folder`. Fails where that or one of them cannot be
    /// used.
    pub(crate) fn link(self, folder: &Path) -> anyhow::Result<()> {
        let Self::Tls(files) = self else { return Ok(()) };
        for (file, name) in [(&files.certificate, CERTIFICATE), (&files.key, KEY)] {
            let path = fs::canonicalize(file).with_context(|| file.display().to_string())?;
            let link = folder.join(name);
            symlink(path, &link).with_context(|| format!("cannot make {}", link.display()))?;
        }
        Ok(())
    }

    /// Whether nginx answers: a request of HTTP/1.1, which it rejects where it expects TLS, or the
    /// preface of HTTP/2. nginx has closed the connection then, or does so now.
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
