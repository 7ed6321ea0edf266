//! A client of TLS 1.3 that knows no certificate and trusts any: the cases are about bytes.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// What a client offers in its first message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer<'a> {
    /// The protocols that ALPN offers. If there are none, the extension is left out.
    pub(crate) alpn: &'a [&'a str],
    /// The name of the server. If there is none, the extension is left out.
    pub(crate) name: Option<&'static str>,
}

impl Default for Offer<'_> {
    fn default() -> Self {
        Self { alpn: &["http/1.1"], name: Some("localhost") }
    }
}

/// Creates a client of TLS 1.3 that has not sent anything. It offers the suite and the group that
/// every server has to have (RFC 8446, section 9.1), and before that group X25519, which nearly all
/// servers prefer.
pub(crate) fn start(offer: &Offer) -> Result<ClientConnection, String> {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![ring::kx_group::X25519, ring::kx_group::SECP256R1],
        ..ring::default_provider()
    });
    let of = |error: Error| format!("no TLS: {error}");
    let verifier = Arc::new(AnyCertificate(Arc::clone(&provider)));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(of)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = offer.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.resumption = Resumption::disabled();
    config.enable_sni = offer.name.is_some();
    // Some cases seal records of their own, which no library would send.
    config.enable_secret_extraction = true;
    let name = ServerName::try_from(offer.name.unwrap_or("localhost")).map_err(|error| error.to_string())?;
    ClientConnection::new(Arc::new(config), name).map_err(of)
}

/// Takes any certificate whose key has signed the handshake.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
