//! The flags of servers that speak more than HTTP/1.1.

use anyhow::bail;

use super::files::TlsFiles;
use crate::process::{Flag, FlagSet, Flags, Values};

/// The flags of a server that speaks TLS: the flags of the contract, and those of TLS.
#[derive(Clone, Debug)]
pub struct TlsFlags(pub Flags);

impl FlagSet for TlsFlags {
    fn list() -> Vec<Flag> {
        Flags::list().into_iter().chain(TlsFiles::flags()).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        Flags::read(values).map(Self)
    }
}

/// The flags `F`, and the flag of a server that speaks HTTP/2 without TLS.
#[derive(Clone, Debug)]
pub struct Http2Flags<F> {
    /// The other flags.
    pub flags: F,
    /// Whether clients are expected to begin with HTTP/2 (RFC 9113, section 3.3).
    pub h2c: bool,
}

impl<F: FlagSet> FlagSet for Http2Flags<F> {
    fn list() -> Vec<Flag> {
        let help = "Speak HTTP/2 with clients that begin with it, without TLS";
        let h2c = Flag { name: "h2c", value: None, help, default: None };
        F::list().into_iter().chain([h2c]).collect()
    }

    fn read(values: &Values) -> anyhow::Result<Self> {
        let h2c = values.has("h2c");
        if h2c && TlsFiles::read(values)?.is_some() {
            bail!("--h2c cannot be used with --tls-cert, with which clients agree on HTTP/2");
        }
        Ok(Self { flags: F::read(values)?, h2c })
    }
}
