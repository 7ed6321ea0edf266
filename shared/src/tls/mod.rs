//! TLS below the endpoint: TLS 1.3 by rustls, with one provider of cryptography for all servers.
//!
//! ```text
//! --tls-cert, --tls-key ─▶ TlsFiles ─▶ Encryption ─▶ a Session per connection
//!                                                        └─ Layered: its stream in a turn
//!                                                             └─ Tls, where it is encrypted
//! ```
//!
//! Sessions are resumed by tickets, for which the server keeps no state. As usual with rustls, a
//! client gets two tickets per handshake, and their keys change every six hours.

mod encryption;
mod files;
mod flags;
mod layered;
mod records;
mod state;

pub use encryption::Encryption;
pub use files::TlsFiles;
pub use flags::{Http2Flags, TlsFlags};
pub use layered::Layered;
pub use state::Tls;

/// The name by which TLS agrees on HTTP/1.1 (ALPN).
pub const HTTP_1_1: &[u8] = b"http/1.1";

/// The name by which TLS agrees on HTTP/2 (ALPN).
pub const HTTP_2: &[u8] = b"h2";
