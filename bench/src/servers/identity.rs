//! The TLS certificate of a measurement: servers use it, and the load tools that check certificates
//! trust it.

use std::net::IpAddr;

use anyhow::Context;

use crate::machine::host::{Host, Scratch};
use crate::store::record::Protocol;

/// The name of the file with the certificate. A load tool finds it in the folder that it runs in.
pub const CERTIFICATE: &str = "certificate.pem";

/// The name of the file with its key.
const KEY: &str = "key.pem";

/// A self-signed certificate and its key, which is on P-256, in PEM.
#[derive(Debug)]
pub struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    /// Makes a new certificate for `localhost` and the address of the server's host.
    pub fn new(address: IpAddr) -> anyhow::Result<Self> {
        let names = ["localhost".to_owned(), address.to_string()];
        let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
        Ok(Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }

    /// The names and contents of the files that a server needs.
    pub fn server_files(&self) -> [(&str, &str); 2] {
        [(CERTIFICATE, &self.certificate), (KEY, &self.key)]
    }

    /// The name and content of the file that a load tool needs.
    pub fn client_file(&self) -> (&str, &str) {
        (CERTIFICATE, &self.certificate)
    }
}

/// The flags that a server needs for a protocol, and the folder on its host with the files that the
/// flags name. The server has read the files by the time it is ready.
pub struct ServerFlags<'h> {
    words: Vec<String>,
    _folder: Option<Scratch<'h>>,
}

impl<'h> ServerFlags<'h> {
    /// Writes the files to the host. Fails when they cannot be written. Without TLS, `identity` is
    /// not used.
    pub fn new(host: &'h Host, protocol: Protocol, identity: Option<&Identity>) -> anyhow::Result<Self> {
        let identity = identity.filter(|_| protocol.is_encrypted());
        let folder = identity.map(|identity| host.scratch(&identity.server_files())).transpose()?;
        let words = match (protocol, &folder) {
            (Protocol::H2c, _) => vec!["--h2c".to_owned()],
            (_, Some(folder)) => {
                let file = |name| folder.path().join(name).display().to_string();
                vec!["--tls-cert".into(), file(CERTIFICATE), "--tls-key".into(), file(KEY)]
            }
            _ => Vec::new(),
        };
        Ok(Self { words, _folder: folder })
    }

    /// The flags.
    pub fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}
