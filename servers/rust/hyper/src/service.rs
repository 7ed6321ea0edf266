//! From a request to its answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use shared::http::{greeting, limits};
use shared_tokio::RequestCounter;

/// The service of one connection.
pub(crate) struct Greeter {
    pub(crate) counter: Arc<RequestCounter>,
}

/// The service of one connection of HTTP/2, whose answers wait for nothing.
#[derive(Clone, Copy)]
pub(crate) struct Http2Greeter;

impl Service<Request<Incoming>> for Http2Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Http2Answering;

    fn call(&self, request: Request<Incoming>) -> Http2Answering {
        let (head, body) = request.into_parts();
        let response = if is_malformed(&head) { of_status(StatusCode::BAD_REQUEST) } else { answer(head) };
        Http2Answering { body, received: 0, response: Some(response) }
    }
}

/// The answer to a request of HTTP/2, once the request's body has been read, or is too long.
pub(crate) struct Http2Answering {
    body: Incoming,
    received: u64,
    response: Option<Response<Full<Bytes>>>,
}

impl Future for Http2Answering {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<Self::Output> {
        let this = self.get_mut();
        while !this.body.is_end_stream() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => this.received += frame.data_ref().map_or(0, Bytes::len) as u64,
                Some(Err(_)) | None => break,
            }
            if this.received > limits::BODY_BYTES {
                return Poll::Ready(Ok(of_status(StatusCode::PAYLOAD_TOO_LARGE)));
            }
        }
        this.response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
    }
}

/// The answer to a request, once the request's body, if there is one, has been read.
pub(crate) struct Answering {
    body: Incoming,
    counter: Arc<RequestCounter>,
    response: Option<Response<Full<Bytes>>>,
}

impl Service<Request<Incoming>> for Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (head, body) = request.into_parts();
        Answering { body, counter: Arc::clone(&self.counter), response: Some(answer(head)) }
    }
}

impl Future for Answering {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<Self::Output> {
        let this = self.get_mut();
        // The body is dropped; its length was limited. After an error no client reads the answer.
        while !this.body.is_end_stream() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            }
        }
        let Some(mut response) = this.response.take() else { return Poll::Pending };
        if this.counter.answer() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}

/// Whether a request of HTTP/2 breaks a rule that hyper does not check: a target that is no path, a user
/// in the authority, white space around a value (RFC 9113, sections 8.3.1 and 8.2.1).
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

fn of_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// The answer to a request. It keeps the rules: `FilteredStream` rejects others, and so does hyper of
/// HTTP/2.
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
