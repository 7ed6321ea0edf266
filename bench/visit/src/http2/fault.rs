//! The faults in the bytes of a server, and the codes of errors.

/// Codes of errors with which a connection is ended (RFC 9113, section 7).
pub(crate) mod code {
    pub(crate) const NO_ERROR: u32 = 0;
    pub(crate) const PROTOCOL_ERROR: u32 = 1;
    pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
    pub(crate) const STREAM_CLOSED: u32 = 5;
    pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
    pub(crate) const REFUSED_STREAM: u32 = 7;
    pub(crate) const CANCEL: u32 = 8;
    pub(crate) const COMPRESSION_ERROR: u32 = 9;
    pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;
}

/// The reason to end a connection: the server has sent wrong bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The code that is sent to the server.
    pub(crate) code: u32,
    /// The number of the request with the wrong answer; `None` unless it is a single one.
    pub(crate) request: Option<usize>,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(code: u32, text: impl Into<String>) -> Self {
        Self { code, request: None, text: text.into() }
    }

    pub(crate) fn protocol(text: impl Into<String>) -> Self {
        Self::new(code::PROTOCOL_ERROR, text)
    }

    /// Assigns the fault to the answer to one request.
    pub(crate) fn in_request(self, request: usize) -> Self {
        Self { request: Some(request), ..self }
    }
}
