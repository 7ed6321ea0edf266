//! A certificate for a test, and a client that trusts it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::program::{Client, Server};
use crate::tls::{HTTP_1_1, TlsFiles};

/// The client's side of an encrypted connection.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate with its key, in a separate folder that is removed at the end.
pub struct Identity {
    folder: PathBuf,
    config: Arc<ClientConfig>,
}

impl Identity {
    /// Makes a new certificate for `localhost`.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("identity-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Self { folder, config: Arc::new(config) }
    }

    /// Returns the paths of the certificate and its key.
    pub fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.folder.join("cert.pem"), key: self.folder.join("key.pem") }
    }

    /// Returns the folder of these files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the flags of a server with these files, and `more`.
    pub fn flags<'a>(files: &'a TlsFiles, more: &[&'a str]) -> Vec<&'a str> {
        let path = |path: &'a Path| path.to_str().unwrap();
        let mut flags = vec!["--tls-cert", path(&files.certificate), "--tls-key", path(&files.key)];
        flags.extend(more);
        flags
    }

    /// Returns the client's side of TLS, before its handshake.
    pub fn client(&self) -> ClientConnection {
        let name = ServerName::try_from("localhost").unwrap();
        ClientConnection::new(Arc::clone(&self.config), name).unwrap()
    }

    /// Connects to a server with this certificate. The handshake is made with the first request.
    pub fn connect(&self, server: &Server) -> Client<TlsStream> {
        Client(StreamOwned::new(self.client(), server.connect().0))
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        // Other programs may also empty a folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
