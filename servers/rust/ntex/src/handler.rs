//! From a request to its answer.

use ntex::http::Method;
use ntex::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use ntex::web::{HttpRequest, HttpResponse};
use shared::http::greeting;

/// Answers a request with any path and method.
pub(crate) async fn answer(request: HttpRequest) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().header(ALLOW, "GET, HEAD").finish();
    }
    let path = request.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    HttpResponse::Ok().header(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE)).body(body)
}
