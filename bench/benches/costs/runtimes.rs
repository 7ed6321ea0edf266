//! The cost of a request in the frameworks that servers are built on, from the bytes of the request
//! to the bytes of its answer. The benchmarks use a stream in memory and a constant greeting,
//! without our own rules. The frameworks are configured as in the servers.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::Runtime;
use actix_web::{App, HttpResponse, web};
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use shared::http::{greeting, limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{GET, Group};

/// The body of every answer.
const BODY: &str = "Hello, visitor! You've requested: /abc\n";

/// The numbers of requests that arrive in one piece.
const PIPELINED: [usize; 2] = [1, 16];

pub(crate) fn frameworks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("runtimes");
    hyper(&mut group);
    actix(&mut group);
    group.finish();
}

fn hyper(group: &mut Group) {
    let answer = |_: Request<Incoming>| {
        let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(greeting::CONTENT_TYPE));
        ready(Ok::<_, Infallible>(response))
    };
    let wire = Wire::default();
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(limits::HEAD_BYTES);
    let mut connection = builder.serve_connection(TokioIo::new(wire.clone()), service_fn(answer));
    measure(group, "hyper", &wire, |context| connection.poll_without_shutdown(context).is_pending());
}

fn actix(group: &mut Group) {
    let answer = || {
        let mut response = HttpResponse::Ok();
        response.insert_header((actix_web::http::header::CONTENT_TYPE, greeting::CONTENT_TYPE));
        ready(response.body(BODY))
    };
    let app = App::new().default_service(web::to(answer));
    // actix needs a runtime for the task that updates the date, which is not polled meanwhile.
    Runtime::new().unwrap().block_on(async {
        let http = HttpService::build()
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .h1(map_config(app, |()| AppConfig::default()));
        let service = http.new_service(()).await.unwrap();
        let wire = Wire::default();
        let mut connection = pin!(service.call((wire.clone(), None)));
        measure(group, "actix", &wire, |context| connection.as_mut().poll(context).is_pending());
    });
}

/// Times requests on one connection. `poll` drives it, and returns whether it is still open.
fn measure(group: &mut Group, name: &str, wire: &Wire, mut poll: impl FnMut(&mut Context) -> bool) {
    let mut context = Context::from_waker(Waker::noop());
    // Polls until at least `bytes` of answers have arrived; each poll has to add some. Returns the
    // number of bytes.
    let mut exchange = |requests: &Bytes, bytes: usize| {
        wire.0.borrow_mut().requests = requests.clone();
        let mut received = 0;
        while received < bytes {
            let before = received;
            assert!(poll(&mut context));
            received = wire.0.borrow().answers.len();
            assert!(received > before);
        }
        let answers = &mut wire.0.borrow_mut().answers;
        assert!(answers.ends_with(BODY.as_bytes()));
        answers.clear();
        received
    };
    let answer = exchange(&Bytes::from_static(GET.as_bytes()), 1);
    for pipelined in PIPELINED {
        let requests = Bytes::from(GET.repeat(pipelined));
        let id = match pipelined {
            1 => name.to_owned(),
            _ => format!("{name}/pipelined-{pipelined}"),
        };
        let expected = answer * pipelined;
        group.throughput(Throughput::Elements(pipelined as u64));
        group.bench_function(id, |bencher| {
            bencher.iter(|| assert_eq!(exchange(&requests, expected), expected));
        });
    }
}

/// A connection in memory, which both sides share.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Ends>>);

#[derive(Default)]
struct Ends {
    requests: Bytes,
    answers: Vec<u8>,
}

impl AsyncRead for Wire {
    /// No task is woken when more arrives: the benchmark polls the connection.
    fn poll_read(self: Pin<&mut Self>, _: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        let requests = &mut self.0.borrow_mut().requests;
        if requests.is_empty() {
            return Poll::Pending;
        }
        buffer.put_slice(&requests.split_to(requests.len().min(buffer.remaining())));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().answers.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
