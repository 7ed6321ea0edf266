//! Bodies in chunks (RFC 9112, section 7.1).

use super::shorthand::{Case, End, broken_body, chunked, posted, read_or_closed};
use crate::rules::{CHUNK_OVERFLOW, CHUNK_SIZE as SIZE, EXTENSION, TRAILER};

pub(super) fn cases() -> Vec<Case> {
    let fine = [
        ("chunks/several", SIZE, "3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"),
        ("chunks/line-ends-as-data", SIZE, "4\r\n\r\n\r\n\r\n0\r\n\r\n"),
        ("chunks/last-chunk-as-data", SIZE, "5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
        ("chunks/size-in-large-letters", SIZE, "A\r\n0123456789\r\n0\r\n\r\n"),
        ("chunks/size-in-small-letters", SIZE, "a\r\n0123456789\r\n0\r\n\r\n"),
        ("chunks/size-with-leading-zeros", SIZE, "0003\r\nabc\r\n0\r\n\r\n"),
        ("chunks/last-size-of-several-zeros", SIZE, "3\r\nabc\r\n000\r\n\r\n"),
        ("chunks/extension", EXTENSION, "3;a=b\r\nabc\r\n0\r\n\r\n"),
        ("chunks/extension-without-a-value", EXTENSION, "3;a\r\nabc\r\n0\r\n\r\n"),
        ("chunks/extension-in-quotes", EXTENSION, "3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"),
        ("chunks/extension-of-the-last", EXTENSION, "3\r\nabc\r\n0;a=b\r\n\r\n"),
        ("chunks/trailer", TRAILER, "3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
        ("chunks/trailers", TRAILER, "3\r\nabc\r\n0\r\nX: y\r\nZ:\r\n\r\n"),
    ];
    let overflowing = [
        ("chunks/size-over-64-bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-of-all-bits", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-with-the-sign-bit", "8000000000000003\r\nabc\r\n0\r\n\r\n"),
    ];
    // The grammar allows none of these. A server may repair them, but a proxy in front of it may
    // read them in another way.
    let broken = [
        ("chunks/size-missing", SIZE, "\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-of-other-letters", SIZE, "xyz\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-negative", SIZE, "-3\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-with-a-sign", SIZE, "+3\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-with-a-prefix", SIZE, "0x3\r\nabc\r\n0\r\n\r\n"),
        ("chunks/size-with-an-underscore", SIZE, "0_3\r\nabc\r\n0\r\n\r\n"),
        ("chunks/space-before-a-size", SIZE, " 3\r\nabc\r\n0\r\n\r\n"),
        ("chunks/space-within-a-size", SIZE, "0 3\r\nabc\r\n0\r\n\r\n"),
        ("chunks/nul-in-a-size", SIZE, "3\0\r\nabc\r\n0\r\n\r\n"),
        ("chunks/bare-line-feed-after-a-size", SIZE, "3\nabc\r\n0\r\n\r\n"),
        ("chunks/bare-carriage-return-after-a-size", SIZE, "3\rabc\r\n0\r\n\r\n"),
        ("chunks/more-data-than-the-size", SIZE, "3\r\nabcd\r\n0\r\n\r\n"),
        ("chunks/less-data-than-the-size", SIZE, "5\r\nabc\r\n0\r\n\r\n"),
        ("chunks/no-line-end-after-data", SIZE, "3\r\nabc0\r\n\r\n"),
        ("chunks/other-bytes-after-data", SIZE, "3\r\nabcXX0\r\n\r\n"),
        ("chunks/bare-line-feed-after-data", SIZE, "3\r\nabc\n0\r\n\r\n"),
        ("chunks/bare-line-feed-in-an-extension", EXTENSION, "3;a\nabc\r\n0\r\n\r\n"),
        ("chunks/bare-carriage-return-in-an-extension", EXTENSION, "3;a\rb\r\nabc\r\n0\r\n\r\n"),
        ("chunks/trailer-without-a-colon", TRAILER, "3\r\nabc\r\n0\r\nX\r\n\r\n"),
        ("chunks/trailer-without-a-name", TRAILER, "3\r\nabc\r\n0\r\n: y\r\n\r\n"),
        ("chunks/space-in-the-name-of-a-trailer", TRAILER, "3\r\nabc\r\n0\r\nX Y: z\r\n\r\n"),
        ("chunks/space-before-the-colon-of-a-trailer", TRAILER, "3\r\nabc\r\n0\r\nX : z\r\n\r\n"),
        ("chunks/folded-trailer", TRAILER, "3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"),
        ("chunks/nul-in-a-trailer", TRAILER, "3\r\nabc\r\n0\r\nX: y\0z\r\n\r\n"),
        ("chunks/space-after-a-size", SIZE, "3 \r\nabc\r\n0\r\n\r\n"),
        ("chunks/extension-of-nothing", EXTENSION, "3;\r\nabc\r\n0\r\n\r\n"),
        ("chunks/extension-whose-name-is-no-token", EXTENSION, "3;(a)=b\r\nabc\r\n0\r\n\r\n"),
        ("chunks/nul-in-an-extension", EXTENSION, "3;a\0b\r\nabc\r\n0\r\n\r\n"),
        ("chunks/bare-line-feed-in-a-trailer", TRAILER, "3\r\nabc\r\n0\r\nX: y\nZ: z\r\n\r\n"),
        ("chunks/bare-line-feed-at-the-end", TRAILER, "3\r\nabc\r\n0\r\n\n"),
    ];
    let mut cases = fine.map(|(name, rule, body)| read_or_closed(name, rule, &chunked(body))).to_vec();
    // A server may also wait for that many bytes.
    let overflowing = overflowing.map(|(name, body)| {
        broken_body(name, CHUNK_OVERFLOW, chunked(body))
            .left_open([], End::Waiting)
            .left_open([posted()], End::Waiting)
    });
    cases.extend(overflowing);
    cases.extend(broken.map(|(name, rule, body)| broken_body(name, rule, chunked(body)).strict()));
    cases
}
