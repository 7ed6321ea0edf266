//! The rules that the cases test, each in short and plain words, with the MUST, SHOULD or MAY of
//! its section. Each case tests one of them.

/// A rule of an RFC, or of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The RFC and its section, or another source of the rule.
    pub section: &'static str,
    /// The rule in words.
    pub says: &'static str,
}

impl Rule {
    /// A rule with this source and without words.
    pub const fn new(section: &'static str) -> Self {
        Self { section, says: "" }
    }
}

macro_rules! rules {
    ($($name:ident = $section:literal: $says:literal;)*) => {
        $(pub(crate) const $name: Rule = Rule { section: $section, says: $says };)*
    };
}

pub(crate) mod http2;
pub(crate) mod tls;

rules! {
    ENDPOINT = "the endpoint":
        "What a README of this repository promises, where the RFCs leave the choice.";

    // Lines and the request line.
    LINES = "RFC 9112, section 2.2":
        "A line of a head ends with CRLF; a server MAY take LF alone for it.";
    BARE_CR = "RFC 9112, section 2.2":
        "A CR without LF is invalid: a server MUST reject it or read it as a space.";
    EMPTY_LINE = "RFC 9112, section 2.2":
        "A server SHOULD ignore an empty line before a request.";
    FIRST_FIELD = "RFC 9112, section 2.2":
        "White space before the first field: a server MUST reject the request or drop such lines.";
    RECOVERY = "RFC 9110, section 2.4":
        "A recipient MAY recover what is usable of an invalid construct, unless a rule says otherwise.";
    REQUEST_LINE = "RFC 9112, section 3.2":
        "A server SHOULD answer an invalid request line with 400 or 301, and SHOULD NOT mend it by itself.";
    WORDS = "RFC 9112, section 3":
        "A server MAY split the request line at white space of other kinds than one space.";
    VERSION = "RFC 9112, section 2.3":
        "The version is HTTP/, a digit, a point and a digit, in these letters; a line without is invalid, and SHOULD get 400.";
    MAJOR_VERSION = "RFC 9110, section 15.6.6":
        "A server that does not support the major version answers 505, and may refuse it in another way.";
    MINOR_VERSION = "RFC 9110, section 2.5":
        "A higher minor version SHOULD be served as the highest that the server knows of the same major one.";
    PREFACE = "RFC 9113, section 3.4":
        "The preface is chosen so that servers of HTTP/1.1 reject it; a server of HTTP/2 answers with SETTINGS.";

    // Fields.
    FIELD_LINE = "RFC 9112, section 5":
        "A field is a name, a colon and a value, with optional white space around the value.";
    COLON = "RFC 9112, section 5.1":
        "White space between a name and its colon: a server MUST answer 400.";
    FOLDING = "RFC 9112, section 5.2":
        "A folded line: a server MUST answer 400, or read the fold as spaces.";
    NAME = "RFC 9110, section 5.1":
        "A field name is a token.";
    VALUE = "RFC 9110, section 5.5":
        "A recipient SHOULD take bytes over 127 in a value for opaque data; they are valid, if obsolete.";
    NUL = "RFC 9110, section 5.5":
        "CR, LF or NUL in a value: a server MUST reject the message or read each of them as a space.";
    DATE = "RFC 9110, section 6.6.1":
        "A server with a clock MUST send Date with each status from 2xx to 4xx, in one form (5.6.7).";
    MEDIA_TYPE = "RFC 9110, section 8.3":
        "A server SHOULD send a Content-Type with content; types and their parameters have no order of spaces or case.";
    ANSWER_LENGTH = "RFC 9112, section 6.3":
        "The end of an answer's body is known by its length, by its chunks, or by the end of the connection.";

    // Lengths and codings.
    LENGTH = "RFC 9112, section 6.3":
        "An invalid Content-Length: a server MUST answer 400 and close, unless the value is a list of one and the same valid number.";
    LARGE_LENGTH = "RFC 9110, section 8.6":
        "A recipient MUST expect large numbers, and prevent errors by overflow.";
    CODING = "RFC 9112, section 6.3":
        "Transfer-Encoding whose last coding is not chunked: a server MUST answer 400 and close.";
    UNKNOWN_CODING = "RFC 9112, section 6.1":
        "A server that does not know a transfer coding SHOULD answer 501.";
    CHUNKED_ONCE = "RFC 9112, section 6.1":
        "A sender MUST NOT apply chunked more than once; what a recipient does is left open.";
    CHUNKED_PARAMETER = "RFC 9112, section 7.1":
        "chunked has no parameters; that there are some SHOULD be an error.";
    BOTH = "RFC 9112, section 6.1":
        "Content-Length beside Transfer-Encoding: a server MAY reject the request, or read the chunks alone; it MUST close after it.";
    OLD_CODING = "RFC 9112, section 6.1":
        "Transfer-Encoding in HTTP/1.0: a server MUST take the framing for faulty, and close after the answer.";
    BODY = "RFC 9112, section 6.3":
        "The head alone decides how long a request's body is: by chunks, by a length, or there is none.";
    CHUNKED = "RFC 9112, section 7.1":
        "A recipient MUST be able to read chunks, names of codings have no case.";
    CONTENT_OF_GET = "RFC 9110, section 9.3.1":
        "Content in a GET or HEAD has no meaning, cannot change what the target is, and might make a server reject the request.";
    CONTENT_TOO_LARGE = "RFC 9110, section 15.5.14":
        "A server that refuses a large body answers 413, and MAY close.";

    // Chunks.
    CHUNK_SIZE = "RFC 9112, section 7.1":
        "A chunk is its size in hexadecimal, CRLF, that number of bytes and CRLF.";
    CHUNK_OVERFLOW = "RFC 9112, section 7.1":
        "A recipient MUST expect large sizes, and prevent errors by overflow.";
    EXTENSION = "RFC 9112, section 7.1.1":
        "A recipient MUST ignore extensions that it does not know; each is a semicolon, a token, and maybe a value.";
    EXTENSION_LENGTH = "RFC 9112, section 7.1.1":
        "A server ought to limit the length of extensions, and to answer 4xx beyond.";
    TRAILER = "RFC 9112, section 7.1.2":
        "A recipient MAY keep the fields of a trailer or drop them; they have the syntax of fields.";

    TRAILER_FIELDS = "RFC 9110, section 6.5.1":
        "A sender MUST NOT put fields about framing into a trailer.";

    // Host and target.
    HOST = "RFC 9112, section 3.2":
        "A request of HTTP/1.1 without Host, or any with two of them or an invalid one: a server MUST answer 400.";
    HOST_SYNTAX = "RFC 9110, section 7.2":
        "Host is the name, IPv4 address or bracketed IPv6 address of a URI, and maybe a port.";
    NO_AUTHORITY = "RFC 9112, section 3.3":
        "Where a request names no authority, a server can use its own, or reject the request.";
    TARGET = "RFC 9112, section 3.2":
        "A target has one of four forms; an invalid one makes an invalid request line, which SHOULD get 400.";
    ABSOLUTE = "RFC 9112, section 3.2.2":
        "A server MUST accept a whole URI as the target, and MUST ignore Host beside it.";
    EMPTY_HOST = "RFC 9110, section 4.2.1":
        "A recipient MUST reject a URI of http with an empty host; a server can also use its own (RFC 9112, section 3.3).";
    USER = "RFC 9110, section 4.2.4":
        "A recipient SHOULD look for a user in an untrusted URI, and take it for an error.";
    ASTERISK = "RFC 9112, section 3.2.4":
        "The target `*` is only for OPTIONS, of the server as a whole.";
    AUTHORITY = "RFC 9112, section 3.2.3":
        "A target of a host and a port is only for CONNECT.";
    CONNECT = "RFC 9110, section 9.3.6":
        "Only an answer of 2xx opens a tunnel; after another one the next bytes are a request.";
    CONNECT_PORT = "RFC 9110, section 9.3.6":
        "A server MUST reject a CONNECT with an empty or invalid port, typically by 400.";

    // Methods.
    METHOD = "RFC 9110, section 9.1":
        "A server SHOULD answer 501 to a method that it does not know, and 405 to one that the target does not have; methods have a case.";
    ALLOW = "RFC 9110, section 15.5.6":
        "A server MUST send Allow with 405; that a method gets 405 is the endpoint's choice.";
    HEAD = "RFC 9110, section 9.3.2":
        "A server MUST NOT send content in the answer to a HEAD.";
    REQUIRED_METHODS = "RFC 9110, section 9.1":
        "A server MUST support GET and HEAD.";

    // Connections.
    PERSISTENCE = "RFC 9112, section 9.3":
        "Connections of HTTP/1.1 persist unless `close` is said, those of HTTP/1.0 only where both sides say `keep-alive`.";
    CLOSE = "RFC 9112, section 9.6":
        "After `close` a server MUST close once it has answered, MUST NOT serve what follows, and SHOULD say `close` itself.";
    OPTIONS = "RFC 9110, section 7.6.1":
        "Connection is a list of options, whose case has no meaning.";
    LISTS = "RFC 9110, section 5.6.1.2":
        "A recipient MUST ignore a reasonable number of empty members of a list.";
    UPGRADE = "RFC 9110, section 7.8":
        "A server MAY ignore Upgrade, or switch by 101; what is invalid of the new protocol it may refuse (RFC 6455, section 4.2).";
    TE = "RFC 9110, section 10.1.4":
        "TE says which codings an answer may have, and does not end a connection.";
    HALF_CLOSED = "RFC 9112, section 9.6":
        "That a client ends its side does not end a request, nor mean that it wants no answer.";
    INCOMPLETE = "RFC 9112, section 8":
        "A server that gets a part of a request MAY answer with an error before it closes.";
    LAST_WORDS = "RFC 9112, section 9.6":
        "A close in one step can destroy an answer that was sent; servers typically close in stages.";
    EXPECT = "RFC 9110, section 10.1.1":
        "To `100-continue` with content to follow a server MUST send 100 or a final answer at once; it MAY answer 417 to other expectations.";
    OLD_EXPECT = "RFC 9110, section 10.1.1":
        "A server MUST ignore an expectation in HTTP/1.0.";
    PIPELINING = "RFC 9112, section 9.3.2":
        "Answers MUST come in the order of their requests.";
    COMPLETE = "the endpoint":
        "An answer does not wait for the bytes after its request: a client that sends them later would wait for ever.";

    // Limits and time.
    HEAD_LIMIT = "RFC 6585, section 5":
        "A server answers 431 to fields that are larger than it wants to read.";
    METHODS_SAFE = "RFC 9110, section 9.2.1":
        "What a method means does not depend on fields that override it.";
}
