//! The end of the server, in which nothing is lost that was asked.
//!
//! actix's own way drops what waits in its queues: connections that are accepted and not yet with a worker, and requests
//! that are read and not yet begun. So its workers run on while connections end by themselves.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_service::{Service, ServiceFactory};
use actix_web::dev::ServerHandle;
use actix_web::rt;
use shared::process;
use shared_tokio::{Lifecycle, Stage};
use tokio::net::TcpStream;

/// Time for actix's threads to do as they were told: the accepting one to stop, the workers to take up what it accepted.
const HANDOVER: Duration = Duration::from_millis(100);

/// How often to look whether all connections have ended.
const LOOK_AFTER: Duration = Duration::from_millis(10);

/// Ends the server by `deadline`. `waiting` is a second handle on its listener, from which connections are taken that
/// the kernel has accepted and actix has not; `service` serves them.
pub(crate) async fn drain<S>(
    server: ServerHandle,
    lifecycle: &Lifecycle,
    deadline: Instant,
    waiting: TcpListener,
    service: S,
) -> anyhow::Result<()>
where
    S: ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()>,
    <S::Service as Service<TcpStream>>::Future: 'static,
{
    server.pause().await;
    rt::time::sleep(HANDOVER).await;
    // Closes actix's handle on the listener. Its workers wait for their connections; nobody here waits for them.
    drop(server.stop(true));
    rt::time::sleep(HANDOVER).await;
    // The application is made as it was for the workers, where it did not fail.
    if let Ok(service) = service.new_service(()).await {
        process::close(waiting, |stream| serve(stream, &service))?;
    }
    lifecycle.begin(Stage::Ending);
    while lifecycle.open() > 0 && Instant::now() < deadline {
        rt::time::sleep(LOOK_AFTER).await;
    }
    Ok(())
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
