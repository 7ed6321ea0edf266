//! The requests as bytes, and the expected bodies of their answers.

/// The requests of a run: one per path, repeated without end. Each has a number, from 0.
pub(super) struct Requests {
    /// One request per path, then the first again, so that every batch is one slice.
    bytes: Vec<u8>,
    /// The start of each request in `bytes`, and the end of the last one.
    starts: Vec<usize>,
    pub(super) targets: Vec<Target>,
}

pub(super) struct Target {
    pub(super) path: String,
    /// The expected body of its answer, byte for byte.
    pub(super) body: Vec<u8>,
}

impl Requests {
    /// Requests for `paths` to `host`, in batches of up to `depth`. Without `expect` the expected
    /// body is the greeting. With `close` each request asks the server to close the connection.
    pub(super) fn new(host: &str, paths: &[String], expect: Option<&str>, close: bool, depth: usize) -> Self {
        let target = |path: &String| {
            let body = expect.map_or_else(|| greeting(path), str::to_owned).into_bytes();
            Target { path: path.clone(), body }
        };
        let connection = if close { "Connection: close\r\n" } else { "" };
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for path in paths.iter().cycle().take(paths.len() + depth) {
            bytes.extend(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{connection}\r\n").into_bytes());
            starts.push(bytes.len());
        }
        Self { bytes, starts, targets: paths.iter().map(target).collect() }
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

    #[test]
    fn a_batch_is_one_slice_wherever_it_begins() {
        let paths = ["/a".to_owned(), "/b?c".to_owned()];
        let requests = Requests::new("h", &paths, None, false, 3);
        let (a, b) = ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /b?c HTTP/1.1\r\nHost: h\r\n\r\n");
        let cases = [(0, 1, vec![a]), (1, 1, vec![b]), (4, 3, vec![a, b, a]), (3, 3, vec![b, a, b])];
        for (first, count, expected) in cases {
            assert_eq!(requests.bytes(first, count), expected.concat().as_bytes(), "{count} from {first}");
        }
        assert_eq!(requests.target(5).body, b"Hello, visitor! You've requested: /b\n");
    }

    #[test]
    fn a_request_can_ask_to_close_its_connection() {
        let requests = Requests::new("h:1", &["/".to_owned()], Some("x"), true, 1);
        assert_eq!(requests.bytes(0, 1), b"GET / HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n");
        assert_eq!(requests.target(0).body, b"x");
    }
}
