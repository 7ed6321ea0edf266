//! `visit` over HTTP/2, with TLS and without, against servers that are scripted by frames.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use visit_output::{Errors, Http2, Report};

use super::controlled::{Controlled, count, wait_for};
use super::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, Peer, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, field, frame, goaway, header, refusal, right, rst_stream, settings,
};
use super::server::{Client, ScriptedServer, greeting};
use super::{Ran, finish, start, tls};

/// A server without TLS.
fn plain(script: impl Fn(&mut Client) + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(script)
}

/// A server of HTTP/2 over TLS.
fn secure(script: impl Fn(&mut Client) + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::with(Some(tls::config(&["h2", "http/1.1"])), script)
}

fn run(server: &ScriptedServer, arguments: &str) -> Ran {
    let insecure = if server.scheme == "https" { "--insecure" } else { "" };
    finish(start(server, &format!("--http2 {insecure} {arguments}")))
}

fn visit(arguments: &str, script: impl Fn(&mut Client) + Send + Sync + 'static) -> Ran {
    run(&plain(script), arguments)
}

/// Answers all requests, on up to 100 streams at once.
fn answer_all(client: &mut Client) {
    if let Some(mut peer) = Peer::new(client, 100) {
        peer.answer_all(right);
    }
}

#[test]
fn all_modes_work_over_http2() {
    let cases = [
        ("--mode keep-alive --threads 2", Some(4)),
        ("--streams 5", Some(4)),
        ("--streams 200 --threads 2", Some(4)),
        ("--rate 2000", Some(4)),
        ("--rate 2000 --streams 5 --arrivals poisson", Some(4)),
        ("--series 0.05 --streams 2", Some(4)),
        ("--warm-up 0.05 --streams 2", Some(4)),
        ("--start-at 1 --streams 2", Some(4)),
        ("--mode close", None),
        ("--mode close --rate 2000", Some(50)),
        ("--mode close-after-5", None),
        ("--mode close-after-5 --streams 3", None),
        ("--mode close-after-5 --streams 3 --rate 2000", None),
    ];
    for (mode, connections) in cases {
        for server in [plain(answer_all), secure(answer_all)] {
            let Ran { report, complaint, code } =
                run(&server, &format!("{mode} --connections 4 --requests 50 --path /d"));
            let is_tls = server.scheme == "https";
            let name = format!("{mode} {}", server.scheme);
            assert_eq!((report.sent, report.answered, code), (50, 50, 0), "{name}: {complaint}");
            assert_eq!((report.errors, report.mismatch), (Errors::default(), None), "{name}");
            let opened = report.connect.unwrap().count;
            assert!(connections.is_none_or(|connections| connections == opened), "{name}: {opened}");
            assert_eq!(report.load.protocol, if is_tls { "h2" } else { "h2c" });
            assert_eq!(report.load.streams == 200, mode.contains("--streams 200"), "{name}");
            assert_eq!(report.http2, Some(Http2::default()), "{name}");
            let alpn = report.tls.map(|tls| tls.alpn);
            assert_eq!(alpn, is_tls.then(|| Some("h2".to_owned())), "{name}");
            assert_eq!(report.handshake.is_some(), is_tls, "{name}");
            let is_kept = !mode.contains("close");
            assert_eq!(report.connections_open, is_kept.then_some(4), "{name}");
            assert!(report.bytes_read > 50 * 60 && report.bytes_written > 50 * 20, "{name}");
            assert!(
                !mode.contains("warm") && count(&server.requests) == 50 || mode.contains("warm"),
                "{name}"
            );
        }
    }
}

#[test]
fn slices_and_shares_work_over_http2() {
    for server in [plain(answer_all), secure(answer_all)] {
        let insecure = if server.scheme == "https" { "--insecure" } else { "" };
        let start = |share| {
            let arguments = format!("--http2 --streams 3 {insecure} --connections 4 --share {share}");
            Controlled::start(&server, &arguments)
        };
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
        assert_eq!((all.sent, all.http2), (sent, Some(Http2::default())));
    }
}

#[test]
fn a_right_answer_may_have_many_forms() {
    type Form = fn(u32, &str) -> Vec<u8>;
    let forms: [(&str, Form); 13] = [
        ("as usual", right),
        ("the end is an empty frame", |stream, path| {
            let body = greeting(path);
            let header = frame(HEADERS, END_HEADERS, stream, &header(body.len()));
            [header, frame(DATA, 0, stream, body.as_bytes()), frame(DATA, END_STREAM, stream, b"")].concat()
        }),
        ("a frame per byte", |stream, path| {
            let body = greeting(path);
            let mut out = frame(HEADERS, END_HEADERS, stream, &header(body.len()));
            body.bytes().for_each(|byte| out.extend(frame(DATA, 0, stream, &[byte])));
            [out, frame(DATA, END_STREAM, stream, b"")].concat()
        }),
        ("padding", |stream, path| {
            let (body, padded) = (greeting(path), 8);
            let header = [&[2], header(body.len()).as_slice(), b"\0\0"].concat();
            let data = [&[3], body.as_bytes(), b"\0\0\0"].concat();
            [
                frame(HEADERS, END_HEADERS | padded, stream, &header),
                frame(DATA, END_STREAM | padded, stream, &data),
            ]
            .concat()
        }),
        ("a priority", |stream, path| {
            let body = greeting(path);
            let header = [b"\0\0\0\0\x10", header(body.len()).as_slice()].concat();
            let header = frame(HEADERS, END_HEADERS | 0x20, stream, &header);
            [header, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
        }),
        ("a header in parts", |stream, path| {
            let body = greeting(path);
            let header = header(body.len());
            let (first, rest) = header.split_at(5);
            let (second, third) = rest.split_at(1);
            let mut out = frame(HEADERS, 0, stream, first);
            out.extend(frame(CONTINUATION, 0, stream, second));
            out.extend(frame(CONTINUATION, END_HEADERS, stream, third));
            [out, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
        }),
        ("an interim answer", |stream, path| {
            // 103, as a literal.
            let interim = [&[0x08, 3], b"103".as_slice(), &field(45, "</a.css>")].concat();
            [frame(HEADERS, END_HEADERS, stream, &interim), right(stream, path)].concat()
        }),
        ("a trailer", |stream, path| {
            let body = greeting(path);
            let header = frame(HEADERS, END_HEADERS, stream, &header(body.len()));
            let trailer = frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\0\x01a\x01b");
            [header, frame(DATA, 0, stream, body.as_bytes()), trailer].concat()
        }),
        ("without a length", |stream, path| {
            let date = field(33, "Sun, 06 Nov 1994 08:49:37 GMT");
            let block = [vec![0x88], field(31, "text/plain"), date].concat();
            let header = frame(HEADERS, END_HEADERS, stream, &block);
            [header, frame(DATA, END_STREAM, stream, greeting(path).as_bytes())].concat()
        }),
        ("frames that mean nothing", |stream, path| {
            let mut out = frame(2, 0, stream, b"\0\0\0\0\x10");
            out.extend(frame(0xfa, 0xff, stream, b"what?"));
            out.extend(frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()));
            out.extend(frame(WINDOW_UPDATE, 0, stream, &1_u32.to_be_bytes()));
            out.extend(frame(PING, ACK, 0, b"12345678"));
            [out, right(stream, path)].concat()
        }),
        ("a ping and settings", |stream, path| {
            let mut out = frame(PING, 0, 0, b"12345678");
            out.extend(settings(50));
            [out, right(stream, path)].concat()
        }),
        ("a reset behind the end", |stream, path| [right(stream, path), rst_stream(stream, 0)].concat()),
        ("another status", |stream, _| refusal(stream)),
    ];
    for (name, form) in forms {
        for is_split in [false, true] {
            let ran = visit("--streams 2 --connections 1 --requests 6 --path /b", move |client| {
                let Some(mut peer) = Peer::new(client, 100) else { return };
                while let Some((stream, path, _)) = peer.request() {
                    let answer = form(stream, &path);
                    if is_split {
                        answer.chunks(1).for_each(|byte| peer.send(byte));
                    } else {
                        peer.send(&answer);
                    }
                }
            });
            let Report { statuses, errors, mismatch, http2, .. } = ran.report;
            let status = if name == "another status" { 500 } else { 200 };
            assert_eq!(
                (statuses, errors, mismatch),
                ([(status, 6)].into(), Errors::default(), None),
                "{name}"
            );
            let resets = http2.unwrap().rst_stream;
            // The last reset may come when all is over.
            let all = if name == "a reset behind the end" { 5..=6 } else { 0..=0 };
            assert!(all.contains(&resets), "{name}: {resets}");
        }
    }
}

#[test]
fn what_the_server_asks_for_is_answered() {
    let seen = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&seen);
    let ran = visit("--connections 1 --requests 4", move |client| {
        let Some(mut peer) = Peer::new(client, 100) else { return };
        while let Some((stream, path, number)) = peer.request() {
            if number == 2 {
                peer.send(&frame(PING, 0, 0, b"12345678"));
                peer.send(&settings(7));
                // The client acknowledges the first settings and these, and answers the ping.
                while peer.others.len() < 3 {
                    let frame = peer.frame().unwrap();
                    peer.others.push_back(frame);
                }
            }
            peer.send(&right(stream, &path));
        }
        for other in peer.others {
            assert_eq!((other.stream, other.flags), (0, ACK));
            match other.kind {
                PING => assert_eq!(other.payload, b"12345678"),
                kind => assert_eq!((kind, other.payload.len()), (SETTINGS, 0)),
            }
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!((ran.report.answered, ran.report.mismatch), (4, None));
    wait_for("all are seen", || count(&seen) == 3);
}

#[test]
fn streams_wait_for_the_settings_and_keep_to_them() {
    for (allowed, asked, most) in [(1, 5, 1), (3, 5, 3), (100, 5, 5), (u32::MAX, 2, 2)] {
        let ran = visit(&format!("--connections 1 --requests 20 --streams {asked}"), move |client| {
            client.stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let Some(mut peer) = Peer::silent(client) else { return };
            assert_eq!(peer.frame(), None, "a stream is opened before the settings");
            peer.send(&settings(allowed));
            loop {
                // The client opens no more streams before one is answered.
                let open: Vec<(u32, String, u64)> = std::iter::from_fn(|| peer.request()).collect();
                assert!(open.len() <= most, "{} of {most}", open.len());
                if open.is_empty() {
                    return;
                }
                let answers: Vec<Vec<u8>> =
                    open.iter().map(|(stream, path, _)| right(*stream, path)).collect();
                peer.send(&answers.concat());
            }
        });
        assert_eq!((ran.report.answered, ran.report.errors), (20, Errors::default()), "{allowed}");
    }
}

#[test]
fn goaway_is_an_orderly_close() {
    // Each connection processes `processed` requests, and up to `streams` - 1 more are sent on it.
    for (processed, streams) in [(1, 1), (3, 3), (10, 4)] {
        for arguments in ["", "--rate 2000"] {
            let answered = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&answered);
            let arguments = format!("{arguments} --connections 2 --requests 60 --streams {streams}");
            let ran = visit(&arguments, move |client| {
                let Some(mut peer) = Peer::new(client, 100) else { return };
                for number in 1..=processed {
                    let Some((stream, path, _)) = peer.request() else { return };
                    counted.fetch_add(1, Ordering::SeqCst);
                    if number == processed {
                        peer.send(&goaway(stream, 0));
                    }
                    peer.send(&right(stream, &path));
                }
                while peer.request().is_some() {}
            });
            let Report { sent, answered: whole, errors, mismatch, connect, http2, .. } = ran.report;
            let name = format!("{processed} {arguments}");
            assert_eq!((sent, whole, errors, mismatch), (60, 60, Errors::default(), None), "{name}");
            assert_eq!(count(&answered), 60, "{name}: each is answered once");
            let Http2 { goaway, rst_stream, refused_stream, asked_again } = http2.unwrap();
            assert_eq!((rst_stream, refused_stream), (0, 0), "{name}");
            let connections = connect.unwrap().count;
            assert!((connections - 2..=connections).contains(&goaway), "{name}: {goaway} of {connections}");
            assert!(asked_again <= goaway * (streams - 1), "{name}: {asked_again}");
        }
    }
}

#[test]
fn what_a_server_that_ends_for_an_error_did_not_process_fails() {
    let ran = visit("--connections 1 --requests 6 --streams 3", |client| {
        let Some(mut peer) = Peer::new(client, 100) else { return };
        let Some((stream, path, _)) = peer.request() else { return };
        peer.request();
        peer.request();
        peer.send(&[right(stream, &path), goaway(stream, 11)].concat());
    });
    assert_eq!((ran.report.sent, ran.report.answered), (6, 2));
    assert_eq!(ran.report.errors, Errors { reset: 4, ..Errors::default() });
    assert_eq!(ran.report.http2, Some(Http2 { goaway: 2, ..Http2::default() }));
}

#[test]
fn resets_are_counted_exactly() {
    let refused = 7;
    for (code, refused_stream) in [(1, 0), (refused, 4)] {
        for streams in [1, 3] {
            let arguments = format!("--connections 1 --requests 12 --streams {streams}");
            let ran = visit(&arguments, move |client| {
                let Some(mut peer) = Peer::new(client, 100) else { return };
                while let Some((stream, path, number)) = peer.request() {
                    let reset = number % 3 == 0;
                    peer.send(&if reset { rst_stream(stream, code) } else { right(stream, &path) });
                }
            });
            let Report { answered, errors, mismatch, http2, connect, .. } = ran.report;
            assert_eq!((answered, mismatch, connect.unwrap().count), (8, None, 1), "{code} {streams}");
            assert_eq!(errors, Errors { reset: 4, ..Errors::default() }, "{code} {streams}");
            let expected = Http2 { rst_stream: 4, refused_stream, ..Http2::default() };
            assert_eq!(http2, Some(expected), "{code} {streams}");
        }
    }
}

#[test]
fn an_end_without_goaway_fails_what_is_open() {
    // Each connection has three requests. One of these is answered, and another one is sent.
    let ran = visit("--connections 1 --requests 8 --streams 3", |client| {
        let Some(mut peer) = Peer::new(client, 100) else { return };
        let Some((stream, path, _)) = peer.request() else { return };
        peer.request();
        peer.request();
        peer.send(&right(stream, &path));
        peer.client.stream.shutdown(Shutdown::Write).unwrap();
        while peer.request().is_some() {}
    });
    assert_eq!((ran.report.sent, ran.report.answered), (8, 2));
    assert_eq!(ran.report.errors, Errors { closed: 6, ..Errors::default() });
}

#[test]
fn an_overdue_stream_is_cancelled_alone() {
    let cancelled = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&cancelled);
    let ran = visit("--connections 1 --rate 100 --seconds 1 --streams 4 --timeout 0.3", move |client| {
        let Some(mut peer) = Peer::new(client, 100) else { return };
        let mut late = None;
        while let Some((stream, path, number)) = peer.request() {
            if number == 2 {
                late = Some((stream, path));
                continue;
            }
            peer.send(&right(stream, &path));
            if let Some(reset) = peer.others.iter().find(|frame| frame.kind == RST_STREAM)
                && let Some((stream, path)) = late.take()
            {
                assert_eq!((reset.stream, reset.payload.as_slice()), (stream, b"\0\0\0\x08".as_slice()));
                counted.fetch_add(1, Ordering::SeqCst);
                // The answer was on its way.
                peer.send(&right(stream, &path));
            }
        }
    });
    let Report { sent, answered, errors, mismatch, connect, .. } = ran.report;
    assert_eq!((sent, answered, mismatch, connect.unwrap().count), (100, 99, None, 1));
    assert_eq!(errors, Errors { timeout: 1, ..Errors::default() });
    assert_eq!(count(&cancelled), 1);
}

/// The server keeps to the windows of the client, and its body is larger than the first window.
#[test]
fn windows_never_stall() {
    let body = "x".repeat(100_000);
    let arguments = format!("--connections 1 --requests 30 --expect {body}");
    let ran = visit(&arguments, move |client| {
        let Some(mut peer) = Peer::new(client, 100) else { return };
        while let Some((stream, _, _)) = peer.request() {
            peer.send(&frame(HEADERS, END_HEADERS, stream, &header(body.len())));
            let (mut left, mut window) = (body.as_bytes(), 65_535);
            while !left.is_empty() {
                if window == 0 {
                    let Some(update) = peer.frame() else { return };
                    if (update.kind, update.stream) == (WINDOW_UPDATE, stream) {
                        let more: [u8; 4] = update.payload.try_into().unwrap();
                        window += usize::try_from(u32::from_be_bytes(more)).unwrap();
                    }
                    assert_ne!(update.kind, HEADERS, "one at a time");
                    continue;
                }
                let (part, rest) = left.split_at(left.len().min(window).min(16_384));
                let flags = if rest.is_empty() { END_STREAM } else { 0 };
                peer.send(&frame(DATA, flags, stream, part));
                (left, window) = (rest, window - part.len());
            }
        }
    });
    assert_eq!((ran.report.answered, ran.report.errors), (30, Errors::default()));
}

#[test]
fn what_is_wrong_makes_the_run_invalid() {
    type Answer = fn(u32, &str) -> Vec<u8>;
    let cases: [(&str, Answer, &str); 12] = [
        (
            "a wrong byte",
            |stream, path| right(stream, &path.replace('b', "B")),
            "the body differs at byte 36",
        ),
        (
            "a short body",
            |stream, _| {
                let header = frame(HEADERS, END_HEADERS, stream, &header(5));
                [header, frame(DATA, END_STREAM, stream, b"Hello")].concat()
            },
            "the body has 5 bytes, not 39",
        ),
        (
            "a long body",
            |stream, path| {
                let body = greeting(path) + "!";
                let header = frame(HEADERS, END_HEADERS, stream, &header(body.len()));
                [header, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
            },
            "the body has more than 39 bytes",
        ),
        (
            "another length",
            |stream, path| {
                let header = frame(HEADERS, END_HEADERS, stream, &header(40));
                [header, frame(DATA, END_STREAM, stream, greeting(path).as_bytes())].concat()
            },
            "the body has 39 bytes, and its Content-Length is 40",
        ),
        (
            "another status",
            |stream, _| frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x89"),
            "the status is 204, not 200",
        ),
        ("a body first", |stream, _| frame(DATA, 0, stream, b"H"), "a body comes before its header"),
        ("two answers", |stream, path| right(stream, path).repeat(2), "frames behind the end of an answer"),
        ("another stream", |stream, path| right(stream + 2, path), "on stream 3, which was never opened"),
        ("a push", |stream, _| frame(5, END_HEADERS, stream, b"\0\0\0\x02"), "the server pushes"),
        ("a long frame", |stream, _| frame(DATA, 0, stream, &[0; 16_385]), "16385 bytes, more than 16384"),
        (
            "no end of a header",
            |stream, _| {
                let mut out = frame(HEADERS, 0, stream, &[0x88]);
                (0..5).for_each(|_| out.extend(frame(CONTINUATION, 0, stream, &[0; 16_000])));
                out
            },
            "a header has more than 65536 bytes",
        ),
        ("no block", |stream, _| frame(HEADERS, END_HEADERS, stream, b"\x88\0\x05a"), "ends within a string"),
    ];
    for (name, answer, expected) in cases {
        let goodbyes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&goodbyes);
        let server = plain(move |client| {
            let Some(mut peer) = Peer::new(client, 100) else { return };
            if let Some((stream, _, _)) = peer.request() {
                peer.send(&answer(stream, "/abc"));
            }
            while peer.request().is_some() {}
            let has_goodbye = peer.others.iter().any(|frame| frame.kind == GOAWAY && frame.payload[7] > 0);
            counted.fetch_add(u64::from(has_goodbye), Ordering::SeqCst);
        });
        let ran = run(&server, "--connections 1 --requests 1 --quiet");
        let mismatch = ran.report.mismatch.unwrap_or_default();
        assert!(mismatch.starts_with("GET /abc: ") && mismatch.contains(expected), "{name}: {mismatch}");
        // The first of two answers is right.
        let wrong = u64::from(name != "two answers");
        assert_eq!((ran.report.errors, ran.code), (Errors { wrong, ..Errors::default() }, 1), "{name}");
        wait_for("the server is told", || count(&goodbyes) == 1);
    }
}

#[test]
fn a_server_without_http2_is_named() {
    let cases: [(&str, &[u8]); 5] = [
        ("HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("garbage", b"\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("another frame first", b"\0\0\x08\x06\0\0\0\0\x0012345678"),
        ("an acknowledgement first", b"\0\0\0\x04\x01\0\0\0\0"),
        ("nothing", b""),
    ];
    for (name, bytes) in cases {
        for loops in ["", "--mode close", "--mode close --rate 100"] {
            let ran = visit(&format!("--connections 1 --requests 2 {loops} --timeout 0.5"), move |client| {
                Peer::silent(client);
                client.send_bytes(bytes);
                client.bytes(usize::MAX);
            });
            let Report { sent, errors, mismatch, handshake_failure, .. } = ran.report;
            assert_eq!((sent, mismatch, ran.code), (0, None, 1), "{name} {loops}");
            // In an open loop the second request may wait for the connection until it is overdue.
            let (handshake, unsent) = (errors.handshake, errors.unsent);
            assert_eq!(errors, Errors { handshake, unsent, ..Errors::default() }, "{name} {loops}");
            let is_waiting = bytes.is_empty() && loops.contains("rate");
            assert!(handshake + unsent == 2 && (unsent == 0 || is_waiting), "{name} {loops}: {errors:?}");
            let why = handshake_failure.unwrap();
            let expected = if bytes.is_empty() { "it was not over" } else { "does not speak HTTP/2: " };
            assert!(why.contains(expected) && ran.complaint.contains(&why), "{name} {loops}: {why}");
        }
    }
}

#[test]
fn a_server_that_takes_no_requests_is_not_flooded() {
    let no_streams: fn(&mut Client) = |client| {
        Peer::new(client, 0);
        client.bytes(usize::MAX);
    };
    let leaves: fn(&mut Client) = |client| {
        if let Some(mut peer) = Peer::silent(client) {
            peer.send(&[settings(100), goaway(0, 0)].concat());
        }
        client.bytes(usize::MAX);
    };
    let refuses: fn(&mut Client) = |client| {
        if let Some(mut peer) = Peer::new(client, 100)
            && peer.request().is_some()
        {
            peer.send(&goaway(0, 0));
            peer.request();
        }
    };
    let none = Errors::default();
    let cases = [
        ("no streams", no_streams, Errors { handshake: 2, ..none }, "it was not over within"),
        ("GOAWAY at once", leaves, Errors { handshake: 2, ..none }, "before the first request (GOAWAY)"),
        ("GOAWAY in place of answers", refuses, Errors { timeout: 2, ..none }, ""),
    ];
    for (name, script, expected, why) in cases {
        let ran = visit("--connections 1 --requests 2 --timeout 0.3", script);
        let Report { errors, answered, mismatch, handshake_failure, connect, .. } = ran.report;
        assert_eq!((errors, answered, mismatch), (expected, 0, None), "{name}");
        assert!(handshake_failure.unwrap_or_default().contains(why), "{name}");
        // There is one attempt per tick of 50 ms.
        assert!(connect.unwrap().count < 40, "{name}");
    }
}

#[test]
fn what_cannot_be_asked_over_http2_is_refused() {
    let server = plain(|_| {});
    for (arguments, expected) in [
        ("--http2 --mode pipelined-4", "--mode pipelined-4 cannot be used with --http2"),
        ("--http2 --mix name=a,share=0.1,status=405,method=DELETE", "--mix cannot be used with --http2"),
        ("--streams 2", "--http2"),
        ("--http2 --streams 0", "--streams"),
    ] {
        let output = start(&server, arguments).wait_with_output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments}");
        assert!(complaint.contains(expected), "{arguments}: {complaint}");
    }
}
