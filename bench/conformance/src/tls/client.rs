//! A client that sends records, whether they are right or wrong, and reads those of the server.

use std::io::{Cursor, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use answers::Response;
use nix::poll::PollFlags;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::{ClientConnection, ConnectionTrafficSecrets};

use super::alert;
use super::hello::{ALERT, APPLICATION, HANDSHAKE, number, record};
use super::session::{self, Offer};
use super::verdict::Verdict;
use crate::expected::Expected;
use crate::settings::{Settings, Timeout};
use crate::socket::{Closed, read_some, wait};
use crate::target::Target;

/// The most bytes that are read per exchange.
const MAX_BYTES: usize = 1024 * 1024;

/// A connection on which TLS is spoken byte by byte.
pub(super) struct Client<'a> {
    stream: TcpStream,
    pub(super) target: &'a Target,
    settings: &'a Settings,
    /// The server's bytes that have not been read as a record yet.
    bytes: Vec<u8>,
    /// What the server has sent so far.
    pub(super) seen: Seen,
    /// The keys of both sides, once they are agreed on.
    keys: Option<(Key, Key)>,
}

/// What a server has sent.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Whether the server has answered a hello with its own.
    pub(super) hello: bool,
    /// The first alert that is not `close_notify`.
    pub(super) alert: Option<u8>,
    pub(super) has_close_notify: bool,
    /// Application data, decrypted.
    pub(super) data: Vec<u8>,
    /// Whether the first bytes were not a record, but an answer in plain text.
    pub(super) is_plain: bool,
    pub(super) closed: Option<Closed>,
    /// Why the handshake failed.
    pub(super) failure: Option<String>,
    /// Why the server's records are malformed.
    pub(super) malformed: Option<String>,
}

/// The key of one side, and the number of records that have used it (RFC 8446, section 5.3).
struct Key {
    key: LessSafeKey,
    iv: [u8; 12],
    records: u64,
}

impl Key {
    fn new((records, secrets): (u64, ConnectionTrafficSecrets)) -> Option<Self> {
        let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else { return None };
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_ref()).ok()?);
        Some(Self { key, iv: iv.as_ref().try_into().ok()?, records })
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = self.iv;
        for (byte, of_number) in nonce.iter_mut().skip(4).zip(self.records.to_be_bytes()) {
            *byte ^= of_number;
        }
        self.records += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

impl<'a> Client<'a> {
    pub(super) fn connect(
        address: SocketAddr,
        target: &'a Target,
        settings: &'a Settings,
    ) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, settings.response_timeout)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, target, settings, bytes: Vec::new(), seen: Seen::default(), keys: None })
    }

    /// Sends these bytes as they are. The server may close before it has read everything.
    pub(super) fn send(&mut self, mut bytes: &[u8]) {
        let deadline = Instant::now() + self.timeout();
        while !bytes.is_empty() && wait(&self.stream, PollFlags::POLLOUT, deadline) {
            match self.stream.write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Sends these bytes one by one, each in a write of its own.
    pub(super) fn send_bytewise(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.send(&[*byte]));
    }

    /// Ends the client's side, without `close_notify`.
    pub(super) fn shut_down(&mut self) {
        // Fails when the server has reset the connection, which the next read reports too.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Makes a handshake whose bytes are sent by `send`. Returns the protocol agreed on by ALPN.
    pub(super) fn handshake(
        &mut self,
        offer: &Offer,
        send: fn(&mut Self, &[u8]),
    ) -> Result<Option<Vec<u8>>, String> {
        let mut session = session::start(offer)?;
        let result = self.shake_hands(&mut session, send);
        if let Err(failure) = &result {
            self.seen.failure = Some(failure.clone());
            return Err(failure.clone());
        }
        let agreed = session.alpn_protocol().map(<[u8]>::to_vec);
        let secrets = session.dangerous_extract_secrets().map_err(|error| error.to_string())?;
        self.keys = Key::new(secrets.tx).zip(Key::new(secrets.rx));
        Ok(agreed)
    }

    /// Makes a handshake. The session keeps its keys, and can be used for what follows.
    pub(super) fn shake_hands(
        &mut self,
        session: &mut ClientConnection,
        send: fn(&mut Self, &[u8]),
    ) -> Result<(), String> {
        let deadline = Instant::now() + self.timeout();
        loop {
            let mut bytes = Vec::new();
            while session.wants_write() {
                session.write_tls(&mut bytes).map_err(|error| error.to_string())?;
            }
            send(self, &bytes);
            if !session.is_handshaking() {
                return Ok(());
            }
            // Passes on one whole record at a time, so that those after the handshake are left for
            // the case.
            let record = self.next_record(deadline).ok_or("the server does not answer the handshake")?;
            self.seen.hello |= record.starts_with(&[HANDSHAKE]);
            session.read_tls(&mut Cursor::new(record)).map_err(|error| error.to_string())?;
            if let Err(error) = session.process_new_packets() {
                if let rustls::Error::AlertReceived(alert) = error {
                    self.seen.alert = Some(u8::from(alert));
                }
                return Err(error.to_string());
            }
        }
    }

    /// Returns the next record as it arrived; `None` at the end of the connection or the deadline.
    pub(super) fn next_record(&mut self, deadline: Instant) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = self.bytes.get(3..5).map(|length| 5 + number(length))
                && self.bytes.len() >= length
            {
                let rest = self.bytes.split_off(length);
                return Some(std::mem::replace(&mut self.bytes, rest));
            }
            if self.seen.closed.is_some()
                || self.bytes.len() > MAX_BYTES
                || !wait(&self.stream, PollFlags::POLLIN, deadline)
            {
                return None;
            }
            self.seen.closed = read_some(&self.stream, &mut self.bytes);
            self.seen.is_plain |= self.bytes.starts_with(b"HTTP/") || self.bytes.starts_with(b"<");
        }
    }

    /// Sends content within a record, with zeros as padding.
    pub(super) fn seal(&mut self, kind: u8, content: &[u8], padding: usize) {
        let bytes = self.sealed(kind, content, padding);
        self.send(&bytes);
    }

    /// Encrypts content as a record, with zeros as padding.
    pub(super) fn sealed(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let inner = [content, &[kind], &vec![0; padding]].concat();
        self.sealed_as_it_is(inner)
    }

    /// Encrypts the inner bytes of a record, which need not have a type.
    pub(super) fn sealed_as_it_is(&mut self, mut inner: Vec<u8>) -> Vec<u8> {
        let Some((key, _)) = &mut self.keys else { return Vec::new() };
        let length = u16::try_from(inner.len() + AES_128_GCM.tag_len()).unwrap_or(u16::MAX).to_be_bytes();
        let head = [APPLICATION, 3, 3, length[0], length[1]];
        let nonce = key.nonce();
        // Fails above a length that no record has.
        let _ = key.key.seal_in_place_append_tag(nonce, Aad::from(head), &mut inner);
        [&head[..], &inner].concat()
    }

    /// Reads until `is_enough`, an end of the connection, or the timeout.
    pub(super) fn read_until(&mut self, is_enough: impl Fn(&Seen) -> bool) {
        self.read_by(Instant::now() + self.timeout(), is_enough);
    }

    fn read_by(&mut self, deadline: Instant, is_enough: impl Fn(&Seen) -> bool) {
        while !is_enough(&self.seen) {
            let Some(record) = self.next_record(deadline) else { return };
            let (head, payload) = record.split_at(5);
            match (head.first().copied(), self.keys.is_some()) {
                (Some(APPLICATION), true) => self.open(head, payload),
                (Some(HANDSHAKE), _) => self.seen.hello |= payload.first() == Some(&2),
                (Some(ALERT), _) => self.take_alert(payload),
                _ => {}
            }
        }
    }

    fn open(&mut self, head: &[u8], payload: &[u8]) {
        let Some((_, key)) = &mut self.keys else { return };
        let (nonce, mut inner) = (key.nonce(), payload.to_vec());
        let Ok(plain) = key.key.open_in_place(nonce, Aad::from(head), &mut inner) else {
            self.seen.malformed = Some("a record that cannot be decrypted".into());
            return;
        };
        let end = plain.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        let (content, kind) = plain.split_at(end);
        match kind.first() {
            Some(&APPLICATION) => self.seen.data.extend_from_slice(content),
            Some(&ALERT) => {
                let content = content.to_vec();
                self.take_alert(&content);
            }
            _ => {}
        }
    }

    fn take_alert(&mut self, payload: &[u8]) {
        match payload {
            [_, alert::CLOSE_NOTIFY] => self.seen.has_close_notify = true,
            [_, alert] => self.seen.alert = self.seen.alert.or(Some(*alert)),
            _ => {}
        }
    }

    /// A request for the target, which ends the connection where `field` says so.
    pub(super) fn request(&self, field: &str) -> Vec<u8> {
        let path = match self.target {
            Target::Greeting => "/a",
            Target::Fixed { path, .. } => path,
        };
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{field}\r\n").into_bytes()
    }

    /// The answer, once it is whole.
    pub(super) fn answer(seen: &Seen) -> Option<Result<Response, String>> {
        match answers::parse(&seen.data, false, false) {
            Ok(answer) => answer.map(|(response, _)| Ok(response)),
            Err(wrong) => Some(Err(wrong)),
        }
    }

    /// Waits for the answer to a request, and says what is wrong with it.
    pub(super) fn expect_answer(&mut self) -> Verdict {
        self.read_until(|seen| seen.alert.is_some() || Self::answer(seen).is_some());
        let expected = match self.target {
            Target::Greeting => Expected::greeting("/a"),
            Target::Fixed { body, .. } => Expected::greeting("/a").with_text(body),
        };
        match Self::answer(&self.seen) {
            None => Verdict::Wrong("expected an answer".into()),
            Some(Err(wrong)) => Verdict::Wrong(wrong),
            Some(Ok(response)) => expected.mismatch(&response).map_or(Verdict::Right, Verdict::Wrong),
        }
    }

    /// Waits for one of these alerts. A server that closes without an alert breaks only what it
    /// SHOULD do (RFC 8446, section 6.2).
    pub(super) fn expect_alert(&mut self, alerts: &[u8]) -> Verdict {
        self.read_until(|seen| seen.alert.is_some());
        let names = || alerts.iter().map(|alert| alert::name(*alert)).collect::<Vec<_>>().join(" or ");
        match self.seen.alert {
            Some(alert) if alerts.contains(&alert) => Verdict::Right,
            Some(alert) => Verdict::Wrong(format!("expected {}, got {}", names(), alert::name(alert))),
            None if self.seen.closed.is_some() => {
                Verdict::LeftOpen(format!("expected {}, got an end without an alert", names()))
            }
            None => Verdict::Wrong(format!("expected {}", names())),
        }
    }

    /// Waits for the end of the connection, which the server has to announce by `close_notify`.
    pub(super) fn expect_close_notify(&mut self) -> Verdict {
        self.read_until(|_| false);
        match (self.seen.has_close_notify, self.seen.closed) {
            (true, Some(_)) => Verdict::Right,
            (true, None) => {
                Verdict::LeftOpen("expected the connection to be closed after close_notify".into())
            }
            (false, Some(_)) => Verdict::Wrong("expected close_notify before the end".into()),
            (false, None) => Verdict::Wrong("expected close_notify and an end".into()),
        }
    }

    /// Is silent for this number of tenths of a timeout.
    pub(super) fn pause(&mut self, timeout: Timeout, tenths: u32) {
        self.read_by(Instant::now() + self.settings.timeouts.get(timeout) * tenths / 10, |_| false);
    }

    /// A tenth of a timeout.
    pub(super) fn tenth_of(&self, timeout: Timeout) -> Duration {
        self.settings.timeouts.get(timeout) / 10
    }

    /// Sends nothing, and waits for the server to close after this timeout.
    pub(super) fn expect_end_after(&mut self, timeout: Timeout) -> Verdict {
        self.read_by(Instant::now() + self.settings.time_for(timeout), |_| false);
        self.verdict_of_end()
    }

    /// How long the client waits for the server.
    pub(super) fn timeout(&self) -> Duration {
        self.settings.response_timeout
    }

    /// Waits for the end of the connection.
    pub(super) fn expect_end(&mut self) -> Verdict {
        self.read_until(|_| false);
        self.verdict_of_end()
    }

    fn verdict_of_end(&self) -> Verdict {
        match self.seen.closed {
            Some(_) => Verdict::Right,
            None => Verdict::Wrong("expected the connection to be closed".into()),
        }
    }

    /// Describes what the server has sent, and the end of the connection.
    pub(super) fn describe(&self) -> String {
        let seen = &self.seen;
        let mut words = Vec::new();
        if seen.hello {
            words.push("ServerHello".to_owned());
        }
        if !seen.data.is_empty() {
            let shown = seen.data.get(..40).unwrap_or(&seen.data);
            words.push(format!("\"{}…\"", shown.escape_ascii()));
        }
        if seen.is_plain {
            words.push("an answer in plain text".to_owned());
        }
        words.extend(seen.alert.map(alert::name));
        words.extend(seen.has_close_notify.then(|| alert::name(alert::CLOSE_NOTIFY)));
        words.extend(seen.malformed.clone());
        words.extend(seen.failure.clone());
        words.extend(seen.closed.map(|closed| match closed {
            Closed::Eof => "the connection closed".to_owned(),
            Closed::Reset => "the connection reset".to_owned(),
        }));
        if words.is_empty() { "nothing".into() } else { words.join(", ") }
    }

    /// A message of the handshake in records of this number of bytes.
    pub(super) fn in_records(message: &[u8], size: usize) -> Vec<u8> {
        message.chunks(size).flat_map(|part| record(HANDSHAKE, part)).collect()
    }
}
