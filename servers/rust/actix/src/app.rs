//! The application, and the way of a connection into it.

use std::future::ready;
use std::sync::Arc;

use actix_http::{HttpService, KeepAlive};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use shared::http::Timeouts;
use shared_tokio::{FilteredStream, Flush, Lifecycle};
use tokio::net::TcpStream;

use crate::handler;

/// What `HttpServer` makes of an application, but with the rules between the socket and actix, which also keep the times.
pub(crate) fn service(
    times: Timeouts,
    lifecycle: &Arc<Lifecycle>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<> {
    let app = App::new().default_service(web::to(handler::answer));
    let http = HttpService::build()
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(std::time::Duration::ZERO)
        .on_connect_ext(|stream: &FilteredStream, data| {
            data.insert(Arc::clone(stream.counter()));
        })
        .h1(map_config(app, |()| AppConfig::default()));
    let lifecycle = Arc::clone(lifecycle);
    fn_service(move |stream: TcpStream| {
        ready(Ok((FilteredStream::new(stream, times, &lifecycle, Flush::AtOnce), None)))
    })
    .and_then(http)
    // An error is the client's, or it has gone: there is nobody to tell.
    .map_err(|_| ())
}
