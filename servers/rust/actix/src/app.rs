//! The application, and how a connection gets into it.

use std::future::ready;
use std::sync::Arc;

use actix_http::{HttpService, KeepAlive};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use shared::process::Server;
use shared_tokio::{FilteredStream, Flush};
use tokio::net::TcpStream;

use crate::handler;

/// What `HttpServer` makes of an application, but with a [`FilteredStream`] between the socket and
/// actix, which also keeps the timeouts. actix itself limits the number of connections.
pub(crate) fn service(
    server: &Arc<Server>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<> {
    let app = App::new().default_service(web::to(handler::answer));
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
        ready(Ok((FilteredStream::new(stream, permit, &server, Flush::AtOnce), None)))
    })
    .and_then(http)
    // An error is the client's, which has its answer or has gone.
    .map_err(|_| ())
}
