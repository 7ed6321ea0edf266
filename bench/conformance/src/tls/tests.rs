//! Plays cases of TLS against servers that are right, and against scripted ones that are not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use super::alert::{DECODE_ERROR, HANDSHAKE_FAILURE, PROTOCOL_VERSION};
use super::hello::{ALERT, HANDSHAKE, Hello, number, record};
use crate::case::Severity::{self, Strict, Wrong};
use crate::protocol::Protocol;
use crate::run::{Outcome, check};
use crate::settings::Settings;

/// A certificate of `localhost` and its key, made for these tests alone.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUb+BOijxI5uJ+erxMsvJeavr/P8MwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDE4MjgyM1oYDzIxMjYxMTA2
MTgyODIzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQSE0vJXjAGn7oFiWzKPhUi2cLWPZ/XUwLBpHziDX5DsBZviQCsyDS1
2q3ffl7SizzMkQczGS/YxAL7BuqkpSu+o2kwZzAdBgNVHQ4EFgQUFry60luhsgJM
VZLtp+Y7YELVsmAwHwYDVR0jBBgwFoAUFry60luhsgJMVZLtp+Y7YELVsmAwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAKiBwQApBZBDYG5GRv6swVQRHLQw2ttTElkTVSKPOnlvAiEA5NTeKUzp
J786RMfaPlgnVU6N9hk3Yc8SJzwxV8LZXEo=
-----END CERTIFICATE-----";
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBAXzzcEIO4N3OQqx
CJNtKvBGCGYaaK+c1fHca0DxTzKhRANCAAQSE0vJXjAGn7oFiWzKPhUi2cLWPZ/X
UwLBpHziDX5DsBZviQCsyDS12q3ffl7SizzMkQczGS/YxAL7BuqkpSu+
-----END PRIVATE KEY-----";

/// The behaviour of a TLS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It follows the rules.
    Right,
    /// It closes without `close_notify`.
    NoCloseNotify,
    /// It answers a part of a request.
    AnswersParts,
    /// It has no ALPN.
    NoAlpn,
    /// It sends another greeting.
    OtherBody,
    /// It keeps the connection where it has to close.
    NeverCloses,
}

/// Plays a case. The timeout is short where the case is expected to be wrong, since the failure may
/// be a silence.
fn severity(name: &str, address: SocketAddr, expected: Option<Severity>) -> (Option<Severity>, String) {
    let cases = Protocol::Https.cases();
    let case = cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("{name}"));
    let response_timeout = Duration::from_secs(if expected == Some(Wrong) { 1 } else { 3 });
    let settings = Settings { response_timeout, ..Settings::default() };
    match check(address, case, &settings) {
        Outcome::Passed => (None, String::new()),
        Outcome::Failed(failure) => (Some(failure.severity), failure.to_string()),
        other => panic!("{other:?}"),
    }
}

fn listen(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let serve = Arc::new(serve);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Fails when the client has closed, as it does once it has its result.
            let (serve, stream) = (Arc::clone(&serve), stream.unwrap());
            std::thread::spawn(move || _ = serve(stream));
        }
    });
    address
}

fn server(manner: Manner) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    if manner != Manner::NoAlpn {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    let config = Arc::new(config);
    listen(move |stream| serve(stream, ServerConnection::new(Arc::clone(&config)).unwrap(), manner))
}

fn serve(mut stream: TcpStream, mut tls: ServerConnection, manner: Manner) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        while tls.wants_write() {
            tls.write_tls(&mut stream)?;
        }
        if tls.read_tls(&mut stream)? == 0 {
            return Ok(());
        }
        if let Err(error) = tls.process_new_packets() {
            tls.write_tls(&mut stream)?;
            // Read to the end, so that no reset overtakes the alert.
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new())?;
            return Err(std::io::Error::other(error));
        }
        let has_ended = match tls.reader().read_to_end(&mut request) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        };
        let is_whole =
            request.ends_with(b"\r\n\r\n") || manner == Manner::AnswersParts && request.starts_with(b"GET");
        let closes = has_ended || request.windows(5).any(|window| window == b"close");
        if is_whole {
            let path = if request.windows(6).any(|window| window == b"/probe") { "/probe" } else { "/a" };
            let path = if manner == Manner::OtherBody { "/other" } else { path };
            let body = format!("Hello, visitor! You've requested: {path}\n");
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
                Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
                body.len()
            );
            // The probe comes in the same write as the request before it.
            let count = request.windows(4).filter(|window| *window == b"\r\n\r\n").count().max(1);
            if count == 2 {
                let first = head.clone() + &body;
                let first = first.replace("/probe", "/a").replace(&format!(": {}\r", body.len()), ": 37\r");
                tls.writer().write_all(first.as_bytes())?;
            }
            tls.writer().write_all((head + &body).as_bytes())?;
            request.clear();
        }
        if has_ended && manner == Manner::NeverCloses {
            return stream.read_to_end(&mut Vec::new()).map(|_| ());
        }
        if closes && manner != Manner::NeverCloses {
            if manner != Manner::NoCloseNotify {
                tls.send_close_notify();
            }
            while tls.wants_write() {
                tls.write_tls(&mut stream)?;
            }
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
    }
}

#[test]
fn a_server_of_tls_is_judged_by_what_it_does_within() {
    let all = Protocol::Https.cases();
    let right = server(Manner::Right);
    // Only the cases of TLS are played: the others need more of HTTP/1.1 than this server has.
    let checked = |name: &str| {
        // rustls sends no alert where a record has no type.
        let expected = match name {
            "tls/nothing-but-padding" => Some(Strict),
            _ => None,
        };
        let (severity, failure) = severity(name, right, expected);
        assert!(severity.is_none() || severity == expected, "{name}: {failure}");
    };
    let names = all.iter().map(|case| case.name).filter(|name| name.starts_with("tls/"));
    at_once(names, checked);
    let cases = [
        ("https/path", Manner::OtherBody, Some(Strict)),
        ("https/host-name", Manner::Right, None),
        ("https/host-name", Manner::NoAlpn, None),
        ("https/host-name", Manner::OtherBody, Some(Wrong)),
        ("tls/version-1.3", Manner::OtherBody, Some(Wrong)),
        ("tls/close-notify", Manner::NoCloseNotify, Some(Wrong)),
        ("tls/close-notify", Manner::NeverCloses, Some(Wrong)),
        ("tls/close-notify-answered", Manner::NeverCloses, Some(Strict)),
        ("tls/truncated-request", Manner::AnswersParts, Some(Wrong)),
        ("tls/alpn", Manner::NoAlpn, Some(Strict)),
        ("tls/alpn-mismatch", Manner::NoAlpn, Some(Strict)),
        ("tls/alpn-none", Manner::NoAlpn, None),
    ];
    at_once(cases, |(name, manner, expected)| {
        let (severity, failure) = severity(name, server(manner), expected);
        assert_eq!(severity, expected, "{name}, {manner:?}: {failure}");
    });
}

/// Checks each case in its own thread, since each silence lasts until a timeout.
fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            let check = &check;
            scope.spawn(move || check(case));
        }
    });
}

/// Each row has the first bytes of the server, whether it then closes, and the severity of the
/// failure.
#[test]
fn what_is_no_handshake_is_judged_by_its_bytes() {
    let alert = |alert| record(ALERT, &[2, alert]);
    let hello = || record(HANDSHAKE, &[2, 0, 0, 0]);
    let page = || b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let cases = [
        ("tls/version-1.0", alert(PROTOCOL_VERSION), true, None),
        ("tls/version-1.0", alert(HANDSHAKE_FAILURE), true, None),
        ("tls/version-1.0", alert(DECODE_ERROR), true, Some(Wrong)),
        ("tls/version-1.0", Vec::new(), true, Some(Strict)),
        ("tls/version-1.0", hello(), false, Some(Wrong)),
        ("tls/version-1.0", Vec::new(), false, Some(Wrong)),
        ("tls/version-1.2", hello(), false, Some(Strict)),
        ("tls/version-1.2", alert(PROTOCOL_VERSION), true, None),
        ("tls/unknown-extensions", hello(), false, None),
        ("tls/unknown-extensions", alert(DECODE_ERROR), true, Some(Wrong)),
        ("tls/hello-in-small-records", alert(DECODE_ERROR), true, Some(Wrong)),
        ("tls/compression", hello(), false, Some(Wrong)),
        ("tls/plain-http", page(), true, None),
        ("tls/plain-http", alert(DECODE_ERROR), true, None),
        ("tls/plain-http", Vec::new(), true, None),
        ("tls/plain-http", Vec::new(), false, Some(Wrong)),
        ("tls/fatal-alert", Vec::new(), true, None),
        ("tls/fatal-alert", Vec::new(), false, Some(Wrong)),
        ("tls/version-1.3", alert(HANDSHAKE_FAILURE), true, Some(Wrong)),
        ("https/host-name", alert(HANDSHAKE_FAILURE), true, Some(Wrong)),
    ];
    at_once(cases, |(name, bytes, closes, expected)| {
        let sent = bytes.clone();
        let address = listen(move |mut stream| {
            stream.read_exact(&mut [0; 5])?;
            stream.write_all(&sent)?;
            if closes {
                stream.shutdown(std::net::Shutdown::Write)?;
            }
            stream.read_to_end(&mut Vec::new()).map(|_| ())
        });
        let (severity, failure) = severity(name, address, expected);
        assert_eq!(severity, expected, "{name}, {}: {failure}", bytes.escape_ascii());
    });
}

#[test]
fn a_hello_is_taken_apart_and_put_together() {
    let hello = Hello::tls_1_3().unwrap();
    let message = hello.message();
    assert_eq!(message[0], 1);
    assert_eq!(number(&message[1..4]), message.len() - 4);
    assert_eq!((hello.version, hello.suites.as_slice()), ([3, 3], &[0x13, 0x01][..]));
    let old = Hello::before_1_3(0).message();
    assert_eq!(number(&old[1..4]), old.len() - 4);
}

#[test]
fn there_are_cases_of_each_kind() {
    let cases = Protocol::Https.cases();
    let count = |subject| cases.iter().filter(|case| case.subject() == subject).count();
    assert!(count("tls") >= 20 && count("https") >= 20, "{} and {}", count("tls"), count("https"));
}
