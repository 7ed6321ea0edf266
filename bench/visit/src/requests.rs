//! The requests as bytes, and the answers that are expected.

use visit_output::Mode;

use super::head::{Form, head};
use super::kind::{Method, RequestKind};

/// The requests of a run: one per path, repeated without end. Each has a number, from 0.
///
/// With `--mix`, one request per kind follows the requests of the paths. When a connection is
/// closed after several requests, its last request differs, and all requests are stored a second
/// time in this form. [`Requests::number`] returns the number of the next one.
pub(super) struct Requests {
    /// One request per target, then the first ones again, as many as a batch has, so that every
    /// batch is one slice.
    bytes: Vec<u8>,
    /// The start of each request in `bytes`, and the end of the last one.
    starts: Vec<usize>,
    pub(super) targets: Vec<Target>,
    /// The number of paths. Their requests come first, in order.
    paths: usize,
    /// The distance from a request to the same request that asks to close its connection; 0 unless
    /// only the last request of a connection asks so.
    to_closing: usize,
    /// Whether requests differ by more than their path, or are counted on each connection.
    pub(super) vary: bool,
}

/// One request, and the answer that is expected.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) method: Method,
    pub(super) path: String,
    /// The kind: 0 is plain, and the kinds of the mix follow.
    pub(super) kind: usize,
    /// The expected status.
    pub(super) status: u16,
    /// The expected body of the answer, byte for byte; `None` when the body may be anything.
    pub(super) body: Option<Vec<u8>>,
}

impl Requests {
    /// Requests for `paths`, and one of each kind. Without `expect` the expected body is the
    /// greeting.
    pub(super) fn new(form: &Form, paths: &[String], expect: Option<&str>, kinds: &[RequestKind]) -> Self {
        let body = |path: &str| Some(expect.map_or_else(|| greeting(path), str::to_owned).into_bytes());
        let plain = |path: &String| Target {
            method: Method::Get,
            path: path.clone(),
            kind: 0,
            status: 200,
            body: body(path),
        };
        let other = |(number, kind): (usize, &RequestKind)| {
            let path = kind.path.as_ref().unwrap_or(&paths[0]);
            let is_greeted = kind.status == 200 && kind.method == Method::Get;
            Target {
                method: kind.method,
                path: path.clone(),
                kind: number + 1,
                status: kind.status,
                body: if is_greeted { body(path) } else { None },
            }
        };
        let once: Vec<Target> = paths.iter().map(plain).chain(kinds.iter().enumerate().map(other)).collect();
        let is_twice = matches!(form.mode, Mode::CloseAfter(_));
        let (targets, to_closing) = match is_twice {
            true => (once.iter().chain(&once).cloned().collect(), once.len()),
            false => (once, 0),
        };
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for (number, target) in targets.iter().enumerate().cycle().take(targets.len() + form.mode.depth()) {
            let closes = form.mode == Mode::Close || is_twice && number >= to_closing;
            let kind = target.kind.checked_sub(1).map(|kind| &kinds[kind]);
            bytes.extend(head(form, &target.path, closes, kind));
            starts.push(bytes.len());
        }
        let vary = form.mode.requests_per_connection().is_some() || !kinds.is_empty();
        Self { bytes, starts, targets, paths: paths.len(), to_closing, vary }
    }

    /// The paths in their order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.targets[..self.paths].iter().map(|target| target.path.as_str())
    }

    /// The number of the next plain request. `next` counts plain requests, and `is_last` says that
    /// this is the last request of its connection.
    pub(super) fn number(&self, next: usize, is_last: bool) -> usize {
        next % self.paths + if is_last { self.to_closing } else { 0 }
    }

    /// The number of the request of a kind that is not plain. `is_last` has the same meaning.
    pub(super) fn number_of_kind(&self, kind: usize, is_last: bool) -> usize {
        self.paths + kind - 1 + if is_last { self.to_closing } else { 0 }
    }

    /// The bytes of `count` requests from number `first`. `count` is at most the depth of the mode.
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

/// The body that this project's servers send: a greeting with the path, without its query.
fn greeting(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    format!("Hello, visitor! You've requested: {path}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    fn form(host: &str, mode: Mode) -> Form<'_> {
        Form { host, fields: &[], mode }
    }

    #[test]
    fn a_batch_is_one_slice_wherever_it_begins() {
        let paths = ["/a".to_owned(), "/b?c".to_owned()];
        let requests = Requests::new(&form("h", Mode::Pipelined(3)), &paths, None, &[]);
        let (a, b) = ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /b?c HTTP/1.1\r\nHost: h\r\n\r\n");
        let cases = [(0, 1, vec![a]), (1, 1, vec![b]), (4, 3, vec![a, b, a]), (3, 3, vec![b, a, b])];
        for (first, count, expected) in cases {
            assert_eq!(requests.bytes(first, count), expected.concat().as_bytes(), "{count} from {first}");
        }
        assert_eq!(requests.target(5).body.as_deref(), Some(&b"Hello, visitor! You've requested: /b\n"[..]));
    }

    #[test]
    fn a_request_can_ask_to_close_its_connection() {
        let paths = ["/".to_owned(), "/b".to_owned()];
        let close = "Connection: close\r\n";
        let cases =
            [(Mode::KeepAlive, ["", ""]), (Mode::Close, [close; 2]), (Mode::CloseAfter(2), ["", close])];
        for (mode, expected) in cases {
            let requests = Requests::new(&form("h:1", mode), &paths, Some("x"), &[]);
            for (next, path) in [(0, "/"), (1, "/b"), (2, "/"), (usize::MAX, "/b")] {
                for (is_last, expected) in [false, true].into_iter().zip(expected) {
                    let number = requests.number(next, is_last);
                    let bytes = format!("GET {path} HTTP/1.1\r\nHost: h:1\r\n{expected}\r\n");
                    assert_eq!(requests.bytes(number, 1), bytes.as_bytes(), "{mode}");
                    assert_eq!(requests.target(number).body.as_deref(), Some(&b"x"[..]));
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
            let requests = Requests::new(&form, &["/".to_owned()], None, &[]);
            let bytes = format!("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\na: c\r\n{close}\r\n");
            assert_eq!(requests.bytes(0, 1), bytes.as_bytes(), "{mode}");
        }
    }

    #[test]
    fn each_kind_has_its_request_and_its_answer() {
        let kinds = [
            "name=a,share=0.1,method=DELETE,path=/d,status=405",
            "name=b,share=0.1,malformed=no-host,status=400",
            "name=c,share=0.1,path=/c,status=200",
        ];
        let kinds = kinds.map(|kind| kind.parse().unwrap());
        let paths = ["/a".to_owned(), "/b".to_owned()];
        let expected = [("DELETE /d ", 405, false), ("GET /a ", 400, false), ("GET /c ", 200, true)];
        for (mode, closing) in [(Mode::KeepAlive, 0), (Mode::Close, 0), (Mode::CloseAfter(2), 5)] {
            let requests = Requests::new(&form("h", mode), &paths, None, &kinds);
            assert_eq!(requests.paths().collect::<Vec<_>>(), ["/a", "/b"], "{mode}");
            for (kind, (start, status, has_body)) in (1..).zip(expected) {
                let number = requests.number_of_kind(kind, false);
                assert_eq!(requests.number_of_kind(kind, true), number + closing, "{mode}");
                for is_last in [false, true] {
                    let number = requests.number_of_kind(kind, is_last);
                    let bytes = std::str::from_utf8(requests.bytes(number, 1)).unwrap();
                    let target = requests.target(number);
                    assert!(bytes.starts_with(start), "{mode}: {bytes}");
                    let closes = mode == Mode::Close || closing > 0 && is_last;
                    assert_eq!(bytes.contains("Connection: close"), closes, "{mode}: {bytes}");
                    assert_eq!((target.kind, target.status), (kind, status), "{mode}");
                    assert_eq!(target.body.is_some(), has_body, "{mode}");
                }
            }
        }
    }
}
