//! The application that answers requests, and the service that passes connections to it.

use std::future::ready;
use std::sync::Arc;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use actix_web::web::Payload;
use actix_web::{App, HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use shared::http::greeting;
use shared::process::Server;
use shared_tokio::{FilteredStream, Flush, RequestCounter, TimedSocket};
use tokio::net::TcpStream;

/// Makes the service that `HttpServer` would make, but with a [`FilteredStream`] between the socket
/// and actix, which also enforces the timeouts. actix limits the number of connections.
pub(crate) fn service(
    server: &Arc<Server>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<> {
    let app = App::new().default_service(web::to(answer));
    let http = HttpService::build()
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(std::time::Duration::ZERO)
        .on_connect_ext(|stream: &FilteredStream, data| {
            data.insert(Arc::clone(stream.counter()));
        })
        .h1(map_config(app, |()| AppConfig::default()));
    let server = Arc::clone(server);
    fn_service(move |stream: TcpStream| {
        let permit = server.lifecycle.extra_permit();
        let socket = TimedSocket::new(stream, Arc::clone(&server)).map_err(DispatchError::Io);
        ready(socket.map(|socket| (FilteredStream::new(socket, permit, Flush::AtOnce), None)))
    })
    .and_then(http)
    // An error concerns only the client, which has its answer or has disconnected.
    .map_err(|_| ())
}

/// Answers a request that keeps the rules: `FilteredStream` rejects all others.
async fn answer(request: HttpRequest, mut body: Payload) -> HttpResponse {
    let counter = request.conn_data::<Arc<RequestCounter>>();
    if counter.is_some_and(|counter| counter.has_body()) {
        // The body is dropped; its length is limited. After an error, no client reads the answer.
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
