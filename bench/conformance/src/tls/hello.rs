//! First messages of clients: the hello of TLS 1.3 that rustls makes, which cases change, and older
//! ones.

use super::session::{self, Offer};

/// A record that is not protected.
pub(super) fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 3, 1], &length[..], payload].concat()
}

/// Types of records.
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION: u8 = 23;

/// A hello of TLS 1.3, as a message of the handshake.
pub(super) fn hello(offer: &Offer) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(mut session) = session::start(offer) {
        // Written to memory, which takes everything.
        let _ = session.write_tls(&mut bytes);
    }
    bytes.split_off(5.min(bytes.len()))
}

/// The parts of a hello that cases change (RFC 8446, section 4.1.2).
pub(super) struct Hello {
    pub(super) version: [u8; 2],
    pub(super) random: Vec<u8>,
    pub(super) session: Vec<u8>,
    pub(super) suites: Vec<u8>,
    pub(super) compressions: Vec<u8>,
    /// The number of each extension, and its value.
    pub(super) extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    /// The hello that rustls makes; `None` if it does not have the expected form.
    pub(super) fn tls_1_3() -> Option<Self> {
        let bytes = hello(&Offer::default());
        let mut rest = bytes.get(4..)?;
        let mut take = |length: usize| {
            let (taken, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(taken.to_vec())
        };
        let version = take(2)?.try_into().ok()?;
        let random = take(32)?;
        let length = take(1)?;
        let session = take(usize::from(*length.first()?))?;
        let length = number(&take(2)?);
        let suites = take(length)?;
        let length = take(1)?;
        let compressions = take(usize::from(*length.first()?))?;
        let mut left = number(&take(2)?);
        let mut extensions = Vec::new();
        while left > 0 {
            let name = u16::try_from(number(&take(2)?)).ok()?;
            let length = number(&take(2)?);
            extensions.push((name, take(length)?));
            left = left.checked_sub(4 + length)?;
        }
        Some(Self { version, random, session, suites, compressions, extensions })
    }

    /// A hello of a version before 1.3, with suites and groups that servers of that time shared.
    pub(super) fn before_1_3(minor: u8) -> Self {
        let suites = [
            0xc0, 0x2f, 0xc0, 0x2b, 0xc0, 0x30, 0xc0, 0x13, 0xc0, 0x09, 0xc0, 0x14, 0, 0x9c, 0, 0x2f, 0, 0x35,
        ];
        let extensions = vec![
            (0x000a, vec![0, 6, 0, 0x1d, 0, 0x17, 0, 0x18]),
            (0x000b, vec![1, 0]),
            (0x000d, vec![0, 12, 4, 3, 8, 4, 4, 1, 5, 3, 2, 3, 2, 1]),
        ];
        Self {
            version: [3, minor],
            random: (0..32).collect(),
            session: Vec::new(),
            suites: suites.to_vec(),
            compressions: vec![0],
            extensions: if minor == 0 { Vec::new() } else { extensions },
        }
    }

    /// The hello as a message of the handshake.
    pub(super) fn message(&self) -> Vec<u8> {
        let extensions: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &counted(2, value)].concat())
            .collect();
        let body = [
            &self.version[..],
            &self.random,
            &counted(1, &self.session),
            &counted(2, &self.suites),
            &counted(1, &self.compressions),
        ]
        .concat();
        let extensions = if extensions.is_empty() { Vec::new() } else { counted(2, &extensions) };
        [&[1][..], &counted(3, &[body, extensions].concat())].concat()
    }

    /// The value of an extension, which can be changed.
    pub(super) fn extension(&mut self, name: u16) -> Option<&mut Vec<u8>> {
        self.extensions.iter_mut().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

/// `bytes` after their length, which is a number of `width` bytes.
pub(super) fn counted(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - width..], bytes].concat()
}

/// Decodes a big-endian number of any width.
pub(super) fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}
