//! The limits that every server keeps when its runtime allows it, with one constant for each.

use std::time::Duration;

/// Bytes of a request's head, up to the end of the empty line. One more is answered with 431.
pub const HEAD_BYTES: usize = 16 * 1024;

/// Fields of a head. One more is answered with 431.
pub const HEAD_FIELDS: usize = 100;

/// Bytes of a request target. One more is answered with 414.
pub const TARGET_BYTES: usize = 8 * 1024;

/// Bytes of a request's body, which is dropped. One more is answered with 413 and a close.
pub const BODY_BYTES: u64 = 1024 * 1024;

/// Time from a head's first byte to its last.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Time to wait for a first or a next request.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Time to wait for a client that does not read.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Time that open connections have to finish once a shutdown has begun.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for which connections are still accepted once a shutdown has begun, and for which idle
/// connections are then kept: a request that is on its way is answered, and its connection closed.
pub const DRAIN_GRACE: Duration = Duration::from_millis(500);

/// Time for a client to read the last answer and close, where its connection has unread input.
pub const LINGER_TIME: Duration = Duration::from_secs(1);

/// The maximum number of bytes that a lingering connection reads and drops.
pub const LINGER_BYTES: usize = 1024 * 1024;

/// Limits that only HTTP/2 has. A header list has the limits of a head.
pub mod http2 {
    /// Streams that a client may have open at once. RFC 9113 (section 6.5.2) recommends 100 or more;
    /// each takes some kilobytes.
    pub const STREAMS: u32 = 128;

    /// Bytes of a header list, as many as of a head.
    pub const HEADER_LIST_BYTES: u32 = 16 * 1024;

    /// Bytes of a body that a client may send on a stream before the server has read them. Bodies
    /// are dropped: a larger window would only help to fill memory.
    pub const STREAM_WINDOW: u32 = 64 * 1024 - 1;

    /// Bytes that a client may send on all streams of a connection before the server has read them.
    pub const CONNECTION_WINDOW: u32 = 1024 * 1024;

    /// Streams that a client may have reset before the server has seen them. More of them end the
    /// connection: each costs the server a request, and the client almost nothing.
    pub const PENDING_RESETS: usize = 20;
}
