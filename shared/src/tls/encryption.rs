//! Whether a server's connections are encrypted, and with what.

use std::io::Result;
use std::sync::Arc;

use rustls::ServerConfig;

use super::state::Tls;
use crate::http::Session;
use crate::process::Flags;

/// What a server's sessions are encrypted with, if anything.
#[derive(Clone, Debug, Default)]
pub struct Encryption(Option<Arc<ServerConfig>>);

impl Encryption {
    /// That of a server by its flags, which agrees on one of `protocols`. Fails when a file cannot be
    /// used.
    pub fn new(flags: &Flags, protocols: &[&[u8]]) -> anyhow::Result<Self> {
        flags.tls.as_ref().map(|files| files.config(protocols)).transpose().map(Self)
    }

    /// A session for a connection that was just accepted. Fails only where memory does.
    pub fn session(&self) -> Result<Session> {
        Ok(self.tls()?.map_or_else(Session::default, Session::over))
    }

    /// The state of TLS of a connection that was just accepted; `None` where nothing is encrypted.
    pub fn tls(&self) -> Result<Option<Tls>> {
        self.0.as_ref().map(|config| Tls::new(Arc::clone(config))).transpose()
    }
}
