//! Ends the server so that no request is lost.
//!
//! actix's own shutdown drops its queues: connections that are accepted and not yet with a worker,
//! and requests that are read and not yet begun. So the workers of actix continue to run.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_service::{Service, ServiceFactory};
use actix_web::dev::ServerHandle;
use actix_web::rt;
use shared::process::{self, Server};
use tokio::net::TcpStream;

use crate::app;

/// Time for actix to follow a command: to stop accepting, and to begin what it has accepted.
const HANDOVER: Duration = Duration::from_millis(100);

/// Stops accepting, and waits until the server has ended. `waiting` is a second handle on the
/// listener, for the connections that the kernel has accepted and actix has not.
pub(crate) async fn drain(actix: ServerHandle, server: &Arc<Server>, waiting: TcpListener) {
    actix.pause().await;
    rt::time::sleep(HANDOVER).await;
    // Closes actix's handle on the listener. The end of its workers is not awaited.
    drop(actix.stop(true));
    rt::time::sleep(HANDOVER).await;
    // The application is made here as for the workers, where this did not fail.
    if let Ok(service) = app::service(server).new_service(()).await {
        process::close(waiting, |stream| serve(stream, &service));
    }
    server.lifecycle.until(|| server.lifecycle.has_ended()).await;
}

fn serve(
    stream: std::net::TcpStream,
    service: &impl Service<TcpStream, Response = (), Error = (), Future: 'static>,
) {
    if stream.set_nonblocking(true).is_ok()
        && let Ok(stream) = TcpStream::from_std(stream)
    {
        rt::spawn(service.call(stream));
    }
}
