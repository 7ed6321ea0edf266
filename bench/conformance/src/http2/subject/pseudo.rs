//! Pseudo-fields of requests (RFC 9113, section 8.3).

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::request;
use crate::http2::hpack::{field, fields};
use crate::http2::script::{End, Want};
use crate::http2::site::Site;
use crate::rules::Rule;
use crate::rules::http2::{
    AUTHORITY, CONNECT, PATH, PSEUDO_MISSING, PSEUDO_PLACE, PSEUDO_TWICE, PSEUDO_UNKNOWN, REPRESENTATIONS,
};

/// The statuses of answers to a CONNECT that open no tunnel.
const NO_TUNNEL: &[u16] = &[400, 403, 404, 405, 421, 501];

pub(super) fn cases(site: &Site) -> Vec<Case> {
    [present(site), values(site), authorities(site), connects(site)].concat()
}

/// The pseudo-fields of a GET without the one of this name.
fn without(site: &Site, name: &str) -> Vec<u8> {
    fields(&site.pseudo().into_iter().filter(|(other, _)| *other != name).collect::<Vec<_>>())
}

/// The pseudo-fields of a GET, with another value for the one of this name.
fn with(site: &Site, name: &str, value: &str) -> Vec<u8> {
    let value_of = |(other, own): (&'static str, String)| {
        let value = if other == name { value.to_owned() } else { own };
        (other, value)
    };
    fields(&site.pseudo().into_iter().map(value_of).collect::<Vec<_>>())
}

fn present(site: &Site) -> Vec<Case> {
    let malformed = |name, rule: Rule, block: Vec<u8>| site.malformed(name, rule, request(1, &block));
    let all = || fields(&site.pseudo());
    let twice = |name: &'static str| {
        let again = site.pseudo().into_iter().filter(|(other, _)| *other == name).collect::<Vec<_>>();
        [all(), fields(&again)].concat()
    };
    let after = |name: &'static str| {
        let last = site.pseudo().into_iter().filter(|(other, _)| *other == name).collect::<Vec<_>>();
        [without(site, name), field("x-before", "1"), fields(&last)].concat()
    };
    let in_other_order = {
        let mut all = site.pseudo();
        all.reverse();
        fields(&all)
    };
    vec![
        site.answered("h2-pseudo/in-full", REPRESENTATIONS, request(1, &all())),
        site.answered("h2-pseudo/in-another-order", REPRESENTATIONS, request(1, &in_other_order)),
        malformed("h2-pseudo/no-method", PSEUDO_MISSING, without(site, ":method")),
        malformed("h2-pseudo/no-scheme", PSEUDO_MISSING, without(site, ":scheme")),
        malformed("h2-pseudo/no-path", PSEUDO_MISSING, without(site, ":path")),
        malformed("h2-pseudo/none", PSEUDO_MISSING, field("x-only", "1")),
        malformed("h2-pseudo/no-fields-at-all", PSEUDO_MISSING, Vec::new()),
        malformed("h2-pseudo/method-twice", PSEUDO_TWICE, twice(":method")),
        malformed("h2-pseudo/scheme-twice", PSEUDO_TWICE, twice(":scheme")),
        malformed("h2-pseudo/path-twice", PSEUDO_TWICE, twice(":path")),
        malformed("h2-pseudo/authority-twice", PSEUDO_TWICE, twice(":authority")),
        malformed("h2-pseudo/method-after-a-field", PSEUDO_PLACE, after(":method")),
        malformed("h2-pseudo/path-after-a-field", PSEUDO_PLACE, after(":path")),
        malformed("h2-pseudo/authority-after-a-field", PSEUDO_PLACE, after(":authority")),
        malformed("h2-pseudo/unknown", PSEUDO_UNKNOWN, [all(), field(":test", "1")].concat()),
        malformed("h2-pseudo/of-answers", PSEUDO_UNKNOWN, [all(), field(":status", "200")].concat()),
        malformed("h2-pseudo/of-one-colon", PSEUDO_UNKNOWN, [all(), field(":", "1")].concat()),
        malformed("h2-pseudo/in-upper-case", PSEUDO_UNKNOWN, [all(), field(":Path", "/b")].concat()),
        // `:protocol` belongs to extended CONNECT (RFC 8441), which a server has to allow first.
        malformed("h2-pseudo/protocol", PSEUDO_UNKNOWN, [all(), field(":protocol", "x")].concat()).strict(),
    ]
}

fn values(site: &Site) -> Vec<Case> {
    let malformed = |name, rule: Rule, pseudo: &str, value: &str| {
        site.malformed(name, rule, request(1, &with(site, pseudo, value)))
    };
    let absolute = format!("http://h{}", site.path());
    vec![
        malformed("h2-pseudo/empty-path", PATH, ":path", ""),
        // HTTP defines the syntax of these values, and a server may check less of it.
        malformed("h2-pseudo/path-without-a-slash", PATH, ":path", "a").strict(),
        malformed("h2-pseudo/path-with-a-scheme", PATH, ":path", &absolute).strict(),
        malformed("h2-pseudo/asterisk-of-a-get", PATH, ":path", "*").strict(),
        malformed("h2-pseudo/path-with-a-space", PATH, ":path", "/a b").strict(),
        malformed("h2-pseudo/empty-method", PSEUDO_MISSING, ":method", "").strict(),
        malformed("h2-pseudo/method-with-a-space", PSEUDO_MISSING, ":method", "GET x").strict(),
        malformed("h2-pseudo/empty-scheme", PSEUDO_MISSING, ":scheme", "").strict(),
    ]
}

fn authorities(site: &Site) -> Vec<Case> {
    let host = [without(site, ":authority"), field("host", "h")].concat();
    let both = site.get_with(&[("host", "h")]);
    let user = with(site, ":authority", "user@h");
    let port = with(site, ":authority", "h:8080");
    vec![
        site.answered("h2-pseudo/host-for-authority", AUTHORITY, request(1, &host)),
        site.answered("h2-pseudo/host-beside-the-same-authority", AUTHORITY, request(1, &both)).strict(),
        site.answered("h2-pseudo/authority-with-a-port", AUTHORITY, request(1, &port)),
        site.malformed("h2-pseudo/authority-with-a-user", AUTHORITY, request(1, &user)).strict(),
    ]
}

fn connects(site: &Site) -> Vec<Case> {
    let connect = |more: &[(&str, &str)]| {
        [fields(&[(":method", "CONNECT"), (":authority", "h:80")]), fields(more)].concat()
    };
    let malformed = |name, block: Vec<u8>| site.malformed(name, CONNECT, request(1, &block));
    let alone = site.sent(request(1, &connect(&[])));
    vec![
        site.case(
            "h2-pseudo/connect",
            CONNECT,
            alone
                .or([Want::Answer(1, Expected::status(NO_TUNNEL))], End::Open)
                .or([Want::Reset(1, &[])], End::Open),
        )
        .strict(),
        malformed("h2-pseudo/connect-with-a-path", connect(&[(":scheme", "http"), (":path", "/")])),
        malformed("h2-pseudo/connect-without-an-authority", fields(&[(":method", "CONNECT")])),
    ]
}
