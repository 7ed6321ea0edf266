//! What is asked: the requests as bytes, and the bodies that their answers have to have.

/// Requests of one run, in the order in which each connection's batches take them, over and over.
pub(super) struct Script {
    /// The requests one after another, with as many of the first ones repeated at the end as a batch may have, so that
    /// every batch is one piece.
    bytes: Vec<u8>,
    /// Where each request begins in `bytes`, and where the last one ends.
    starts: Vec<usize>,
    targets: Vec<Target>,
}

/// One request target.
pub(super) struct Target {
    /// As it is sent.
    pub(super) path: String,
    /// The body of its answer, byte for byte.
    pub(super) body: Vec<u8>,
}

impl Script {
    /// Requests for `paths` to `host`, in batches of up to `depth`. Without `expect` the body is the endpoint's greeting.
    /// `close` asks the server to close the connection after its answer.
    pub(super) fn new(host: &str, paths: &[String], expect: Option<&str>, close: bool, depth: usize) -> Self {
        let target = |path: &String| {
            let body = expect.map_or_else(|| greeting(path), str::to_owned).into_bytes();
            Target { path: path.clone(), body }
        };
        let connection = if close { "Connection: close\r\n" } else { "" };
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for path in paths.iter().cycle().take(paths.len() + depth) {
            bytes.extend_from_slice(
                format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{connection}\r\n").as_bytes(),
            );
            starts.push(bytes.len());
        }
        Self { bytes, starts, targets: paths.iter().map(target).collect() }
    }

    /// The bytes of `count` requests from number `first` on. `count` is at most the depth.
    pub(super) fn requests(&self, first: usize, count: usize) -> &[u8] {
        let first = first % self.targets.len();
        &self.bytes[self.starts[first]..self.starts[first + count]]
    }

    /// What the request with this number asks for.
    pub(super) fn target(&self, number: usize) -> &Target {
        &self.targets[self.place(number)]
    }

    /// The place among [`Script::targets`] of what the request with this number asks for.
    pub(super) fn place(&self, number: usize) -> usize {
        number % self.targets.len()
    }

    /// Everything that is asked for.
    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }
}

/// The endpoint's body: it drops the query.
fn greeting(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    format!("Hello, visitor! You've requested: {path}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_one_piece_wherever_it_begins() {
        let paths = ["/a".to_owned(), "/b?c".to_owned()];
        let script = Script::new("h", &paths, None, false, 3);
        let (a, b) = ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /b?c HTTP/1.1\r\nHost: h\r\n\r\n");
        let cases = [(0, 1, vec![a]), (1, 1, vec![b]), (4, 3, vec![a, b, a]), (3, 3, vec![b, a, b])];
        for (first, count, expected) in cases {
            assert_eq!(script.requests(first, count), expected.concat().as_bytes(), "{count} from {first}");
        }
        assert_eq!(script.target(5).body, b"Hello, visitor! You've requested: /b\n");
    }

    #[test]
    fn a_request_asks_for_the_end_of_its_connection() {
        let script = Script::new("h:1", &["/".to_owned()], Some("x"), true, 1);
        assert_eq!(script.requests(0, 1), b"GET / HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n");
        assert_eq!(script.target(0).body, b"x");
    }
}
