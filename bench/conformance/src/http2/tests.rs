//! Plays cases of HTTP/2 against scripted servers, and checks how each failure is judged.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::frame::{
    Frame, code, flag, frame, goaway, kind, last_data, ping, reset, setting, settings, settings_ack,
};
use super::hpack::{
    Decoder, HUFFMAN, field, form, indexed, integer, literal, named, size_update, split_integer, string,
};
use crate::case::{Case, Severity};
use crate::expected::Expected;
use crate::protocol::Protocol;
use crate::run::{CaseResult, Outcome, Watch, check, run};
use crate::select::select;
use crate::settings::{Settings, Timeouts};
use crate::socket::Transport;
use crate::target::Target;

/// The index of `:status: 200` and of `content-type` in the static table.
const OK: u8 = 8;
const CONTENT_TYPE: u8 = 31;

/// A description, the case, the frames of the server, whether it then closes, and the severity.
type Row = (&'static str, &'static str, Vec<Vec<u8>>, bool, Option<Severity>);

/// Starts a server that reads the preface, sends these bytes, and closes if `closes` is set.
fn start(bytes: Vec<u8>, closes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Fails when the client has closed, as it does once it has its result.
            let _ = serve(stream.unwrap(), &bytes, closes);
        }
    });
    address
}

fn serve(mut stream: TcpStream, bytes: &[u8], closes: bool) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 24])?;
    stream.write_all(bytes)?;
    if closes {
        stream.shutdown(std::net::Shutdown::Write)?;
    }
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Plays a case against a server that sends these bytes. The timeout is short where a failure is
/// expected, since the failure may be a silence.
fn play(name: &str, bytes: Vec<u8>, closes: bool, expected: Option<Severity>) -> Option<(Severity, String)> {
    let cases = Protocol::H2c.cases();
    let case = cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("{name}"));
    let response_timeout = Duration::from_secs(if expected.is_some() { 1 } else { 10 });
    let settings = Settings { response_timeout, ..Settings::default() };
    match check(start(bytes, closes), case, &settings) {
        Outcome::Passed => None,
        Outcome::Failed(failure) => Some((failure.severity, failure.to_string())),
        other => panic!("{other:?}"),
    }
}

fn preface() -> Vec<u8> {
    [settings(&[(setting::MAX_CONCURRENT_STREAMS, 100)]), settings_ack()].concat()
}

fn head(status: &str, more: &[u8]) -> Vec<u8> {
    let date = field("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let kind = named(form::PLAIN, CONTENT_TYPE, "text/plain; charset=utf-8");
    [named(form::PLAIN, OK, status), kind, date, more.to_vec()].concat()
}

fn answer_with(stream: u32, path: &str, more: &[u8]) -> Vec<u8> {
    let body = format!("Hello, visitor! You've requested: {path}\n");
    let head = frame(kind::HEADERS, flag::END_HEADERS, stream, &head("200", more));
    [head, last_data(stream, body.as_bytes())].concat()
}

fn answer(stream: u32, path: &str) -> Vec<u8> {
    answer_with(stream, path, b"")
}

fn probe() -> Vec<u8> {
    answer(super::script::PROBE, "/probe")
}

/// An answer without content.
fn bare(stream: u32, status: &str, more: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flag::WHOLE, stream, &head(status, more))
}

fn pong(data: u64) -> Vec<u8> {
    frame(kind::PING, flag::ACK, 0, &data.to_be_bytes())
}

/// Checks the severity of the failure that the bytes of each server cause.
#[test]
fn a_failure_is_as_severe_as_the_rules_are() {
    use Severity::{Strict, Wrong};

    let a = || answer(1, "/a");
    let refused = || bare(1, "400", b"");
    let rst = |code| reset(1, code);
    let end = |code| goaway(code, b"words");
    let get = "h2-settings/unknown";
    let error = "h2-ping/seven-bytes";
    let malformed = "h2-fields/upper-case";
    let head = "h2-endpoint/head";
    let hang = false;
    let close = true;
    let length = |length: &str| answer_with(1, "/a", &field("content-length", length));
    let split = |between: Vec<u8>| {
        let block = self::head("200", b"");
        let (first, second) = block.split_at(9);
        let body = b"Hello, visitor! You've requested: /a\n";
        [
            frame(kind::HEADERS, 0, 1, first),
            between,
            frame(kind::CONTINUATION, flag::END_HEADERS, 1, second),
            last_data(1, body),
        ]
        .concat()
    };
    let early = bare(1, "103", b"");
    let early = [&early[..4], &[flag::END_HEADERS], &early[5..]].concat();
    let http_1 = |status: &str| format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n").into_bytes();
    let cases: Vec<Row> = vec![
        // Requests that have to be answered.
        ("right", get, vec![a(), probe()], hang, None),
        ("in another order", get, vec![probe(), a()], hang, None),
        ("an interim answer", get, vec![early, a(), probe()], hang, None),
        ("padded", get, vec![padded(&a()), probe()], hang, None),
        ("in two frames", get, vec![split(vec![]), probe()], hang, None),
        ("in two frames with another between", get, vec![split(ping(1)), probe()], hang, Some(Wrong)),
        ("no answer", get, vec![probe()], hang, Some(Wrong)),
        ("no end", get, vec![a()[..a().len() - 46].to_vec(), probe()], hang, Some(Wrong)),
        ("another body", get, vec![answer(1, "/b"), probe()], hang, Some(Wrong)),
        ("another status", get, vec![refused(), probe()], hang, Some(Wrong)),
        ("an error", get, vec![end(code::PROTOCOL_ERROR)], close, Some(Wrong)),
        ("a reset", get, vec![rst(code::PROTOCOL_ERROR), probe()], hang, Some(Wrong)),
        ("silence", get, vec![a()], hang, Some(Wrong)),
        // A server may end the connection at any time.
        ("an orderly end", get, vec![a(), end(code::NO_ERROR)], close, Some(Strict)),
        ("a close", get, vec![a()], close, Some(Strict)),
        ("too much", get, vec![end(code::ENHANCE_YOUR_CALM)], close, Some(Strict)),
        ("a refused stream", get, vec![rst(code::REFUSED_STREAM), probe()], hang, Some(Strict)),
        ("an end after a wrong answer", get, vec![refused()], close, Some(Wrong)),
        // Answers that are malformed.
        ("its length", get, vec![length("37"), probe()], hang, None),
        ("another length", get, vec![length("36"), probe()], hang, Some(Wrong)),
        ("upper case", get, vec![answer_with(1, "/a", &field("X-Y", "1")), probe()], hang, Some(Wrong)),
        (
            "connection",
            get,
            vec![answer_with(1, "/a", &field("connection", "x")), probe()],
            hang,
            Some(Wrong),
        ),
        ("twice", get, vec![a(), a(), probe()], hang, Some(Wrong)),
        ("a broken block", get, vec![answer_with(1, "/a", &[0x80]), probe()], hang, Some(Wrong)),
        (
            "a push",
            get,
            vec![frame(kind::PUSH_PROMISE, 4, 1, &[0, 0, 0, 2]), a(), probe()],
            hang,
            Some(Wrong),
        ),
        ("a stream of its own", get, vec![answer(2, "/a"), a(), probe()], hang, Some(Wrong)),
        ("a frame that is too large", get, vec![last_data(1, &[0; 16_385]), probe()], hang, Some(Wrong)),
        // HEAD.
        ("head", head, vec![bare(1, "200", b""), probe()], hang, None),
        (
            "head with the length",
            head,
            vec![bare(1, "200", &field("content-length", "37")), probe()],
            hang,
            None,
        ),
        ("head with a body", head, vec![a(), probe()], hang, Some(Wrong)),
        // Errors of the connection.
        ("its error", error, vec![end(code::FRAME_SIZE_ERROR)], close, None),
        ("a general one", error, vec![end(code::PROTOCOL_ERROR)], close, None),
        ("an internal one", error, vec![end(code::INTERNAL_ERROR)], close, None),
        ("after an orderly one", error, vec![end(0), end(code::FRAME_SIZE_ERROR)], close, None),
        ("another error", error, vec![end(code::FLOW_CONTROL_ERROR)], close, Some(Strict)),
        ("without a word", error, vec![], close, Some(Strict)),
        ("not closed", error, vec![end(code::FRAME_SIZE_ERROR)], hang, Some(Strict)),
        ("served", error, vec![probe()], hang, Some(Wrong)),
        ("nothing", error, vec![], hang, Some(Wrong)),
        // Malformed requests.
        ("reset", malformed, vec![rst(code::PROTOCOL_ERROR), probe()], hang, None),
        ("400", malformed, vec![refused(), probe()], hang, None),
        ("400 and reset", malformed, vec![refused(), rst(code::PROTOCOL_ERROR), probe()], hang, None),
        ("reset for another reason", malformed, vec![rst(code::CANCEL), probe()], hang, Some(Strict)),
        ("taken for the connection's", malformed, vec![end(code::PROTOCOL_ERROR)], close, Some(Strict)),
        ("answered", malformed, vec![a(), probe()], hang, Some(Wrong)),
        ("ignored", malformed, vec![probe()], hang, Some(Wrong)),
        // Other cases.
        ("pong", "h2-ping/of-zeros", vec![pong(0), a(), probe()], hang, None),
        ("another pong", "h2-ping/of-zeros", vec![pong(1), a(), probe()], hang, Some(Wrong)),
        ("acknowledged", "h2-settings/acknowledged", vec![a(), probe()], hang, None),
        (
            "acknowledged twice",
            "h2-settings/acknowledged",
            vec![settings_ack(), a(), probe()],
            hang,
            Some(Wrong),
        ),
        (
            "pong to an ack",
            "h2-ping/ack-that-none-asked-for",
            vec![pong(7), pong(8), a(), probe()],
            hang,
            Some(Wrong),
        ),
        ("beyond the window", "h2-windows/none", vec![a(), pong(1), probe()], hang, Some(Wrong)),
        ("the same stream", "h2-streams/the-same-again", vec![a(), a(), probe()], hang, Some(Wrong)),
        ("the same stream, discarded", "h2-streams/the-same-again", vec![a(), probe()], hang, Some(Strict)),
    ];
    let checked = |(name, case, frames, closes, expected): Row| {
        let failure = play(case, [preface(), frames.concat()].concat(), closes, expected);
        assert_eq!(failure.as_ref().map(|failure| failure.0), expected, "{name}: {failure:?}");
    };
    // The cases are played in parallel, since each silence lasts until a timeout.
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| checked(case));
        }
    });
    // A server that does not speak HTTP/2.
    let cases = [
        ("h2-preface/garbage", http_1("400"), true, None),
        ("h2-preface/garbage", http_1("200"), true, Some(Wrong)),
        ("h2-preface/garbage", Vec::new(), true, None),
        ("h2-preface/garbage", Vec::new(), false, Some(Wrong)),
        ("h2-endpoint/head", http_1("200"), true, Some(Wrong)),
        ("h2-endpoint/head", [settings_ack(), settings(&[])].concat(), false, Some(Wrong)),
        ("h2-endpoint/head", settings(&[(setting::ENABLE_PUSH, 1)]), false, Some(Wrong)),
    ];
    let checked = |(case, bytes, closes, expected): (&str, Vec<u8>, bool, _)| {
        let failure = play(case, bytes.clone(), closes, expected);
        let severity = failure.as_ref().map(|failure| failure.0);
        assert_eq!(severity, expected, "{case}, {}: {failure:?}", bytes.escape_ascii());
    };
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| checked(case));
        }
    });
}

/// An answer whose frames are padded.
fn padded(answer: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (answer, Vec::new());
    while let Ok(Some(read)) = Frame::read(rest) {
        let payload = [&[3], read.payload, &[0; 3]].concat();
        out.extend(frame(read.kind, read.flags | flag::PADDED, read.stream, &payload));
        rest = &rest[read.len()..];
    }
    out
}

#[test]
fn a_failure_says_what_the_server_did() {
    let bytes = [preface(), goaway(3, b"no \"")].concat();
    let (_, failure) = play("h2-ping/empty", bytes, true, None).unwrap();
    let expected = "expected GOAWAY FRAME_SIZE_ERROR, got FLOW_CONTROL_ERROR; \
        got SETTINGS, SETTINGS with ACK, GOAWAY FLOW_CONTROL_ERROR \"no \\\"\" and the connection closed";
    assert_eq!(failure, expected);
}

/// A late server pauses in each round for longer than an acknowledgement is delayed.
#[test]
fn answers_that_wait_for_an_acknowledgement_are_found() {
    for (pause, is_late) in [(Duration::ZERO, false), (Duration::from_millis(60), true)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = answer_each(stream.unwrap(), pause);
            }
        });
        let cases = Protocol::H2c.cases();
        let case = cases.iter().find(|case| case.name == "h2-endpoint/no-delay").unwrap();
        let Outcome::Failed(failure) = check(address, case, &Settings::default()) else {
            assert!(!is_late, "a pause of {pause:?}");
            continue;
        };
        assert!(is_late && failure.reason.contains("acknowledgement"), "{failure}");
    }
}

/// Answers the requests of each read after a pause.
fn answer_each(mut stream: TcpStream, pause: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.read_exact(&mut [0; 24])?;
    stream.write_all(&preface())?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..read]);
        let mut answers = Vec::new();
        while let Ok(Some(frame)) = Frame::read(&bytes) {
            if frame.kind == kind::HEADERS {
                let path = if frame.stream == super::script::PROBE { "/probe" } else { "/a" };
                answers.extend(answer(frame.stream, path));
            }
            let length = frame.len();
            bytes.drain(..length);
        }
        std::thread::sleep(pause);
        stream.write_all(&answers)?;
    }
}

#[test]
fn a_case_can_be_asked_of_another_server() {
    let target = Target::Fixed { path: "/hello".into(), body: "Hi".into() };
    let cases = select(&Protocol::H2c.cases(), &["h2-*".into()], &target).unwrap();
    assert!(cases.iter().all(|case| case.name != "h2-endpoint/dots"), "it is about a path");
    let case = cases.iter().find(|case| case.name == "h2-settings/unknown").unwrap();
    let hi = |stream| {
        let head = frame(kind::HEADERS, flag::END_HEADERS, stream, &head("200", b""));
        [head, last_data(stream, b"Hi")].concat()
    };
    let address = start([preface(), hi(1), hi(super::script::PROBE)].concat(), false);
    assert_eq!(check(address, case, &Settings::default()), Outcome::Passed);
}

#[test]
fn the_request_of_a_workload_is_a_case() {
    let case = |protocol: Protocol| protocol.request("/abc", "host", Expected::greeting("/abc"), false);
    let check = |answers: Vec<Vec<u8>>| {
        let address = start([preface(), answers.concat()].concat(), true);
        check(address, &case(Protocol::H2c), &Settings::default())
    };
    assert_eq!(check(vec![answer(1, "/abc")]), Outcome::Passed);
    assert!(matches!(check(vec![answer(1, "/a")]), Outcome::Failed(_)));
    for protocol in Protocol::ALL {
        assert!(case(protocol).right().starts_with("200"), "{protocol}");
        assert!(protocol.endpoint_cases().iter().any(|case| case.name == protocol.burst()), "{protocol}");
    }
}

#[test]
fn what_is_odd_about_every_answer_is_one_finding() {
    let odd = |stream| {
        let head = frame(kind::HEADERS, flag::END_HEADERS, stream, &indexed(OK));
        let path = if stream == 1 { "/a" } else { "/probe" };
        [head, last_data(stream, format!("Hello, visitor! You've requested: {path}\n").as_bytes())].concat()
    };
    let address = start([preface(), odd(1), odd(super::script::PROBE)].concat(), false);
    let cases: Vec<Case> =
        Protocol::H2c.cases().into_iter().filter(|case| case.name == "h2-settings/unknown").collect();
    let run = run(address, &cases, &Settings::default(), &Watch::default());
    assert!(run.results.iter().all(CaseResult::passed), "{run:?}");
    let odd = [
        "no Date in any of 1 answers",
        "no Content-Type in any of 1 answers",
        "no Content-Length in any of 1 answers",
    ];
    assert_eq!(run.odd(), odd);
}

/// The bytes are those of RFC 7541, appendix C.
#[test]
fn field_blocks_are_made_and_read_as_the_rfc_says() {
    assert_eq!(integer(0, 5, 10), [0b0000_1010]);
    assert_eq!(integer(0, 5, 1337), [0b0001_1111, 0b1001_1010, 0b0000_1010]);
    assert_eq!(integer(0, 8, 42), [42]);
    assert_eq!(literal(form::INCREMENTAL, "custom-key", "custom-header")[..3], [0x40, 0x0a, b'c']);
    assert_eq!(named(form::PLAIN, 4, "/sample/path")[..2], [0x04, 0x0c]);
    assert_eq!(literal(form::NEVER, "password", "secret")[..2], [0x10, 0x08]);
    assert_eq!(indexed(2), [0x82]);
    assert_eq!(size_update(4096), [0x3f, 0xe1, 0x1f]);
    let mut decoder = Decoder::with_table(4096);
    let huffman = [HUFFMAN | 12, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
    let first = [&[0x82, 0x86, 0x84, 0x41][..], &huffman].concat();
    let fields = decoder.decode(&first).unwrap();
    assert_eq!(fields[3], (b":authority".to_vec(), b"www.example.com".to_vec()));
    // The second request of C.4, which uses the table entry that the first one added.
    let second = [&[0x82, 0x86, 0x84, 0xbe, 0x58][..], &string("no-cache")].concat();
    let fields = decoder.decode(&second).unwrap();
    assert_eq!(
        fields[3..],
        [
            (b":authority".to_vec(), b"www.example.com".to_vec()),
            (b"cache-control".to_vec(), b"no-cache".to_vec()),
        ]
    );
    for broken in [&[0x80][..], &[0xc0], &[0x40, 1], &size_update(4097)] {
        assert!(decoder.decode(broken).is_err(), "{broken:?}");
    }
}

/// The decoder refuses a block with such an integer. The bytes are not passed to it as blocks,
/// since they would be valid ones: indices of the static table, or nothing.
#[test]
fn an_integer_that_is_cut_off_is_none() {
    for (bytes, bits) in [(&[0x9f][..], 5), (&[0x8f, 0x90], 4), (&[], 7)] {
        assert_eq!(split_integer(bytes, bits), None, "{bytes:?}");
    }
    assert_eq!(split_integer(&[0x9f, 0x9a, 0x0a, 0], 5), Some((1337, &[0][..])));
}

#[test]
fn every_case_has_a_unique_name_a_subject_and_a_rule() {
    let (over_tls, plain) = (super::cases(Transport::Tls("h2")), super::cases(Transport::Plain));
    assert!(over_tls.len() >= 120, "{}", over_tls.len());
    let plain: Vec<&str> = plain.iter().map(|case| case.name).collect();
    let others = over_tls.iter().filter(|case| !plain.contains(&case.name)).map(|case| case.name);
    assert_eq!(others.collect::<Vec<_>>(), ["h2-preface/http-1.1"]);
}

/// Starts a server that sends its preface, and closes after this time.
fn start_closing(after: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&preface()).unwrap();
        std::thread::sleep(after);
    });
    address
}

/// A server that closes only after its idle timeout is too late for a head. A server that never
/// closes is too late for both timeouts.
#[test]
fn a_silent_client_waits_for_the_timeout_that_is_due() {
    let [head, idle, never] = [50, 1000, 20_000].map(Duration::from_millis);
    let settings = Settings {
        timeouts: Timeouts { head, idle },
        response_timeout: Duration::from_secs(1),
        ..Settings::default()
    };
    let cases = [
        ("h2-timing/headers-stalled", head, None),
        ("h2-timing/headers-stalled", idle, Some(Severity::Strict)),
        ("h2-timing/continuations-dripped", head, None),
        ("h2-timing/ping-stalled", idle, None),
        ("h2-timing/idle-after-the-preface", idle, None),
        ("h2-timing/idle-after-the-preface", never, Some(Severity::Strict)),
        ("h2-timing/slow-headers", never, Some(Severity::Strict)),
    ];
    std::thread::scope(|scope| {
        for (name, after, expected) in cases {
            let settings = &settings;
            scope.spawn(move || {
                let case = Protocol::H2c.cases().into_iter().find(|case| case.name == name).unwrap();
                let severity = match check(start_closing(after), &case, settings) {
                    Outcome::Passed => None,
                    Outcome::Failed(failure) => Some(failure.severity),
                    other => panic!("{other:?}"),
                };
                assert_eq!(severity, expected, "{name}, closed after {after:?}");
            });
        }
    });
}
