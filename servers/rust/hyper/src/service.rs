//! From a request to its answer.

use std::convert::Infallible;
use std::pin::Pin;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::service::Service;
use hyper::{Request, Response, StatusCode, Version};
use shared::http::rules::{self, Method, Refusal};
use shared::http::{greeting, limits, target};
use tokio::sync::watch;

use crate::serve::Stage;

/// The service of one connection.
pub(crate) struct Greeter {
    stage: watch::Receiver<Stage>,
}

impl Greeter {
    pub(crate) fn new(stage: watch::Receiver<Stage>) -> Self {
        Self { stage }
    }
}

/// Most answers are there at once; only after a body has one to be waited for.
pub(crate) enum Answering {
    Now(Option<Response<Full<Bytes>>>),
    AfterBody(Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>),
}

impl Service<Request<Incoming>> for Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let mut response = answer(&request).unwrap_or_else(refuse);
        if *self.stage.borrow() >= Stage::Draining {
            close_after(&mut response);
        }
        if request.body().is_end_stream() || response.status().is_client_error() && closes(&response) {
            return Answering::Now(Some(response));
        }
        Answering::AfterBody(Box::pin(async move {
            match discard(request.into_body()).await {
                Ok(()) => response,
                Err(refusal) => refuse(refusal),
            }
        }))
    }
}

impl Future for Answering {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut std::task::Context) -> std::task::Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(response) => match response.take() {
                Some(response) => std::task::Poll::Ready(Ok(response)),
                None => std::task::Poll::Pending,
            },
            Self::AfterBody(answer) => answer.as_mut().poll(context).map(Ok),
        }
    }
}

/// The answer to a request that keeps the rules. hyper itself leaves the body of a HEAD out.
fn answer(request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
    let uri = request.uri();
    let version = match request.version() {
        Version::HTTP_10 => rules::Version::Http10,
        _ => rules::Version::Http11,
    };
    let fields = request.headers().iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let whole;
    let target = match uri.path_and_query() {
        Some(target) if uri.authority().is_none() => target.as_str(),
        _ => {
            whole = uri.to_string();
            &whole
        }
    };
    let judged = rules::judge(request.method().as_str().as_bytes(), target.as_bytes(), version, fields)?;
    let mut response = match judged.method {
        Method::Get => greet(target::path(target.as_bytes())),
        Method::Head => head(target::path(target.as_bytes())),
        Method::Other => {
            let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    };
    if !judged.keep_alive {
        close_after(&mut response);
    }
    Ok(response)
}

fn greet(path: &[u8]) -> Response<Full<Bytes>> {
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE));
    response
}

fn head(path: &[u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(greeting::len(path)));
    response
}

fn refuse(refusal: Refusal) -> Response<Full<Bytes>> {
    let (status, _) = refusal.status();
    let mut response = empty(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST));
    close_after(&mut response);
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn close_after(response: &mut Response<Full<Bytes>>) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

fn closes(response: &Response<Full<Bytes>>) -> bool {
    response.headers().contains_key(CONNECTION)
}

/// Reads a body and drops it, up to the limit.
async fn discard(mut body: Incoming) -> Result<(), Refusal> {
    let mut allowed = limits::BODY_BYTES;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed)?;
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        allowed = allowed.checked_sub(bytes).ok_or(Refusal::BodyTooLarge)?;
    }
    Ok(())
}
