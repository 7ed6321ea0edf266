//! `visit` over TLS, against servers with `rustls`.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use visit_output::{Errors, Report, Tls};

use super::controlled::{Controlled, count, wait_for};
use super::server::{Client, ScriptedServer, chunked, right, with_field};
use super::{Ran, finish, start};

const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/load/certificates/right.pem");
const OTHER_CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/load/certificates/other.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/load/certificates/right.key.pem");

/// The configuration of a server with these application protocols.
pub(super) fn config(alpn: &[&str]) -> Arc<ServerConfig> {
    with_provider(default_provider(), alpn)
}

fn with_provider(provider: CryptoProvider, alpn: &[&str]) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn server(script: impl Fn(&mut Client) + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::with(Some(config(&["h2", "http/1.1"])), script)
}

fn visit(arguments: &str, script: impl Fn(&mut Client) + Send + Sync + 'static) -> Ran {
    finish(start(&server(script), &format!("--insecure {arguments}")))
}

/// The parameters that a handshake agrees on with a server that supports all of them.
fn agreed(full: u64, resumed: u64) -> Tls {
    let (version, suite, group) = ("TLSv1.3".into(), "TLS_AES_128_GCM_SHA256".into(), "X25519".into());
    Tls { version, suite, group, alpn: Some("http/1.1".into()), full, resumed }
}

/// Answers until a request asks to close the connection.
fn answer_all(client: &mut Client) {
    while let Some((path, number)) = client.request() {
        let is_last = client.head.contains("\r\nConnection: close\r\n");
        let answer = if number % 2 == 0 { right(&path) } else { chunked(&path) };
        client.send(&if is_last { with_field(&path, "Connection: close\r\n") } else { answer });
        if is_last {
            return;
        }
    }
}

#[test]
fn all_modes_work_over_tls() {
    let cases = [
        ("--mode keep-alive --threads 2", Some(4)),
        ("--mode pipelined-3", Some(4)),
        ("--rate 2000", Some(4)),
        ("--rate 2000 --arrivals poisson", Some(4)),
        ("--series 0.05", Some(4)),
        ("--warm-up 0.05", Some(4)),
        ("--start-at 1", Some(4)),
        ("--mix name=a,share=0.1,path=/x,status=200", Some(4)),
        ("--mode close", None),
        ("--mode close --rate 2000", Some(50)),
        ("--mode close-after-5", None),
        ("--mode close-after-5 --rate 2000", None),
    ];
    for (mode, connections) in cases {
        let arguments = format!("{mode} --connections 4 --requests 50 --path /d");
        let Ran { report, complaint, code } = visit(&arguments, answer_all);
        assert_eq!((report.sent, report.answered, code), (50, 50, 0), "{mode}: {complaint}");
        assert_eq!((report.errors, report.mismatch), (Errors::default(), None), "{mode}");
        let opened = report.connect.unwrap().count;
        assert!(connections.is_none_or(|connections| connections == opened), "{mode}: {opened}");
        assert_eq!(report.load.protocol, "https");
        // When a closed loop ends, a connection may be open without a request for it.
        let handshakes = report.handshake.unwrap().count;
        assert!(handshakes == opened || handshakes < opened && connections.is_none(), "{mode}: {handshakes}");
        assert_eq!((report.tls, report.handshake_failure), (Some(agreed(handshakes, 0)), None), "{mode}");
        assert!(report.bytes_read > 50 * 100 && report.bytes_written > 50 * 20, "{mode}");
        assert!(complaint.contains("TLSv1.3 TLS_AES_128_GCM_SHA256 X25519"), "{complaint}");
    }
}

#[test]
fn slices_and_shares_work_over_tls() {
    let server = server(answer_all);
    let start = |share| Controlled::start(&server, &format!("--insecure --connections 4 --share {share}"));
    let mut shares = ["1/2", "2/2"].map(start);
    let mut sent = 0;
    for command in ["warm 0.02", "run 0.02", "run 0.02"] {
        let slices = shares.each_mut().map(|visit| visit.slice(command));
        for slice in &slices {
            assert_eq!((slice.errors, &slice.mismatch), (Errors::default(), &None), "{command}");
            assert_eq!((slice.connections_open, slice.answered), (Some(2), slice.sent), "{command}");
        }
        sent += if command == "warm 0.02" { 0 } else { slices.iter().map(|slice| slice.sent).sum() };
    }
    let reports = shares.map(|visit| visit.finish().report);
    let all = Report::merge(&reports, 0.04).unwrap();
    assert_eq!((all.sent, all.tls, all.handshake.unwrap().count), (sent, Some(agreed(4, 0)), 4));
}

#[test]
fn sessions_are_resumed_only_where_that_is_asked_for() {
    for (arguments, full, resumed) in [("", 20, 0), ("--resume", 1, 19)] {
        let ran = visit(&format!("--mode close --connections 1 --requests 20 {arguments}"), answer_all);
        assert_eq!((ran.report.answered, ran.report.errors), (20, Errors::default()), "{arguments}");
        assert_eq!(ran.report.tls, Some(agreed(full, resumed)), "{arguments}");
    }
}

#[test]
fn the_certificate_of_the_server_can_be_required() {
    let server = server(answer_all);
    let ran = finish(start(&server, &format!("--requests 10 --certificate {CERTIFICATE}")));
    assert_eq!((ran.report.answered, ran.code), (10, 0), "{}", ran.complaint);
    let arguments = format!("--requests 5 --connections 2 --certificate {OTHER_CERTIFICATE}");
    let ran = finish(start(&server, &arguments));
    let expected = "the server has another certificate than the one of --certificate";
    assert_eq!(ran.report.handshake_failure.as_deref(), Some(expected));
    assert_eq!(ran.report.errors, Errors { handshake: 5, ..Errors::default() });
    assert_eq!((ran.report.sent, ran.report.tls, ran.code), (0, None, 1));
    assert!(ran.complaint.ends_with(&format!("the first handshake that failed: {expected}\n")));
}

#[test]
fn the_client_decides_what_is_agreed_on() {
    let only = |suite| {
        let provider = CryptoProvider { cipher_suites: vec![suite], ..default_provider() };
        with_provider(provider, &["http/1.1"])
    };
    let both = config(&["http/1.1"]);
    let aes_128 = only(cipher_suite::TLS13_AES_128_GCM_SHA256);
    let aes_256 = only(cipher_suite::TLS13_AES_256_GCM_SHA384);
    let suite = |tls: &Tls| (tls.suite.clone(), tls.alpn.clone());
    let agreed = |suite: &str, alpn: Option<&str>| Some((suite.to_owned(), alpn.map(str::to_owned)));
    let (short, long) = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384");
    let http1 = Some("http/1.1");
    let cases = [
        ("both suites", &both, "", agreed(short, http1), ""),
        ("both suites, the other", &both, "--cipher aes-256", agreed(long, http1), ""),
        ("no ALPN", &config(&[]), "", agreed(short, None), ""),
        ("another ALPN", &config(&["h2"]), "", None, "alert NoApplicationProtocol"),
        ("another suite", &aes_256, "", None, "alert HandshakeFailure"),
        ("the suite asked for", &aes_256, "--cipher aes-256", agreed(long, http1), ""),
        ("no ALPN, and HTTP/2", &config(&[]), "--http2", None, "did not agree on the protocol h2 (ALPN)"),
        ("no HTTP/2", &both, "--http2", None, "alert NoApplicationProtocol"),
        ("not the suite asked for", &aes_128, "--cipher aes-256", None, "alert HandshakeFailure"),
    ];
    for (name, config, arguments, expected, failure) in cases {
        let server = ScriptedServer::with(Some(Arc::clone(config)), answer_all);
        let ran = finish(start(&server, &format!("--insecure --connections 1 --requests 5 {arguments}")));
        let report = ran.report;
        assert_eq!(report.tls.as_ref().map(suite), expected, "{name}");
        let failed = report.handshake_failure.unwrap_or_default();
        assert!(failed.contains(failure) && failed.is_empty() == failure.is_empty(), "{name}: {failed}");
        let handshake = if failed.is_empty() { 0 } else { 5 };
        assert_eq!(report.errors, Errors { handshake, ..Errors::default() }, "{name}");
        assert_eq!(report.answered, 5 - handshake, "{name}");
    }
}

#[test]
fn a_server_without_tls_is_named() {
    type Serve = fn(&mut Client);
    let cases: [(&str, &str, Serve, &str); 4] = [
        (
            "an answer in the clear",
            "",
            |client| {
                let _ = client.stream.read(&mut [0; 4096]);
                client.send("HTTP/1.1 400 No\r\n\r\n");
            },
            "does not speak TLS",
        ),
        ("an alert", "", |client| client.send("\x15\x03\x03\0\x02\x02\x46"), "alert ProtocolVersion"),
        ("an end", "", |client| drop(client.stream.peek(&mut [0])), "the server closed the connection"),
        (
            "silence",
            "--timeout 0.2",
            |client| while client.request().is_some() {},
            "it was not over within the timeout",
        ),
    ];
    for (name, arguments, script, expected) in cases {
        for loops in ["", "--mode close", "--mode close --rate 100"] {
            let mut server = ScriptedServer::start(script);
            server.scheme = "https";
            let arguments = format!("--insecure --connections 1 --requests 2 {arguments} {loops}");
            let Ran { report, complaint, code } = finish(start(&server, &arguments));
            assert_eq!((report.sent, report.tls, code), (0, None, 1), "{name} {loops}");
            // In an open loop the second request may wait for the connection until it is overdue.
            let (handshake, unsent) = (report.errors.handshake, report.errors.unsent);
            assert_eq!(report.errors, Errors { handshake, unsent, ..Errors::default() }, "{name} {loops}");
            let is_waiting = name == "silence" && loops.contains("rate");
            assert!(handshake + unsent == 2 && (unsent == 0 || is_waiting), "{name} {loops}: {unsent}");
            let failure = report.handshake_failure.unwrap();
            assert!(failure.contains(expected), "{name} {loops}: {failure}");
            assert!(complaint.contains(&failure), "{name} {loops}: {complaint}");
        }
    }
}

#[test]
fn an_end_without_notice_cuts_an_answer_off() {
    let unsized_answer = "HTTP/1.1 500 Oops\r\n\r\nsorry";
    let ran = visit("--connections 1 --requests 3", |client| client.answer_one(|_| unsized_answer.into()));
    assert_eq!((ran.report.statuses, ran.report.errors), ([(500, 3)].into(), Errors::default()));
    let cut: fn(&mut Client, String) = |client, answer| {
        client.answer_one(|_| answer.clone());
        client.cut_off();
    };
    for answer in [unsized_answer.to_owned(), right("/abc").replace("/abc\n", "")] {
        let ran = visit("--connections 1 --requests 3", move |client| cut(client, answer.clone()));
        assert_eq!(ran.report.errors, Errors { closed: 3, ..Errors::default() });
        assert_eq!((ran.report.statuses, ran.report.mismatch), ([].into(), None));
    }
    // A whole answer counts, however its connection ends.
    let ran = visit("--connections 1 --requests 3 --mode close", |client| {
        client.answer_one(|path| with_field(path, "Connection: close\r\n"));
        client.cut_off();
    });
    assert_eq!((ran.report.answered, ran.report.errors), (3, Errors::default()));
}

#[test]
fn a_connection_is_ended_with_notice() {
    for (mode, connections) in [("keep-alive", 2), ("close", 20), ("close-after-10", 2)] {
        let ended = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&ended);
        let server = server(move |client| {
            answer_all(client);
            client.end();
            while client.request().is_some() {}
            counted.fetch_add(u64::from(client.has_ended), Ordering::SeqCst);
        });
        let arguments = format!("--insecure --connections 2 --requests 20 --mode {mode}");
        let ran = finish(start(&server, &arguments));
        assert_eq!((ran.report.answered, ran.code), (20, 0), "{mode}: {}", ran.complaint);
        wait_for("all are ended", || count(&ended) >= connections);
    }
}

#[test]
fn records_may_arrive_byte_by_byte() {
    let ran = visit("--connections 1 --requests 4 --path /b", |client| {
        while let Some((path, _)) = client.request() {
            for byte in client.sealed(&right(&path)) {
                if client.stream.write_all(&[byte]).is_err() {
                    return;
                }
                sleep(Duration::from_micros(100));
            }
        }
    });
    assert_eq!((ran.report.answered, ran.report.errors, ran.code), (4, Errors::default(), 0));
}

#[test]
fn what_is_no_record_makes_the_run_invalid() {
    type Damage = fn(&mut [u8]);
    let cases: [(&str, Damage); 3] = [
        ("a byte", |sealed| sealed[20] ^= 1),
        ("a type", |sealed| sealed[0] = 0x50),
        ("a length", |sealed| sealed[3] = 0xff),
    ];
    for (name, damage) in cases {
        let ran = visit("--connections 1 --requests 5 --quiet", move |client| {
            while let Some((path, number)) = client.request() {
                let mut sealed = client.sealed(&right(&path));
                if number == 3 {
                    damage(&mut sealed);
                }
                let _ = client.stream.write_all(&sealed);
            }
        });
        let mismatch = ran.report.mismatch.unwrap();
        assert!(mismatch.starts_with("GET /abc: the TLS is wrong: "), "{name}: {mismatch}");
        assert_eq!((ran.report.answered, ran.code), (4, 1), "{name}");
        assert_eq!(ran.report.errors, Errors { wrong: 1, ..Errors::default() }, "{name}");
    }
}

#[test]
fn a_batch_may_be_more_than_a_socket_and_tls_take() {
    let path = format!("/{}", "a".repeat(8000));
    let arguments = format!("--connections 1 --mode pipelined-1000 --requests 2000 --path {path}");
    let ran = visit(&arguments, |client| {
        sleep(Duration::from_millis(100));
        client.answer_all(right);
    });
    assert_eq!((ran.report.answered, ran.report.mismatch, ran.code), (2000, None, 0));
    assert!(ran.report.bytes_written > 8_000_000);
}
