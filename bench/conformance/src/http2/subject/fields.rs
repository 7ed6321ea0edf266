//! Fields of requests (RFC 9113, sections 8.1.1 and 8.2).

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{last_data, opening, request};
use crate::http2::hpack::field;
use crate::http2::script::{End, Want};
use crate::http2::site::Site;
use crate::rules::Rule;
use crate::rules::http2::{
    CONNECTION_FIELDS, CONTENT_LENGTH, COOKIES, EMPTY_NAME, NAMES, OTHER_VALUES, REPRESENTATIONS, VALUES,
};
use crate::subject::shorthand::POSTED;

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [names(site), field_values(site), connection_fields(site), lengths(site), allowed(site)].concat()
}

fn names(site: &Site) -> Vec<Case> {
    let names: [(_, _, &[u8]); 11] = [
        ("h2-fields/upper-case", NAMES, b"X-Test"),
        ("h2-fields/one-upper-case-letter", NAMES, b"x-tesT"),
        ("h2-fields/space-in-a-name", NAMES, b"x test"),
        ("h2-fields/space-after-a-name", NAMES, b"x-test "),
        ("h2-fields/tab-in-a-name", NAMES, b"x\ttest"),
        ("h2-fields/nul-in-a-name", NAMES, b"x\0test"),
        ("h2-fields/line-end-in-a-name", NAMES, b"x-test\r\ny"),
        ("h2-fields/delete-in-a-name", NAMES, b"x\x7ftest"),
        ("h2-fields/non-ascii-name", NAMES, b"x-t\xc3\xa9st"),
        ("h2-fields/colon-in-a-name", NAMES, b"x:test"),
        ("h2-fields/empty-name", EMPTY_NAME, b""),
    ];
    let case = |(name, rule, bytes): (&'static str, Rule, &[u8])| {
        let case = site.malformed_fields(name, rule, &field(bytes, "1"));
        if rule == EMPTY_NAME { case.strict() } else { case }
    };
    names.map(case).to_vec()
}

fn field_values(site: &Site) -> Vec<Case> {
    let values: [(_, &[u8]); 9] = [
        ("h2-fields/nul-in-a-value", b"a\0b"),
        ("h2-fields/cr-in-a-value", b"a\rb"),
        ("h2-fields/lf-in-a-value", b"a\nb"),
        ("h2-fields/line-end-in-a-value", b"a\r\nhost: b"),
        ("h2-fields/cr-at-the-end", b"a\r"),
        ("h2-fields/space-before-a-value", b" a"),
        ("h2-fields/space-after-a-value", b"a "),
        ("h2-fields/tab-before-a-value", b"\ta"),
        ("h2-fields/tab-after-a-value", b"a\t"),
    ];
    values.map(|(name, value)| site.malformed_fields(name, VALUES, &field("x-test", value))).to_vec()
}

fn connection_fields(site: &Site) -> Vec<Case> {
    let fields = [
        ("h2-fields/connection-close", "connection", "close"),
        ("h2-fields/connection-keep-alive", "connection", "keep-alive"),
        ("h2-fields/keep-alive", "keep-alive", "timeout=5"),
        ("h2-fields/proxy-connection", "proxy-connection", "keep-alive"),
        ("h2-fields/transfer-encoding", "transfer-encoding", "chunked"),
        ("h2-fields/upgrade", "upgrade", "h2c"),
        ("h2-fields/te-of-a-coding", "te", "gzip"),
        ("h2-fields/te-of-trailers-and-a-coding", "te", "trailers, deflate;q=0.5"),
    ];
    let case =
        |(name, field_name, value)| site.malformed_fields(name, CONNECTION_FIELDS, &field(field_name, value));
    let trailers = request(1, &site.get_with(&[("te", "trailers")]));
    let mut cases = fields.map(case).to_vec();
    cases.push(site.answered("h2-fields/te-of-trailers", CONNECTION_FIELDS, trailers));
    cases
}

/// A server need not compare the lengths: only a mismatch that it detects makes the request
/// malformed. It may also answer before the end of the content.
fn lengths(site: &Site) -> Vec<Case> {
    let post = |length: &str, content: &[u8]| {
        let block = [site.post(), field("content-length", length)].concat();
        [opening(1, &block), last_data(1, content)].concat()
    };
    let two = [site.post(), field("content-length", "3"), field("content-length", "4")].concat();
    let two = [opening(1, &two), last_data(1, b"abc")].concat();
    let of_get = request(1, &site.get_with(&[("content-length", "3")]));
    let malformed = |name, bytes: Vec<u8>| site.malformed(name, CONTENT_LENGTH, bytes).strict();
    let posted = site.sent(post("3", b"abc")).or([Want::Answer(1, Expected::status(POSTED))], End::Open);
    vec![
        site.case("h2-fields/length-of-the-content", CONTENT_LENGTH, posted),
        malformed("h2-fields/length-above-the-content", post("4", b"abc")),
        malformed("h2-fields/length-below-the-content", post("2", b"abc")),
        malformed("h2-fields/length-of-no-content", of_get),
        malformed("h2-fields/two-lengths", two),
        malformed("h2-fields/length-that-is-no-number", post("abc", b"abc")),
    ]
}

fn allowed(site: &Site) -> Vec<Case> {
    let answered =
        |name, rule: Rule, more: &[(&str, &str)]| site.answered(name, rule, request(1, &site.get_with(more)));
    let names: Vec<String> = (0..60).map(|number| format!("x-{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let other = [site.get(), field("x-test", b"\xe4\xf6\xfc")].concat();
    let long = "v".repeat(4000);
    let symbols = [("!#$%&'*+-.^_`|~09az", "1")];
    vec![
        answered(
            "h2-fields/cookie-in-pieces",
            COOKIES,
            &[("cookie", "a=b"), ("cookie", "c=d"), ("cookie", "e=f")],
        ),
        answered("h2-fields/sixty", REPRESENTATIONS, &many),
        answered("h2-fields/empty-value", REPRESENTATIONS, &[("x-empty", "")]),
        answered("h2-fields/long-value", REPRESENTATIONS, &[("x-long", &long)]),
        answered("h2-fields/every-symbol-of-a-name", EMPTY_NAME, &symbols),
        answered("h2-fields/white-space-within-a-value", VALUES, &[("x-test", "a \t b")]),
        answered("h2-fields/the-same-twice", REPRESENTATIONS, &[("x-test", "1"), ("x-test", "1")]),
        site.answered("h2-fields/other-bytes-in-a-value", OTHER_VALUES, request(1, &other)).strict(),
    ]
}
