//! Generated well-formed requests.

use proptest::array::uniform6;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A request as bytes, and its meaning.
#[derive(Clone)]
pub(crate) struct Request {
    /// The head, up to and including the empty line.
    pub(crate) head: String,
    /// The body as it is sent, with its framing.
    pub(crate) body: Vec<u8>,
    pub(crate) method: String,
    /// The path that the answer has to name.
    pub(crate) path: String,
    pub(crate) version: Version,
    pub(crate) option: Persistence,
    /// Whether it has `Expect: 100-continue`.
    pub(crate) expects: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    Http11,
}

/// The option in its `Connection` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    Unsaid,
    KeepAlive,
    Close,
    Upgrade,
}

/// How a body is framed.
#[derive(Clone, Debug)]
enum Body {
    None,
    Sized(Vec<u8>),
    /// The chunks and the trailers. A chunk has its data, whether its size is in capitals, and its
    /// extensions.
    Chunked(Vec<(Vec<u8>, bool, String)>, Vec<String>),
}

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "{:?} + {:?}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// Generates requests within the rules and the limits.
pub(crate) fn requests() -> impl Strategy<Value = Request> {
    let version = prop_oneof![6 => Just(Version::Http11), 1 => Just(Version::Http10)];
    let option = prop_oneof![
        6 => Just(Persistence::Unsaid),
        1 => Just(Persistence::KeepAlive),
        1 => Just(Persistence::Close),
        1 => Just(Persistence::Upgrade),
    ];
    let expects = prop::bool::weighted(0.2);
    let parts = (asked(), version, option, expects, body(), vec(field(), 0..8), uniform6(any::<Style>()));
    parts.prop_map(|((method, target, path), version, option, expects, body, mut fields, styles)| {
        let body = if version == Version::Http10 { sized(body, &method) } else { body };
        let decisive = decisive_fields(version, option, expects, &body);
        for ((name, value), (case, space, place)) in decisive.into_iter().zip(&styles) {
            let name = [name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()];
            let line = format!("{}:{}{value}", case.get(&name), space.get(&["", " ", "\t ", "  "]));
            fields.insert(place.index(fields.len() + 1), line);
        }
        let number = if version == Version::Http11 { "1.1" } else { "1.0" };
        let fields: String = fields.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("{method} {target} HTTP/{number}\r\n{fields}\r\n");
        Request { head, body: body.sent(), method, path, version, option, expects }
    })
}

/// The case of a field's name, the space after its colon, and its position among the other fields.
type Style = (Index, Index, Index);

/// The fields that decide how a request is parsed, each once.
fn decisive_fields(
    version: Version,
    option: Persistence,
    expects: bool,
    body: &Body,
) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let mut add = |name, value: &str| fields.push((name, value.to_owned()));
    // An HTTP/1.0 client may leave out Host, and here does so in requests with a body.
    if version == Version::Http11 || matches!(body, Body::None) {
        add("Host", "example.test:8080");
    }
    match option {
        Persistence::Unsaid => {}
        Persistence::KeepAlive => add("Connection", "Keep-Alive"),
        Persistence::Close => add("Connection", "x-other, close"),
        Persistence::Upgrade => {
            add("Connection", "upgrade");
            add("Upgrade", "x-other/1");
        }
    }
    if expects {
        add("Expect", "100-continue");
    }
    match body {
        Body::None => {}
        Body::Sized(bytes) => add("Content-Length", &bytes.len().to_string()),
        Body::Chunked(..) => add("Transfer-Encoding", "chunked"),
    }
    fields
}

/// The request that ends a connection.
pub(crate) fn last() -> Request {
    Request {
        head: "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_owned(),
        body: Vec::new(),
        method: "GET".to_owned(),
        path: "/last".to_owned(),
        version: Version::Http11,
        option: Persistence::Close,
        expects: false,
    }
}

/// Generates the method, the target and the path of a request.
fn asked() -> impl Strategy<Value = (String, String, String)> {
    let query = || option::of(queries());
    let authorities = vec!["http://h", "HTTPS://a.example:8080", "http://[::1]:80", "http://127.0.0.1"];
    let authority = prop_oneof![3 => Just(""), 1 => select(authorities)];
    let with_a_path =
        (methods(), authority, paths(), query()).prop_map(|(method, authority, path, query)| {
            (method, format!("{authority}{path}{}", query.unwrap_or_default()), path)
        });
    let without = query().prop_map(|query| {
        ("GET".to_owned(), format!("http://h{}", query.unwrap_or_default()), "/".to_owned())
    });
    let asterisk = Just(("OPTIONS".to_owned(), "*".to_owned(), String::new()));
    let authority = Just(("CONNECT".to_owned(), "h.example:443".to_owned(), String::new()));
    prop_oneof![40 => with_a_path, 2 => without, 2 => asterisk, 1 => authority]
}

/// Generates methods of requests for a path.
pub(crate) fn methods() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => select(vec!["GET", "GET", "HEAD", "POST"]).prop_map(str::to_owned),
        1 => select(vec!["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"]).prop_map(str::to_owned),
        // A token may also have `#$%&'`, which the version of the crate `http` in actix rejects in
        // a method.
        1 => "X[A-Z!*+.^_`|~-]{1,10}",
    ]
}

/// Generates paths.
pub(crate) fn paths() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}){0,12}){1,4}",
        1 => (1000..1500_usize).prop_map(|length| format!("/{}", "p".repeat(length))),
    ]
}

/// Generates queries.
pub(crate) fn queries() -> impl Strategy<Value = String> {
    r"\?([A-Za-z0-9/?&=:@.+]|%[0-9A-F]{2}){0,12}"
}

/// The line of a field that has no effect.
fn field() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        select(vec!["Accept", "User-Agent", "cookie", "Content-Type", "Range", "TE"]).prop_map(str::to_owned),
        extension_names(),
    ];
    (name, "[ \t]{0,2}", values(), "[ \t]{0,2}")
        .prop_map(|(name, before, value, after)| format!("{name}:{before}{value}{after}"))
}

/// Generates names of fields that no document defines.
pub(crate) fn extension_names() -> impl Strategy<Value = String> {
    "[Xx]-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,16}"
}

/// Generates values of fields.
pub(crate) fn values() -> impl Strategy<Value = String> {
    prop_oneof![4 => "([!-~]([ -~\t]{0,30}[!-~])?)?", 1 => "[!-~]é[ -~]{0,4}ü"]
}

/// Generates contents, or pieces of them.
pub(crate) fn contents() -> impl Strategy<Value = Vec<u8>> {
    let smuggled = Just(b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n".to_vec());
    let long = (any::<u8>(), 2000..4000_usize).prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![3 => vec(any::<u8>(), 1..60), 1 => smuggled, 1 => long]
}

fn body() -> impl Strategy<Value = Body> {
    let extensions = r#"(;[a-z]{1,4}(=([a-z0-9]{1,4}|"[ -!#-\[]{0,6}"))?){1,2}"#;
    let extension = prop_oneof![3 => Just(String::new()), 1 => extensions];
    let chunks = vec((contents(), any::<bool>(), extension), 0..4);
    let trailers = vec("X-[a-z]{1,8}: ?[!-~]{0,10}", 0..3);
    prop_oneof![
        4 => Just(Body::None),
        1 => Just(Body::Sized(Vec::new())),
        2 => contents().prop_map(Body::Sized),
        3 => (chunks, trailers).prop_map(|(chunks, trailers)| Body::Chunked(chunks, trailers)),
    ]
}

/// Changes a body for HTTP/1.0, which has no chunks. A POST always has a length, since a server may
/// reject one without it (RFC 1945, section 8.3), as actix does.
fn sized(body: Body, method: &str) -> Body {
    match body {
        Body::None if method == "POST" => Body::Sized(Vec::new()),
        Body::Chunked(chunks, _) => Body::Sized(chunks.into_iter().flat_map(|(data, ..)| data).collect()),
        body => body,
    }
}

impl Body {
    fn sent(&self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Sized(bytes) => bytes.clone(),
            Self::Chunked(chunks, trailers) => {
                let mut sent = Vec::new();
                for (data, capitals, extension) in chunks {
                    let length = data.len();
                    let size = if *capitals { format!("{length:02X}") } else { format!("{length:x}") };
                    let line = format!("{size}{extension}\r\n");
                    sent.extend([line.as_bytes(), data, b"\r\n"].concat());
                }
                let trailers: String = trailers.iter().map(|line| format!("{line}\r\n")).collect();
                sent.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
                sent
            }
        }
    }
}
