//! The requests as bytes, and the expected bodies of their answers.

use super::field::Field;
use super::mode::Mode;

/// The requests of a run: one per path, repeated without end. Each has a number, from 0.
///
/// Where a connection is closed after several requests, its last one differs, so that each path has
/// two requests here, and [`Requests::number`] says which.
pub(super) struct Requests {
    /// One request per target, then the first again, so that every batch is one slice.
    bytes: Vec<u8>,
    /// The start of each request in `bytes`, and the end of the last one.
    starts: Vec<usize>,
    pub(super) targets: Vec<Target>,
    /// The number of paths, whose requests come first, in their order.
    paths: usize,
    /// From a request to the same one that asks to close its connection: 0 where all of them do.
    to_closing: usize,
}

/// What all requests have in common.
pub(super) struct Form<'a> {
    pub(super) host: &'a str,
    /// Fields behind `Host`, in their order.
    pub(super) fields: &'a [Field],
    /// Which requests ask the server to close the connection, and how long a batch is.
    pub(super) mode: Mode,
}

#[derive(Clone)]
pub(super) struct Target {
    pub(super) path: String,
    /// The expected body of its answer, byte for byte.
    pub(super) body: Vec<u8>,
}

impl Requests {
    /// Requests for `paths`. Without `expect` the expected body is the greeting.
    pub(super) fn new(form: &Form, paths: &[String], expect: Option<&str>) -> Self {
        let Form { host, fields, mode } = *form;
        let target = |path: &String| {
            let body = expect.map_or_else(|| greeting(path), str::to_owned).into_bytes();
            Target { path: path.clone(), body }
        };
        let once: Vec<Target> = paths.iter().map(target).collect();
        let (targets, to_closing) = match mode {
            Mode::CloseAfter(_) => (once.iter().chain(&once).cloned().collect(), once.len()),
            _ => (once, 0),
        };
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for (number, target) in targets.iter().enumerate().cycle().take(targets.len() + mode.depth()) {
            let closes = mode == Mode::Close || to_closing > 0 && number >= to_closing;
            let connection = if closes { "Connection: close\r\n" } else { "" };
            let path = &target.path;
            let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}{connection}\r\n");
            bytes.extend(head.into_bytes());
            starts.push(bytes.len());
        }
        Self { bytes, starts, targets, paths: paths.len(), to_closing }
    }

    /// The paths in their order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.targets[..self.paths].iter().map(|target| target.path.as_str())
    }

    /// The number of the request for the next path, where `next` counts requests: the last one of
    /// its connection or another one.
    pub(super) fn number(&self, next: usize, is_last: bool) -> usize {
        next % self.paths + if is_last { self.to_closing } else { 0 }
    }

    /// The bytes of `count` requests from number `first`. `count` is at most the depth.
    pub(super) fn bytes(&self, first: usize, count: usize) -> &[u8] {
        let first = first % self.targets.len();
        &self.bytes[self.starts[first]..self.starts[first + count]]
    }

    pub(super) fn target(&self, number: usize) -> &Target {
        &self.targets[self.index(number)]
    }

    /// The index in [`Requests::targets`] of the target of the request with this number.
    pub(super) fn index(&self, number: usize) -> usize {
        number % self.targets.len()
    }
}

/// The greeting of the servers that `visit` was written for: the path without the query.
fn greeting(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    format!("Hello, visitor! You've requested: {path}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(host: &str, mode: Mode) -> Form<'_> {
        Form { host, fields: &[], mode }
    }

    #[test]
    fn a_batch_is_one_slice_wherever_it_begins() {
        let paths = ["/a".to_owned(), "/b?c".to_owned()];
        let requests = Requests::new(&form("h", Mode::Pipelined(3)), &paths, None);
        let (a, b) = ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /b?c HTTP/1.1\r\nHost: h\r\n\r\n");
        let cases = [(0, 1, vec![a]), (1, 1, vec![b]), (4, 3, vec![a, b, a]), (3, 3, vec![b, a, b])];
        for (first, count, expected) in cases {
            assert_eq!(requests.bytes(first, count), expected.concat().as_bytes(), "{count} from {first}");
        }
        assert_eq!(requests.target(5).body, b"Hello, visitor! You've requested: /b\n");
    }

    #[test]
    fn a_request_can_ask_to_close_its_connection() {
        let paths = ["/".to_owned(), "/b".to_owned()];
        let close = "Connection: close\r\n";
        let cases =
            [(Mode::KeepAlive, ["", ""]), (Mode::Close, [close; 2]), (Mode::CloseAfter(2), ["", close])];
        for (mode, expected) in cases {
            let requests = Requests::new(&form("h:1", mode), &paths, Some("x"));
            for (next, path) in [(0, "/"), (1, "/b"), (2, "/"), (usize::MAX, "/b")] {
                for (is_last, expected) in [false, true].into_iter().zip(expected) {
                    let number = requests.number(next, is_last);
                    let bytes = format!("GET {path} HTTP/1.1\r\nHost: h:1\r\n{expected}\r\n");
                    assert_eq!(requests.bytes(number, 1), bytes.as_bytes(), "{mode}");
                    assert_eq!(requests.target(number).body, b"x");
                }
            }
            assert_eq!(requests.paths().collect::<Vec<_>>(), ["/", "/b"], "{mode}");
        }
    }

    #[test]
    fn fields_are_behind_the_host() {
        let fields: Vec<Field> = ["A:b", "a: c"].iter().map(|text| text.parse().unwrap()).collect();
        for (mode, close) in [(Mode::KeepAlive, ""), (Mode::Close, "Connection: close\r\n")] {
            let form = Form { host: "h", fields: &fields, mode };
            let requests = Requests::new(&form, &["/".to_owned()], None);
            let bytes = format!("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\na: c\r\n{close}\r\n");
            assert_eq!(requests.bytes(0, 1), bytes.as_bytes(), "{mode}");
        }
    }
}
