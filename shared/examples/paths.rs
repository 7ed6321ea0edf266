//! The paths that every request takes through the code that the Rust servers share, for `bench/tests/budgets` to count their
//! instructions under callgrind.
//!
//! `paths NAME TIMES` takes one for so many requests, which is a multiple of 16. The difference of two runs is free of all that
//! happens once.
#![allow(clippy::panic, clippy::expect_used, reason = "a count of a wrong answer is none")]

use std::hint::black_box;

use shared::http::answer::{self, After};
use shared::http::rules::{Framing, Method, Request, Version};
use shared::http::{Buffers, Gate, Session, Times, Turn, date, head, limits};
use shared::testing::heads::{BARE, BROWSER, WRK};
use shared::testing::wire::{Alone, Wire};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("the first argument is a path's name");
    let requests = arguments.next().and_then(|number| number.parse().ok());
    let requests: usize = requests.expect("the second argument is a number of requests");
    match name.as_str() {
        "answer/whole/4" => answers(4, requests),
        "answer/whole/1024" => answers(1024, requests),
        "connection/pipelined/1" => connection(1, requests),
        "connection/pipelined/16" => connection(16, requests),
        "date/now" => (0..requests).for_each(|_| assert!(black_box(date::now()).ends_with(b" GMT"))),
        "gate/pipelined/1" => gate(1, requests),
        "gate/pipelined/16" => gate(16, requests),
        "request/parse/bare" => heads(BARE, requests),
        "request/parse/browser" => heads(BROWSER, requests),
        "request/parse/wrk" => heads(WRK, requests),
        _ => panic!("there is no path `{name}`"),
    }
}

/// Whole answers to a path of so many bytes.
fn answers(length: usize, requests: usize) {
    let path = format!("/{}", "p".repeat(length - 1));
    let date = [b'.'; date::LEN];
    let mut out = Vec::with_capacity(16 * 1024);
    for _ in 0..requests {
        let request = Request {
            method: Method::Get,
            path: black_box(path.as_bytes()),
            version: Version::Http11,
            framing: Framing::None,
            keep_alive: true,
            expects_continue: false,
            wants_upgrade: false,
        };
        out.clear();
        answer::write(&request, After::KeepOpen, &date, &mut out);
        assert!(black_box(&out).ends_with(b"\n"));
    }
}

fn heads(text: &str, requests: usize) {
    for _ in 0..requests {
        match head::parse(black_box(text.as_bytes())) {
            Ok(Some((request, length))) => assert_eq!((request.path, length), (&b"/abc"[..], text.len())),
            other => panic!("{other:?}"),
        }
    }
}

/// Requests that come so many at once, in the loop that threads and coroutines share.
fn connection(at_once: usize, requests: usize) {
    let times =
        Times { head: limits::HEAD_TIMEOUT, idle: limits::IDLE_TIMEOUT, write: limits::WRITE_TIMEOUT };
    let input = BARE.repeat(at_once);
    let (mut buffers, mut session) = (Buffers::default(), Session::default());
    for _ in 0..requests / at_once {
        let pieces = [black_box(input.as_str())];
        let mut wire = Wire::new(&pieces);
        assert_eq!(session.turn(&mut wire, &mut buffers, &times, &Alone), Turn::Readable);
        assert!(wire.received > input.len());
    }
}

/// The same through the rules in front of a framework.
fn gate(at_once: usize, requests: usize) {
    let input = BARE.repeat(at_once);
    let mut gate = Gate::default();
    for _ in 0..requests / at_once {
        assert_eq!(gate.admit(black_box(input.as_bytes())).bytes, input.len());
    }
}
