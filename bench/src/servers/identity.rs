//! The certificate of a measurement: its servers have it, and what loads them trusts it alone.

use std::net::IpAddr;
use std::path::Path;

use anyhow::Context;

use crate::store::record::Protocol;

/// The name of the file with the certificate. A load tool finds it in the folder that it runs in.
pub const CERTIFICATE: &str = "certificate.pem";

/// The name of the file with its key.
const KEY: &str = "key.pem";

/// A certificate with its key, in PEM: of a key on P-256, signed by itself.
#[derive(Debug)]
pub struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    /// A new one for the server's host.
    pub fn new(address: IpAddr) -> anyhow::Result<Self> {
        let names = ["localhost".to_owned(), address.to_string()];
        let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
        Ok(Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }

    /// The files of a server, by name.
    pub fn of_server(&self) -> [(&str, &str); 2] {
        [(CERTIFICATE, &self.certificate), (KEY, &self.key)]
    }

    /// The file of what loads it.
    pub fn of_client(&self) -> (&str, &str) {
        (CERTIFICATE, &self.certificate)
    }
}

/// The flags of a server that speaks this protocol, with the files of [`Identity::of_server`] in `folder`
/// where there is TLS.
pub fn flags(protocol: Protocol, folder: Option<&Path>) -> Vec<String> {
    let file = |folder: &Path, name| folder.join(name).display().to_string();
    match (protocol, folder) {
        (Protocol::H2c, _) => vec!["--h2c".into()],
        (Protocol::Https | Protocol::H2, Some(folder)) => {
            vec!["--tls-cert".into(), file(folder, CERTIFICATE), "--tls-key".into(), file(folder, KEY)]
        }
        _ => Vec::new(),
    }
}
