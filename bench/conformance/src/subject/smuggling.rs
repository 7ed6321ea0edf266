//! Request smuggling (RFC 9112, section 11.2): a second request is hidden within the bytes of a
//! first. The server must never answer it, whatever it does with the first. A proxy in front of the
//! server that reads the bytes in another way would send the answer to the wrong client.

use super::shorthand::{
    BAD, BAD_CODING, BAD_VERSION, Case, End, Expected, HIDDEN, NEXT, NO_TUNNEL, broken_body, chunked, get,
    post, posted, read_or_closed,
};
use crate::case::Severity;
use crate::rules::{
    BARE_CR, BODY, BOTH, CHUNK_SIZE as CHUNKS, CODING, COLON, CONNECT, CONTENT_TOO_LARGE, EXPECT, EXTENSION,
    FOLDING, HEAD_LIMIT, LARGE_LENGTH, LENGTH, LINES, NUL, PREFACE, RECOVERY, REQUEST_LINE, Rule,
    TRAILER_FIELDS, UNKNOWN_CODING, VERSION,
};

pub(super) fn cases() -> Vec<Case> {
    let cases = [in_bodies(), in_chunks(), lengths(), codings(), heads(), over_limits()];
    let wrong = |case: Case| {
        if case.severity == Severity::Wrong { case.with_severity(Severity::Smuggling) } else { case }
    };
    cases.concat().into_iter().map(wrong).chain(ambiguous()).collect()
}

/// Requests hidden in well-formed bodies: the server reads the body, or closes the connection.
fn in_bodies() -> Vec<Case> {
    let sized = |method: &str, fields: &str| {
        let length = HIDDEN.len();
        format!("{method} /a HTTP/1.1\r\nHost: h\r\n{fields}Content-Length: {length}\r\n\r\n{HIDDEN}")
    };
    let twice = HIDDEN.repeat(2);
    let length = sized("POST", "Content_Length: 0\r\nX-Content-Length: 0\r\n");
    let coding = sized("POST", "Transfer_Encoding: chunked\r\nTE: chunked\r\n");
    let option = sized("POST", "Connection: Content-Length\r\n");
    let requests = [
        ("smuggling/in-a-body", sized("POST", "")),
        ("smuggling/in-the-body-of-a-delete", sized("DELETE", "")),
        ("smuggling/in-the-body-of-an-options", sized("OPTIONS", "")),
        ("smuggling/in-the-body-of-a-trace", sized("TRACE", "")),
        ("smuggling/in-the-body-of-an-unknown-method", sized("BREW", "")),
        ("smuggling/in-a-body-with-an-option-that-names-its-length", option),
        ("smuggling/in-a-body-with-another-length-that-is-none", length),
        ("smuggling/in-a-body-with-another-coding-that-is-none", coding),
        ("smuggling/in-a-body-with-a-coding-in-a-value", sized("POST", "X: Transfer-Encoding: chunked\r\n")),
        ("smuggling/two-in-a-body", post(&format!("Content-Length: {}\r\n", twice.len()), &twice)),
    ];
    // A server may refuse content that has no meaning for the method, or an unknown method.
    let refused = |case: Case| case.left_open([Expected::status(&[400, 413])], End::Closed);
    let mut cases = requests
        .map(|(name, request)| {
            let case = read_or_closed(name, BODY, &request);
            if request.starts_with("POST") { case } else { refused(case) }
        })
        .to_vec();
    let answered = [
        ("smuggling/in-the-body-of-a-get", "GET", Expected::greeting("/a")),
        ("smuggling/in-the-body-of-a-head", "HEAD", Expected::head("/a")),
    ];
    for (name, method, answer) in answered {
        let both = [answer.clone(), Expected::greeting("/next")];
        let case = Case::new(name, BODY, sized(method, "") + NEXT, both, End::Open).or([answer], End::Closed);
        cases.push(case.or([Expected::status(&[400, 413])], End::Closed));
    }
    let expecting = sized("POST", "Expect: 100-continue\r\n");
    let continued = [Expected::continue_100(), posted(), Expected::greeting("/next")];
    cases.push(
        read_or_closed("smuggling/in-a-body-that-is-expected", EXPECT, &expecting)
            .or(continued, End::Open)
            .or([Expected::continue_100(), posted()], End::Closed)
            .or([Expected::status(&[417])], End::Closed),
    );
    let odd = sized("POST", "Expect: a-pony\r\n");
    let answer = [Expected::status(&[200, 201, 202, 204, 400, 403, 404, 405, 411, 413, 415, 417, 501])];
    let odd =
        Case::new("smuggling/in-a-body-of-another-expectation", EXPECT, odd, answer.clone(), End::Closed);
    cases.push(odd.or(answer, End::Open));
    let old = sized("POST", "").replacen("HTTP/1.1", "HTTP/1.0", 1);
    cases.push(
        Case::new("smuggling/in-a-body-of-http-1.0", BODY, old, [posted()], End::Closed)
            .probed_after_its_end(),
    );
    cases
}

fn in_chunks() -> Vec<Case> {
    let length = HIDDEN.len();
    let chunk = format!("{length:x}\r\n{HIDDEN}\r\n");
    let fine = [
        ("smuggling/in-a-chunk", format!("{chunk}0\r\n\r\n")),
        ("smuggling/in-the-second-of-two-chunks", format!("5\r\n0\r\n\r\n\r\n{chunk}0\r\n\r\n")),
        ("smuggling/in-a-chunk-with-leading-zeros", format!("000{chunk}0\r\n\r\n")),
    ];
    // A sender must not put fields about framing into a trailer.
    let trailed = [
        ("smuggling/length-in-a-trailer", format!("{chunk}0\r\nContent-Length: 0\r\n\r\n")),
        ("smuggling/coding-in-a-trailer", format!("{chunk}0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    ];
    let broken = [
        ("smuggling/after-a-size-with-a-prefix", format!("0x3\r\nabc\r\n0\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-size-that-overflows", format!("100000000\r\n{chunk}0\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-size-that-overflows-64-bits", format!("10000000000000000\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-negative-size", format!("-1\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-size-of-nothing", format!("\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-last-size-with-a-letter", format!("0g\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-bare-line-feed", format!("0\n\r\n{HIDDEN}")),
        ("smuggling/after-two-bare-line-feeds", format!("0\n\n{HIDDEN}")),
        ("smuggling/after-a-bare-line-feed-in-an-extension", format!("0;a\n\r\n{HIDDEN}")),
        ("smuggling/after-a-bare-carriage-return", format!("0\r\r\n\r\n{HIDDEN}")),
        ("smuggling/after-data-without-a-line-end", format!("3\r\nabc0\r\n\r\n{HIDDEN}")),
        ("smuggling/after-data-with-other-bytes", format!("3\r\nabcXX0\r\n\r\n{HIDDEN}")),
        ("smuggling/after-too-much-data", format!("3\r\nabcde\r\n0\r\n\r\n{HIDDEN}")),
        ("smuggling/after-a-last-chunk-without-an-end", format!("0\r\n{HIDDEN}")),
    ];
    let mut cases: Vec<Case> =
        fine.iter().map(|(name, body)| read_or_closed(name, CHUNKS, &chunked(body))).collect();
    cases.extend(trailed.map(|(name, body)| {
        read_or_closed(name, TRAILER_FIELDS, &chunked(&body)).left_open([Expected::status(BAD)], End::Closed)
    }));
    cases.extend(broken.map(|(name, body)| broken_body(name, CHUNKS, chunked(&body)).strict()));
    // An extension may hold the same characters as a value, and means nothing to the server.
    let extension = chunked("3;GET /smuggled HTTP/1.1\r\nabc\r\n0\r\n\r\n");
    let case = read_or_closed("smuggling/in-an-extension", EXTENSION, &extension);
    cases.push(case.or([Expected::status(BAD)], End::Closed));
    cases
}

/// Lengths that two parsers may read as different numbers.
fn lengths() -> Vec<Case> {
    let length = HIDDEN.len();
    let fields = [
        ("smuggling/two-lengths", format!("Content-Length: 0\r\nContent-Length: {length}")),
        ("smuggling/two-lengths-the-other-way", format!("Content-Length: {length}\r\nContent-Length: 0")),
        ("smuggling/two-lengths-apart", format!("Content-Length: 0\r\nX: y\r\ncontent-length: {length}")),
        ("smuggling/list-of-lengths", format!("Content-Length: 0, {length}")),
        ("smuggling/length-with-a-plus", format!("Content-Length: +{length}")),
        ("smuggling/length-with-a-minus", format!("Content-Length: -{length}")),
        ("smuggling/length-in-hexadecimal", format!("Content-Length: 0x{length:x}")),
        ("smuggling/length-before-a-space", format!("Content-Length: 0 {length}")),
        ("smuggling/length-before-a-letter", format!("Content-Length: {length}a")),
        ("smuggling/length-after-a-letter", format!("Content-Length: a{length}")),
        ("smuggling/length-before-a-nul", format!("Content-Length: 0\0{length}")),
        ("smuggling/length-after-a-vertical-tab", format!("Content-Length: \x0b{length}")),
        ("smuggling/length-before-a-form-feed", format!("Content-Length: {length}\x0c")),
        ("smuggling/length-with-a-space-before-the-colon", format!("Content-Length : {length}")),
    ];
    // Where a server reads the length as a number, 413 is as right as 400.
    let refused = |name, fields: &str| {
        let request = post(&format!("{fields}\r\n"), HIDDEN);
        Case::rejected(name, LENGTH, request, &[400, 413]).refused_by_method()
    };
    let mut cases: Vec<Case> = fields.iter().map(|(name, fields)| refused(name, fields)).collect();
    // If the server reads the carriage return as a space, there is no length, and the bytes after
    // the head are a request.
    let field = format!("X: y\rContent-Length: {length}\r\n");
    let both = [posted(), Expected::greeting("/smuggled")];
    let case =
        Case::rejected("smuggling/length-after-a-bare-carriage-return", BARE_CR, post(&field, HIDDEN), BAD);
    cases.push(case.left_open(both, End::Any));
    // Numbers that overflow 32 and 64 bits. A server with larger limits waits for that many bytes.
    let large = [
        ("smuggling/length-over-32-bits", (1 << 32) + length as u128),
        ("smuggling/length-over-64-bits", (1 << 64) + length as u128),
    ];
    cases.extend(large.map(|(name, length)| {
        let request = post(&format!("Content-Length: {length}\r\n"), HIDDEN);
        let case = Case::rejected(name, LARGE_LENGTH, request, &[400, 413]).or([posted()], End::Closed);
        case.left_open([], End::Waiting).left_open([posted()], End::Waiting).left_open([], End::Closed)
    }));
    cases
}

/// Codings that one parser reads as chunked and another does not.
fn codings() -> Vec<Case> {
    let length = HIDDEN.len() + 5;
    let fields = [
        ("smuggling/coding-with-a-space-before-the-colon", COLON, "Transfer-Encoding : chunked"),
        ("smuggling/coding-with-a-folded-value", FOLDING, "Transfer-Encoding:\r\n chunked"),
        ("smuggling/coding-after-a-vertical-tab", CODING, "Transfer-Encoding: \x0bchunked"),
        ("smuggling/coding-before-a-form-feed", CODING, "Transfer-Encoding: chunked\x0c"),
        ("smuggling/coding-before-a-nul", NUL, "Transfer-Encoding: chunked\0"),
        ("smuggling/coding-in-quotes", CODING, "Transfer-Encoding: \"chunked\""),
        ("smuggling/coding-that-ends-in-chunked", CODING, "Transfer-Encoding: xchunked"),
        ("smuggling/coding-that-begins-with-chunked", CODING, "Transfer-Encoding: chunkedx"),
        ("smuggling/coding-before-identity", CODING, "Transfer-Encoding: chunked, identity"),
        ("smuggling/coding-after-identity", UNKNOWN_CODING, "Transfer-Encoding: identity, chunked"),
        ("smuggling/coding-on-two-lines", CODING, "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
        (
            "smuggling/coding-on-two-lines-the-other-way",
            UNKNOWN_CODING,
            "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        ),
        ("smuggling/coding-after-a-bare-carriage-return", BARE_CR, "X: y\rTransfer-Encoding: chunked"),
        ("smuggling/coding-after-a-nul", NUL, "X: y\0\r\nTransfer-Encoding: chunked"),
        ("smuggling/coding-empty-and-length", CODING, "Transfer-Encoding:"),
    ];
    // If the server reads chunks, the hidden request follows the body. If it uses the length, the
    // hidden request is in the body.
    let request =
        |field| post(&format!("{field}\r\nContent-Length: {length}\r\n"), &format!("0\r\n\r\n{HIDDEN}"));
    // A server that takes the field for Transfer-Encoding may read the chunks, but has to close.
    let rejected = |(name, rule, field)| {
        let case = Case::rejected(name, rule, request(field), BAD_CODING).refused_by_method();
        let is_other = [NUL, FOLDING].contains(&rule);
        match rule {
            // With a space for the carriage return there is no coding, and the length counts.
            BARE_CR => case.left_open([posted()], End::Any),
            UNKNOWN_CODING => case.left_open([posted()], End::Closed).strict(),
            _ if is_other => case.left_open([posted()], End::Closed),
            _ => case,
        }
    };
    let mut cases = fields.map(rejected).to_vec();
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let short = post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", &chunk);
    let fields = "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n";
    let old = format!("POST /a HTTP/1.0\r\n{fields}\r\n0\r\n\r\n{HIDDEN}");
    let both = [
        ("smuggling/coding-and-length", request("Transfer-Encoding: chunked")),
        ("smuggling/short-length-and-coding", short),
        ("smuggling/coding-with-http-1.0", old),
    ];
    cases.extend(
        both.map(|(name, request)| {
            Case::rejected(name, BOTH, request, BAD_CODING).or([posted()], End::Closed)
        }),
    );
    cases
}

/// Requests hidden behind malformed heads. Most servers know where such a head ends, but no rule
/// says what they do with the bytes after it: the endpoint closes.
fn heads() -> Vec<Case> {
    let space = "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n";
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let version = "GET /a HTTP/2.0\r\nHost: h\r\n\r\n";
    let requests = [
        ("smuggling/behind-garbage", REQUEST_LINE, "garbage\r\n\r\n".to_owned()),
        ("smuggling/behind-a-broken-field", COLON, get("X : y\r\n")),
        ("smuggling/behind-a-field-without-a-colon", RECOVERY, get("X\r\n")),
        ("smuggling/behind-a-nul", NUL, get("X: \0\r\n")),
        ("smuggling/behind-a-bare-carriage-return", BARE_CR, get("X: y\rz\r\n")),
        ("smuggling/behind-a-target-with-a-space", REQUEST_LINE, space.into()),
        ("smuggling/behind-an-http-2-preface", PREFACE, preface.into()),
        ("smuggling/behind-http-0.9", VERSION, "GET /a\r\n".into()),
        ("smuggling/behind-another-version", VERSION, version.into()),
    ];
    // The empty line that ends the head is in the hidden request.
    let value = get("X: y\r\r").trim_end_matches("\r\n").to_owned() + HIDDEN;
    let connect = format!("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n{HIDDEN}");
    let rejected = |(name, rule, request): (_, Rule, String)| {
        let case = Case::rejected(name, rule, request + NEXT, BAD_VERSION).strict();
        if rule == PREFACE { case.or([], End::Switched) } else { case }
    };
    let mut cases = requests.map(rejected).to_vec();
    let value = Case::rejected("smuggling/in-a-value-after-bare-carriage-returns", BARE_CR, value, BAD);
    cases.push(value);
    // A refused CONNECT opens no tunnel: the next bytes are a request, which a server may answer.
    let both = [Expected::status(NO_TUNNEL), Expected::greeting("/smuggled")];
    let connect = Case::rejected("smuggling/behind-connect", CONNECT, connect, NO_TUNNEL);
    cases.push(connect.left_open(both, End::Any).left_open([Expected::status(NO_TUNNEL)], End::Open));
    cases
}

/// Bytes that the RFCs let a server and a proxy in front of it read in different ways: as one
/// request or as two.
fn ambiguous() -> Vec<Case> {
    let behind = NEXT;
    let length = behind.len();
    let folded = format!("X: y\r\n Content-Length: {length}\r\n");
    let coding = post("X: y\r\n Transfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{behind}"));
    let line_feeds = get("X: y\n\n").trim_end_matches("\r\n").to_owned();
    let requests = [
        ("smuggling/length-on-a-folded-line", FOLDING, post(&folded, behind)),
        (
            "smuggling/length-with-a-folded-value",
            FOLDING,
            post(&format!("Content-Length:\r\n {length}\r\n"), behind),
        ),
        ("smuggling/coding-on-a-folded-line", FOLDING, coding),
        ("smuggling/behind-a-folded-line", FOLDING, get("X: y\r\n z\r\n") + behind),
        ("smuggling/in-a-value-after-bare-line-feeds", LINES, line_feeds + behind),
    ];
    requests.map(|(name, rule, request)| Case::rejected(name, rule, request, BAD_CODING).strict()).into()
}

/// Requests hidden in bodies and heads over a limit, which some servers still read, and at the
/// sizes of usual buffers.
fn over_limits() -> Vec<Case> {
    let many = HIDDEN.repeat(40_000);
    let large = post(&format!("Content-Length: {}\r\n", many.len()), &many);
    let chunk = chunked(&format!("{:x}\r\n{many}\r\n0\r\n\r\n", many.len()));
    let body = |name, request: String| {
        let answer = [Expected::status(&[200, 201, 202, 204, 403, 404, 405, 411, 413, 415, 501])];
        Case::new(name, CONTENT_TOO_LARGE, request, answer, End::Any)
    };
    let start = get("X: ").replace("X: \r\n", "X: ");
    let fields = get(&"X: y\r\n".repeat(1000)).replace("\r\n\r\n", "\r\nZ: ");
    let cut = |bytes: usize| format!("{start}{}{HIDDEN}", "x".repeat(bytes - start.len()));
    let heads = [
        ("smuggling/in-a-head-at-4-kib", cut(4 * 1024)),
        ("smuggling/in-a-head-at-8-kib", cut(8 * 1024)),
        ("smuggling/in-a-head-at-16-kib", cut(16 * 1024)),
        ("smuggling/in-a-head-at-32-kib", cut(32 * 1024)),
        ("smuggling/in-a-head-at-64-kib", cut(64 * 1024)),
        ("smuggling/in-a-head-at-128-kib", cut(128 * 1024)),
        ("smuggling/in-a-head-at-1-mib", cut(1024 * 1024)),
        ("smuggling/in-a-head-of-many-fields", fields + HIDDEN),
    ];
    let mut cases = vec![
        body("smuggling/in-a-body-over-the-limit", large),
        body("smuggling/in-a-chunk-over-the-limit", chunk),
    ];
    // A server with larger limits sees two Host fields: the hidden request is in the head.
    cases
        .extend(heads.map(|(name, request)| Case::rejected(name, HEAD_LIMIT, request, &[400, 431]).strict()));
    cases
}
