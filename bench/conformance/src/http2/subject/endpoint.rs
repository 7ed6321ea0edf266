//! The endpoint itself: the greeting, its path, the methods, and answers without a delay.

use crate::case::Case;
use crate::expected::Expected;
use crate::http2::frame::{last_data, opening, request};
use crate::http2::hpack::field;
use crate::http2::script::{End, Event, Finish, Step, Want};
use crate::http2::site::{Site, send};
use crate::rules::http2::{PROMPT, RECOMMENDED_STREAMS, SEVERAL};
use crate::rules::{ALLOW, ANSWER_LENGTH, DATE, ENDPOINT, HEAD, MEDIA_TYPE};

/// The number of rounds of requests. In the first half the kernel may still acknowledge at once.
const ROUNDS: u32 = 20;

pub(in super::super) fn cases(site: &Site) -> Vec<Case> {
    let mut cases = if site.greets() { paths(site) } else { Vec::new() };
    let get = request(1, &site.get());
    let of = |name, rule, answer: Expected| {
        site.case(name, rule, site.sent(&get).or([Want::Answer(1, answer)], End::Open))
    };
    let head = if site.greets() { "/a" } else { site.path() };
    let head_only = || Want::Answer(1, Expected::head(head));
    cases.extend([
        of("h2-endpoint/request", ENDPOINT, site.answer()).strict(),
        of("h2-endpoint/date", DATE, site.answer().dated()),
        of("h2-endpoint/content-type", MEDIA_TYPE, site.answer().typed()).strict(),
        site.case(
            "h2-endpoint/head",
            HEAD,
            site.sent(request(1, &site.block("HEAD", site.path()))).or([head_only()], End::Open),
        ),
    ]);
    if site.greets() {
        cases.push(of("h2-endpoint/content-length", ANSWER_LENGTH, site.answer().sized()).strict());
        cases.extend(methods(site));
    }
    cases.extend(several(site));
    cases
}

/// The greeting has the path as it was sent, byte for byte: not decoded, normalized or merged.
fn paths(site: &Site) -> Vec<Case> {
    let targets = [
        ("h2-endpoint/path", "/abc", "/abc"),
        ("h2-endpoint/root", "/", "/"),
        ("h2-endpoint/query", "/abc?d=e&f", "/abc"),
        ("h2-endpoint/percent-encoding", "/a%20b%2Fc", "/a%20b%2Fc"),
        ("h2-endpoint/characters-of-a-path", "/aZ09-._~!$&'()*+,;=:@", "/aZ09-._~!$&'()*+,;=:@"),
        ("h2-endpoint/dots", "/a/../b/./c", "/a/../b/./c"),
        ("h2-endpoint/slashes", "//a///b/", "//a///b/"),
    ];
    let case = |(name, target, path)| {
        let frames = site.sent(request(1, &site.block("GET", target)));
        site.case(name, ENDPOINT, frames.or([Want::Answer(1, Expected::greeting(path))], End::Open)).strict()
    };
    targets.map(case).to_vec()
}

fn methods(site: &Site) -> Vec<Case> {
    let methods = [
        ("h2-endpoint/post", "POST"),
        ("h2-endpoint/put", "PUT"),
        ("h2-endpoint/delete", "DELETE"),
        ("h2-endpoint/options", "OPTIONS"),
        ("h2-endpoint/unknown-method", "BREW"),
    ];
    let not_allowed = || [Want::Answer(1, Expected::not_allowed())];
    let case = |(name, method)| {
        let frames = site.sent(request(1, &site.block(method, "/a")));
        site.case(name, ALLOW, frames.or(not_allowed(), End::Open)).strict()
    };
    let mut cases = methods.map(case).to_vec();
    let length = field("content-length", "3");
    let with_content = [opening(1, &[site.post(), length].concat()), last_data(1, b"abc")].concat();
    let frames = site.sent(with_content).or(not_allowed(), End::Open);
    cases.push(site.case("h2-endpoint/post-with-content", ALLOW, frames).strict());
    cases
}

/// Several requests on one connection.
fn several(site: &Site) -> Vec<Case> {
    let get = |stream| request(stream, &site.get());
    let streams = |count: u32| (0..count).map(|number| 1 + 2 * number);
    let answers =
        |count| -> Vec<Want> { streams(count).map(|stream| Want::Answer(stream, site.answer())).collect() };
    let at_once = |count| -> Vec<u8> { streams(count).flat_map(get).collect() };
    let of = |name, rule, frames| site.case(name, rule, frames);
    let in_turn = streams(20).flat_map(|stream| [send(get(stream)), Step::Await(Event::End(stream))]);
    let head = Want::Answer(3, Expected::head(site.path()));
    let mixed = [get(1), request(3, &site.block("HEAD", site.path())), get(5)].concat();
    let mixed_answers = [Want::Answer(1, site.answer()), head, Want::Answer(5, site.answer())];
    let rounds = (0..ROUNDS).map(|round| {
        let streams: Vec<u32> = (0..5).map(|number| 1 + 10 * round + 2 * number).collect();
        (streams.iter().flat_map(|stream| get(*stream)).collect(), streams)
    });
    vec![
        of(
            "h2-endpoint/one-after-the-other",
            SEVERAL,
            site.sent([]).then(in_turn).or(answers(20), End::Open),
        ),
        of("h2-endpoint/at-once", SEVERAL, site.sent(at_once(16)).or(answers(16), End::Open)),
        of("h2-endpoint/head-among-others", HEAD, site.sent(mixed).or(mixed_answers, End::Open)),
        of(
            "h2-endpoint/hundred-at-once",
            RECOMMENDED_STREAMS,
            site.sent([])
                .then([Step::Await(Event::Settings), send(at_once(100))])
                .with_finish(Finish::Wait)
                .or(answers(100), End::Any),
        )
        .strict(),
        of(
            "h2-endpoint/no-delay",
            PROMPT,
            site.sent([])
                .then([Step::Await(Event::Settings), Step::Rounds(rounds.collect())])
                .or([Want::Answer(1, site.answer())], End::Open),
        )
        .strict(),
    ]
}
