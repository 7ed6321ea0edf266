//! How long a connection stays open, and how it ends (RFC 9112, section 9).

use super::shorthand::{BAD, Case, End, Expected, NEXT, get, greeting, post, posted};
use crate::case::{Finish, Step, send};
use crate::rules::{
    CLOSE, DATE, ENDPOINT, EXPECT, HALF_CLOSED, INCOMPLETE, LAST_WORDS, LISTS, OLD_EXPECT, OPTIONS,
    PERSISTENCE, TE, UPGRADE,
};

pub(super) fn cases() -> Vec<Case> {
    [closing(), staying(), old(), half_closed(), expectations(), last_words()].concat()
}

fn closing() -> Vec<Case> {
    let both = "Connection: close\r\nConnection: keep-alive\r\n";
    let options = [
        ("connection/close", CLOSE, "Connection: close\r\n"),
        ("connection/close-in-other-letters", OPTIONS, "connection: CLOSE\r\n"),
        ("connection/close-in-a-list", OPTIONS, "Connection: x, Close\r\n"),
        ("connection/close-in-a-list-with-gaps", LISTS, "Connection: ,, \t close ,\r\n"),
        ("connection/close-on-a-second-line", OPTIONS, "Connection: x\r\nConnection: close\r\n"),
        ("connection/close-beside-keep-alive", PERSISTENCE, "Connection: keep-alive, close\r\n"),
        ("connection/close-before-keep-alive", PERSISTENCE, both),
    ];
    let case = |(name, rule, fields)| {
        Case::new(name, rule, get(fields), greeting(), End::Closed).probed_after_its_end()
    };
    let mut cases = options.map(case).to_vec();
    let close = || get("Connection: close\r\n");
    let saying = || [Expected::greeting("/a").with_connection(&["close"])];
    let post = post("Connection: close\r\nContent-Length: 3\r\n", "abc");
    let upgrade = get("Connection: close, upgrade\r\nUpgrade: x\r\n") + NEXT;
    cases.extend([
        Case::new("connection/nothing-after-close", CLOSE, close() + NEXT, greeting(), End::Closed)
            .probed_after_its_end(),
        Case::new("connection/closes-by-itself", CLOSE, close(), greeting(), End::ClosedCleanly)
            .with_finish(Finish::Wait),
        Case::new("connection/close-is-said", CLOSE, close(), saying(), End::Closed).strict(),
        Case::new("connection/close-and-upgrade", UPGRADE, upgrade, greeting(), End::Closed)
            .probed_after_its_end(),
        Case::new("connection/close-with-a-body", CLOSE, post, [posted()], End::Closed)
            .probed_after_its_end(),
    ]);
    cases
}

fn staying() -> Vec<Case> {
    let parameters = "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n";
    let options = [
        ("connection/keep-alive", PERSISTENCE, "Connection: keep-alive\r\n"),
        ("connection/keep-alive-with-parameters", PERSISTENCE, parameters),
        ("connection/options-that-are-unknown", OPTIONS, "Connection: x, y\r\n"),
        ("connection/options-that-look-like-close", OPTIONS, "Connection: closed, not-close\r\n"),
        ("connection/option-that-names-a-field", OPTIONS, "Connection: host\r\n"),
        ("connection/te", TE, "Connection: TE\r\nTE: trailers\r\n"),
    ];
    let http_2 = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n";
    let upgrades = [
        ("connection/upgrade-without-the-option", "Upgrade: websocket\r\n"),
        ("connection/upgrade-to-a-websocket", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
        ("connection/upgrade-to-http-2", http_2),
    ];
    // Strict, as a server may close at any time.
    let stays = |(name, rule, fields)| Case::new(name, rule, get(fields), greeting(), End::Open).strict();
    let mut cases = options.map(stays).to_vec();
    // A server that speaks the other protocol may switch, or say what is wrong with the request.
    cases.extend(upgrades.map(|(name, fields)| {
        let case = Case::answered(name, UPGRADE, get(fields), greeting());
        case.or([Expected::status(&[101])], End::Switched).or([Expected::status(&[400, 426])], End::Any)
    }));
    let many = (1..20).flat_map(|count| [Step::Await(count), send(get(""))]);
    let answers = vec![Expected::greeting("/a"); 20];
    cases.push(Case::new("connection/many-requests", PERSISTENCE, get(""), answers, End::Open).then(many));
    cases
}

/// HTTP/1.0: the connection ends after the answer, unless both sides ask to keep it.
fn old() -> Vec<Case> {
    let get = |fields: &str| format!("GET /a HTTP/1.0\r\n{fields}\r\n");
    let post = "POST /a HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc".to_owned();
    // The RFC says what happens, without a MUST.
    let case = |name, request: String, end| Case::new(name, PERSISTENCE, request, greeting(), end).strict();
    let kept = |name, fields| {
        let kept = [Expected::greeting("/a").with_connection(&["keep-alive"])];
        let case = Case::new(name, PERSISTENCE, get(fields), kept, End::Open).or(greeting(), End::Closed);
        let and_bad = [Expected::greeting("/a"), Expected::status(BAD)];
        case.left_open(greeting(), End::Open).left_open(and_bad, End::Closed).probed_after_its_end()
    };
    vec![
        case("connection/http-1.0", get(""), End::Closed),
        case("connection/http-1.0-closes-by-itself", get(""), End::ClosedCleanly).with_finish(Finish::Wait),
        case("connection/http-1.0-and-nothing-after", get("") + NEXT, End::Closed),
        Case::new("connection/http-1.0-close", CLOSE, get("Connection: close\r\n"), greeting(), End::Closed)
            .probed_after_its_end(),
        Case::new("connection/http-1.0-body", PERSISTENCE, post, [posted()], End::Closed).strict(),
        kept("connection/http-1.0-keep-alive", "Connection: keep-alive\r\n"),
        kept("connection/http-1.0-keep-alive-in-other-letters", "Connection: Keep-Alive\r\n"),
    ]
}

/// A client that has shut down its side still gets all answers. No rule says MUST.
fn half_closed() -> Vec<Case> {
    let of = |rule, name, request: String, answers: Vec<Expected>| {
        Case::new(name, rule, request, answers, End::Closed).with_finish(Finish::HalfClose).strict()
    };
    let case = |name, request, answers| of(HALF_CLOSED, name, request, answers);
    let burst = |count| (get("").repeat(count), vec![Expected::greeting("/a"); count]);
    let (three, three_answers) = burst(3);
    let (many, many_answers) = burst(500);
    let part = post("Content-Length: 9\r\n", "abc");
    let second = get("") + "GET /b HTTP/1.1\r\nHos";
    vec![
        case("connection/half-closed", get(""), greeting().to_vec()),
        case("connection/half-closed-after-three", three, three_answers),
        case("connection/half-closed-after-many", many, many_answers),
        case("connection/half-closed-after-close", get("Connection: close\r\n"), greeting().to_vec()),
        case("connection/half-closed-at-once", String::new(), Vec::new()),
        case("connection/half-closed-after-an-answer", get(""), greeting().to_vec()).then([Step::Await(1)]),
        of(INCOMPLETE, "connection/half-closed-within-a-head", "GET /a HTTP/1.1\r\nHos".into(), Vec::new())
            .or([Expected::status(BAD)], End::Closed),
        of(INCOMPLETE, "connection/half-closed-within-a-body", part, Vec::new())
            .or([Expected::status(&[200, 400, 405, 501])], End::Closed),
        of(INCOMPLETE, "connection/half-closed-within-a-second-head", second, greeting().to_vec())
            .or([Expected::greeting("/a"), Expected::status(BAD)], End::Closed),
    ]
}

fn expectations() -> Vec<Case> {
    let answered = || [posted()];
    let after_100 = || [Expected::continue_100(), posted()];
    let sized = "Expect: 100-continue\r\nContent-Length: 3\r\n";
    let chunked = "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
    // The server sends 100 or a final answer. It reads and drops an unwanted body, or closes.
    let expecting = |name, request: String| {
        Case::new(name, EXPECT, request, after_100(), End::Any)
            .or(answered(), End::Any)
            .or([Expected::status(&[417])], End::Closed)
            .left_open([Expected::status(&[417])], End::Open)
    };
    let old = "POST /a HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc";
    let no_body = get("Expect: 100-continue\r\n");
    let other = get("Expect: a-pony\r\n");
    let twice = sized.replace("100-continue", "100-continue, 100-continue");
    let repeated = "Expect: 100-continue\r\n";
    let large_letters = post(&sized.replace("100-c", "100-C"), "abc");
    vec![
        expecting("connection/expect-continue", post(sized, "abc")),
        expecting("connection/expect-continue-chunked", post(chunked, "3\r\nabc\r\n0\r\n\r\n")),
        expecting("connection/expect-continue-in-other-letters", large_letters).strict(),
        expecting("connection/expect-continue-and-wait", post(sized, "")).then([Step::Await(1), send("abc")]),
        expecting("connection/expect-continue-and-wait-with-chunks", post(chunked, ""))
            .then([Step::Await(1), send("3\r\nabc\r\n0\r\n\r\n")]),
        Case::answered("connection/expect-continue-without-a-body", EXPECT, no_body, greeting())
            .or([Expected::continue_100(), Expected::greeting("/a")], End::Any)
            .strict(),
        Case::new("connection/expect-continue-with-http-1.0", OLD_EXPECT, old, answered(), End::Closed)
            .probed_after_its_end(),
        Case::answered("connection/expect-nothing", EXPECT, get("Expect:\r\n"), greeting()).strict(),
        Case::answered("connection/expect-empty-elements", LISTS, get("Expect: ,,\t,\r\n"), greeting())
            .strict(),
        expecting("connection/expect-continue-twice-in-a-list", post(&twice, "abc")),
        expecting("connection/expect-continue-twice", post(&[repeated, sized].concat(), "abc")),
        Case::answered("connection/expect-something-else", EXPECT, other, [Expected::status(&[417])])
            .strict(),
    ]
}

/// An answer that closes has to arrive while the client still sends: no reset may overtake it.
fn last_words() -> Vec<Case> {
    let more = "x".repeat(256 * 1024);
    let case = |name, request: &str, statuses| {
        let request = [request, &more].concat();
        Case::new(name, LAST_WORDS, request, [Expected::status(statuses)], End::ClosedCleanly)
            .with_finish(Finish::HalfClose)
            .strict()
    };
    let too_large = post("Content-Length: 1048577\r\n", "");
    let date = get("").replace("Host: h", "Host: a b");
    let dated = [Expected::status(BAD).dated()];
    let no_host = "GET /a HTTP/1.1\r\n\r\n";
    let closing = [Expected::status(BAD).with_connection(&["close"])];
    vec![
        case("connection/400-arrives", no_host, BAD),
        case("connection/413-arrives", &too_large, &[405, 413]),
        case("connection/431-arrives", "GET /a HTTP/1.1\r\nHost: h\r\nX: ", &[400, 431]),
        case("connection/close-arrives", &get("Connection: close\r\n"), &[200]),
        Case::answered("connection/date-on-400", DATE, date, dated).strict(),
        Case::new("connection/400-says-close", ENDPOINT, no_host, closing, End::Closed).strict(),
    ]
}
