//! The application: one handler for every path.

use axum::Router;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use shared::http::greeting;

/// Greets every GET and HEAD; axum itself answers other methods with 405.
pub(crate) fn app() -> Router {
    Router::new().fallback(get(greet))
}

async fn greet(uri: Uri) -> impl IntoResponse {
    let path = uri.path().as_bytes();
    let mut body = Vec::with_capacity(greeting::len(path));
    greeting::write(path, &mut body);
    ([(CONTENT_TYPE, greeting::CONTENT_TYPE)], body)
}
