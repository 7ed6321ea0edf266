//! TLS below HTTP. The client determines the work: it offers one version, one suite, one group and
//! one application protocol, so that no order or default of a server changes the measurement.

mod session;
mod tickets;
mod trust;

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, NamedGroup, ProtocolVersion, SupportedCipherSuite};

pub(super) use session::{Session, Unsealed};
use tickets::Tickets;
use trust::Trust;

/// The value of `--cipher`: the suite that is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Cipher {
    /// TLS_AES_128_GCM_SHA256, which every server has (RFC 8446, section 9.1).
    #[default]
    #[value(name = "aes-128")]
    Aes128,
    /// TLS_AES_256_GCM_SHA384.
    #[value(name = "aes-256")]
    Aes256,
}

/// The TLS parameters that are offered to a server, and the name of the server.
pub(super) struct Offer {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
    cipher: Cipher,
    /// The application protocol: `http/1.1` or `h2`.
    alpn: &'static str,
}

/// How the certificate of a server is checked, and which parameters are offered.
pub(super) struct Choices<'a> {
    /// The file of the only certificate that is trusted; `None` trusts any.
    pub(super) certificate: Option<&'a Path>,
    pub(super) cipher: Cipher,
    pub(super) resume: bool,
    pub(super) alpn: &'static str,
}

/// The parameters that a handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) version: &'static str,
    pub(super) suite: &'static str,
    pub(super) group: &'static str,
    /// The application protocol; `None` when the server chose none.
    pub(super) alpn: Option<&'static str>,
    /// Whether an earlier session was resumed.
    pub(super) is_resumed: bool,
}

impl Offer {
    /// Fails when the file has no certificate, or the host cannot be the name of a TLS server.
    pub(super) fn new(host: &str, choices: &Choices) -> anyhow::Result<Self> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: vec![choices.cipher.suite()],
            kx_groups: vec![kx_group::X25519],
            ..default_provider()
        });
        let trusted = choices.certificate.map(read_certificates).transpose()?;
        let trust = Trust::new(trusted, provider.signature_verification_algorithms);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .context("TLS 1.3 is not there")?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust))
            .with_no_client_auth();
        config.alpn_protocols = vec![choices.alpn.into()];
        config.resumption = match choices.resume {
            true => Resumption::store(Arc::new(Tickets::default())),
            false => Resumption::disabled(),
        };
        let server = ServerName::try_from(host.to_owned())
            .map_err(|_| anyhow!("\"{}\" cannot be the name of a TLS server", host.escape_default()))?;
        Ok(Self { config: Arc::new(config), server, cipher: choices.cipher, alpn: choices.alpn })
    }

    /// Creates a session, whose first message waits to be written.
    pub(super) fn session(&self) -> Result<Session, rustls::Error> {
        ClientConnection::new(Arc::clone(&self.config), self.server.clone()).map(Session::new)
    }

    /// Returns the parameters that a handshake agreed on. Fails when they were not offered. A
    /// server without ALPN speaks HTTP/1.1 (RFC 7301, section 3.2).
    pub(super) fn agreed(&self, session: &Session) -> Result<Agreed, String> {
        let found = session.agreed();
        let suite = self.cipher.suite().suite();
        let expected = (Some(ProtocolVersion::TLSv1_3), Some(suite), Some(NamedGroup::X25519));
        if (found.version, found.suite, found.group) != expected {
            return Err(format!("the handshake agreed on {found:?}, which was not offered"));
        }
        let alpn = match found.alpn {
            Some(alpn) if alpn == self.alpn.as_bytes() => Some(self.alpn),
            None if self.alpn == "http/1.1" => None,
            None => return Err(format!("the server did not agree on the protocol {} (ALPN)", self.alpn)),
            Some(other) => {
                let other = other.escape_ascii();
                return Err(format!("the server chose the protocol {other}, and {} was offered", self.alpn));
            }
        };
        let suite = self.cipher.name();
        Ok(Agreed { version: "TLSv1.3", suite, group: "X25519", alpn, is_resumed: found.is_resumed })
    }
}

impl Cipher {
    fn suite(self) -> SupportedCipherSuite {
        match self {
            Self::Aes128 => cipher_suite::TLS13_AES_128_GCM_SHA256,
            Self::Aes256 => cipher_suite::TLS13_AES_256_GCM_SHA384,
        }
    }

    /// The name of the suite in the registry of TLS.
    fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "TLS_AES_128_GCM_SHA256",
            Self::Aes256 => "TLS_AES_256_GCM_SHA384",
        }
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Aes128 => "aes-128",
            Self::Aes256 => "aes-256",
        })
    }
}

/// Describes to the user why a handshake failed.
pub(super) fn describe(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => format!("the server does not speak TLS ({error})"),
        rustls::Error::AlertReceived(alert) => format!("the server refused the handshake: alert {alert:?}"),
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(reason)) => reason.to_string(),
        _ => error.to_string(),
    }
}

/// Reads the certificates of a PEM file.
fn read_certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let file = || format!("--certificate {}", path.display());
    let text = fs::read(path).with_context(file)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| anyhow!("it is not PEM: {error}"))
        .with_context(file)?;
    ensure!(!certificates.is_empty(), "{}: it has no certificate", file());
    for certificate in &certificates {
        rustls::server::ParsedCertificate::try_from(certificate)
            .map_err(|error| anyhow!("it has a damaged certificate: {error}"))
            .with_context(file)?;
    }
    Ok(certificates)
}
