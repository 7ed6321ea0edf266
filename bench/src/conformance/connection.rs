//! How long a connection lives, and who is asked for (RFC 9112, sections 3.2 and 9; RFC 9110, section 10.1.1).

use super::case::{Answer, Case, End};

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: host\r\n\r\n";
const PERSISTENCE: &str = "RFC 9112, section 9.3";
const HOST: &str = "RFC 9112, section 3.2";
const EXPECT: &str = "RFC 9110, section 10.1.1";

/// The table.
pub(super) fn cases() -> Vec<Case> {
    let greeting = || [Answer::greeting("/a")];
    let get = |fields: &str| format!("GET /a HTTP/1.1\r\n{fields}\r\n");
    vec![
        Case::new(
            "connection/close",
            PERSISTENCE,
            get("Host: h\r\nConnection: close\r\n"),
            greeting(),
            End::Closed,
        ),
        Case::new(
            "connection/close-in-a-list",
            PERSISTENCE,
            get("Host: h\r\nConnection: x, Close\r\n"),
            greeting(),
            End::Closed,
        ),
        Case::new(
            "connection/nothing-after-close",
            PERSISTENCE,
            get("Host: h\r\nConnection: close\r\n") + NEXT,
            greeting(),
            End::Closed,
        ),
        Case::new("connection/http-1.0", PERSISTENCE, "GET /a HTTP/1.0\r\n\r\n", greeting(), End::Closed),
        Case::new(
            "connection/http-1.0-keep-alive",
            PERSISTENCE,
            "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            greeting(),
            End::Open,
        )
        .or(greeting(), End::Closed),
        Case::refused("connection/host-missing", HOST, get(""), 400),
        Case::refused("connection/host-twice", HOST, get("Host: a\r\nHost: a\r\n"), 400),
        Case::refused("connection/host-malformed", HOST, get("Host: a b\r\n"), 400),
        Case::refused("connection/host-with-path", HOST, get("Host: a/b\r\n"), 400),
        Case::answered("connection/host-with-port", HOST, get("Host: [::1]:8080\r\n"), greeting()),
        Case::new(
            "connection/expect-continue",
            EXPECT,
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
            [Answer::NotAllowed],
            End::Open,
        )
        .or([Answer::Continue, Answer::NotAllowed], End::Open)
        .or([Answer::NotAllowed], End::Closed)
        .or([Answer::Continue, Answer::NotAllowed], End::Closed),
        Case::refused("connection/expect-something-else", EXPECT, get("Host: h\r\nExpect: a-pony\r\n"), 417)
            .or([Answer::Status(417)], End::Open),
    ]
}
