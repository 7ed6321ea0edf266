//! The encryption of a server's connections, if any.

use std::io::Result;
use std::sync::Arc;

use rustls::ServerConfig;

use super::state::Tls;
use crate::http::Session;
use crate::process::Flags;

/// The encryption of a server's sessions. `None` when they are not encrypted.
#[derive(Clone, Debug, Default)]
pub struct Encryption(Option<Arc<ServerConfig>>);

impl Encryption {
    /// Creates the encryption for a server's flags, which agrees on one of `protocols`. Fails when
    /// a file cannot be used.
    pub fn new(flags: &Flags, protocols: &[&[u8]]) -> anyhow::Result<Self> {
        flags.tls.as_ref().map(|files| files.config(protocols)).transpose().map(Self)
    }

    /// Creates a session for a connection that was just accepted. Fails only for lack of memory.
    pub fn session(&self) -> Result<Session> {
        Ok(self.tls()?.map_or_else(Session::default, Session::over))
    }

    /// Creates the TLS state of a connection that was just accepted; `None` if it is unencrypted.
    pub fn tls(&self) -> Result<Option<Tls>> {
        self.0.as_ref().map(|config| Tls::new(Arc::clone(config))).transpose()
    }
}
