//! The files of TLS, and the flags that name them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;

use crate::process::{Flag, Values};

/// A certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by the certificates that it is signed with, if any.
    pub certificate: PathBuf,
    /// The key of the first certificate.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Returns the flags of a server that speaks TLS; [`Flags::tls`](crate::process::Flags::tls)
    /// has their values.
    pub fn flags() -> [Flag; 2] {
        [
            Flag::new("tls-cert", "FILE", "Serve https with the certificate in this file (PEM)"),
            Flag::new("tls-key", "FILE", "The certificate's key (PEM)"),
        ]
    }

    /// Reads the values of these flags; `None` when neither is given. Fails when only one is given.
    pub(crate) fn read(values: &Values) -> anyhow::Result<Option<Self>> {
        let path = |name| values.get(name, |text| Ok::<_, String>(PathBuf::from(text)));
        match (path("tls-cert")?, path("tls-key")?) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => bail!("--tls-cert needs --tls-key, the file with the certificate's key"),
            (None, Some(_)) => bail!("--tls-key needs --tls-cert, the file with the key's certificate"),
        }
    }

    /// Creates a configuration that agrees on the first of `protocols` that the client offers.
    /// Fails when a file is unreadable or damaged, or the key belongs to another certificate.
    pub fn config(&self, protocols: &[&[u8]]) -> anyhow::Result<Arc<ServerConfig>> {
        let provider = Arc::new(ring::default_provider());
        let named = |path: &Path| format!("{}", path.display());
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .with_context(|| named(&self.certificate))?;
        if chain.is_empty() {
            bail!("{}: it has no certificate in PEM", named(&self.certificate));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).with_context(|| named(&self.key))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            // Only TLS 1.3, whatever versions another crate has enabled.
            .with_protocol_versions(&[&TLS13])
            .context("cannot use TLS 1.3")?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .with_context(|| format!("{} with the key {}", named(&self.certificate), named(&self.key)))?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        // Without a ticketer, rustls would keep 256 sessions, two per client, and no others.
        config.ticketer = ring::Ticketer::new().context("cannot make keys for session tickets")?;
        Ok(Arc::new(config))
    }
}
