//! From a request to its answer.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use actix_web::http::{StatusCode, Version};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use shared::http::rules::{self, Framing, Method, Refusal, Request};
use shared::http::{greeting, limits};

/// Answers any request.
pub(crate) async fn answer(request: HttpRequest, body: Payload, draining: Data<AtomicBool>) -> HttpResponse {
    let whole;
    let uri = request.uri();
    let target = match uri.path_and_query() {
        Some(target) if uri.authority().is_none() => target.as_str(),
        _ => {
            whole = uri.to_string();
            &whole
        }
    };
    let judged = match judge(&request, target) {
        Ok(judged) => judged,
        Err(refusal) => return refuse(refusal),
    };
    if judged.framing != Framing::None
        && let Err(refusal) = discard(body).await
    {
        return refuse(refusal);
    }
    respond(&judged, draining.load(Ordering::Relaxed))
}

fn judge<'a>(request: &HttpRequest, target: &'a str) -> Result<Request<'a>, Refusal> {
    let version = match request.version() {
        Version::HTTP_10 => rules::Version::Http10,
        _ => rules::Version::Http11,
    };
    let fields = request.headers().iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    rules::judge(request.method().as_str().as_bytes(), target.as_bytes(), version, fields)
}

fn respond(request: &Request, draining: bool) -> HttpResponse {
    let mut response = match request.method {
        Method::Get | Method::Head => HttpResponse::Ok(),
        Method::Other => HttpResponse::MethodNotAllowed(),
    };
    if draining || !request.keep_alive {
        response.force_close();
    }
    match request.method {
        // actix itself leaves the body of a HEAD out.
        Method::Get | Method::Head => {
            let mut body = Vec::with_capacity(greeting::len(request.path));
            greeting::write(request.path, &mut body);
            response.insert_header((CONTENT_TYPE, greeting::CONTENT_TYPE)).body(body)
        }
        Method::Other => response.insert_header((ALLOW, "GET, HEAD")).finish(),
    }
}

fn refuse(refusal: Refusal) -> HttpResponse {
    let (status, _) = refusal.status();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status).force_close().finish()
}

/// Reads a body and drops it, up to the limit.
async fn discard(mut body: Payload) -> Result<(), Refusal> {
    let mut allowed = limits::BODY_BYTES;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| Refusal::Malformed)?;
        allowed = allowed.checked_sub(bytes.len() as u64).ok_or(Refusal::BodyTooLarge)?;
    }
    Ok(())
}
