//! The services that answer requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use shared::http::{greeting, limits};
use shared_tokio::{OpenBodies, OpenBody, RequestCounter};

/// The service of one HTTP/1.1 connection.
pub(crate) struct Greeter {
    pub(crate) counter: Arc<RequestCounter>,
}

/// The service of one HTTP/2 connection.
pub(crate) struct Http2Greeter {
    pub(crate) bodies: OpenBodies,
}

/// An answer, which is ready once the request's body has been read or is too long.
pub(crate) enum Answering {
    /// The answer to a request without a body.
    Now(Option<Response<Full<Bytes>>>),
    AfterBody(Box<AfterBody>),
}

pub(crate) struct AfterBody {
    body: Incoming,
    received: u64,
    response: Option<Response<Full<Bytes>>>,
    noted: Noted,
}

/// The state that a request shares with the connection's stream.
enum Noted {
    Http1(Arc<RequestCounter>),
    Http2(#[expect(dead_code, reason = "is counted until it is dropped")] OpenBody),
}

impl Service<Request<Incoming>> for Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (head, body) = request.into_parts();
        let mut response = answer(head);
        if body.is_end_stream() {
            count(&self.counter, &mut response);
            return Answering::Now(Some(response));
        }
        Answering::after(body, response, Noted::Http1(Arc::clone(&self.counter)))
    }
}

impl Service<Request<Incoming>> for Http2Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (head, body) = request.into_parts();
        let response = rejection(&head).map_or_else(|| answer(head), empty_response);
        if body.is_end_stream() {
            return Answering::Now(Some(response));
        }
        Answering::after(body, response, Noted::Http2(self.bodies.open()))
    }
}

impl Answering {
    fn after(body: Incoming, response: Response<Full<Bytes>>, noted: Noted) -> Self {
        Self::AfterBody(Box::new(AfterBody { body, received: 0, response: Some(response), noted }))
    }
}

impl Future for Answering {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<Self::Output> {
        let response = match self.get_mut() {
            Self::Now(response) => response.take(),
            Self::AfterBody(rest) => ready!(rest.poll(context)),
        };
        // hyper does not poll an answer again once it has it.
        response.map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
    }
}

impl AfterBody {
    fn poll(&mut self, context: &mut Context) -> Poll<Option<Response<Full<Bytes>>>> {
        // The body is dropped. After an error no client reads the answer.
        while !self.body.is_end_stream() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.received += frame.data_ref().map_or(0, Bytes::len) as u64,
                Some(Err(_)) | None => break,
            }
            // With HTTP/1.1, `FilteredStream` has already rejected a body over the limit.
            if self.received > limits::BODY_BYTES {
                return Poll::Ready(Some(empty_response(StatusCode::PAYLOAD_TOO_LARGE)));
            }
        }
        let mut response = self.response.take();
        if let (Noted::Http1(counter), Some(response)) = (&self.noted, &mut response) {
            count(counter, response);
        }
        Poll::Ready(response)
    }
}

/// Counts an answer, and makes it close the connection if it is the last one.
fn count(counter: &RequestCounter, response: &mut Response<Full<Bytes>>) {
    if counter.answer() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Returns the status of the rejection for an HTTP/2 request that breaks a rule, or is over a limit
/// that hyper does not check.
fn rejection(request: &Parts) -> Option<StatusCode> {
    let target = request.uri.path_and_query().map_or("", PathAndQuery::as_str);
    if is_malformed(request) {
        Some(StatusCode::BAD_REQUEST)
    } else if target.len() > limits::TARGET_BYTES {
        Some(StatusCode::URI_TOO_LONG)
    } else if request.headers.len() > limits::HEAD_FIELDS {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        None
    }
}

/// Whether a request breaks a rule: the target is not a path, the authority has a user, or a value
/// has white space around it (RFC 9113, sections 8.3.1 and 8.2.1).
fn is_malformed(request: &Parts) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |value: &HeaderValue| {
        let value = value.as_bytes();
        is_space(value.first()) || is_space(value.last())
    };
    let has_user = request.uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let is_greeted = matches!(request.method, Method::GET | Method::HEAD);
    is_greeted && !request.uri.path().starts_with('/') || has_user || request.headers.values().any(is_padded)
}

fn empty_response(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Returns the answer to a request that keeps the rules. `FilteredStream` rejects all others; for
/// HTTP/2, hyper and `rejection` do.
fn answer(request: Parts) -> Response<Full<Bytes>> {
    let path = request.uri.path().as_bytes();
    let mut response = Response::default();
    // The answer's fields reuse the memory of the request's, and hyper reuses it after that.
    let mut fields = request.headers;
    fields.clear();
    *response.headers_mut() = fields;
    match request.method {
        Method::GET => {
            let mut body = Vec::with_capacity(greeting::len(path));
            greeting::write(path, &mut body);
            *response.body_mut() = body.into();
        }
        Method::HEAD => {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(greeting::len(path)));
        }
        _ => {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE));
    response
}
