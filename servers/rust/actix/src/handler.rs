//! From a request to its answer.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use shared::http::greeting;
use shared_tokio::RequestCounter;

/// Answers a request. It keeps the rules: `FilteredStream` rejects others.
pub(crate) async fn answer(request: HttpRequest, mut body: Payload) -> HttpResponse {
    let counter = request.conn_data::<Arc<RequestCounter>>();
    if counter.is_some_and(|counter| counter.has_body()) {
        // It is dropped; its length was limited. After an error no client reads the answer.
        while let Some(Ok(_)) = body.next().await {}
    }
    let greets = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if greets { HttpResponse::Ok() } else { HttpResponse::MethodNotAllowed() };
    if counter.is_some_and(|counter| counter.answer()) {
        response.force_close();
    }
    if !greets {
        return response.insert_header((ALLOW, "GET, HEAD")).finish();
    }
    let path = request.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    // A value that is a `str` would be copied. actix itself omits the body of a HEAD.
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE))).body(body)
}
