//! The cost of the kernel: the system calls of a request on one thread, and the hand-off from one
//! thread, task or coroutine to another.
//!
//! Hand-offs are timed in rounds, there and back, and reported per switch.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use may::coroutine;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::unistd::Pid;
use socket2::SockRef;
use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::{GET, Group, answers};

pub(crate) fn kernel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel");
    calls(&mut group);
    hand_offs(&mut group);
    group.finish();
}

/// Times system calls of one thread.
fn calls(group: &mut Group) {
    let answer = answers(GET.as_bytes());
    group.throughput(Throughput::Elements(1));
    group.bench_function("socket pair", |bencher| {
        let (mut client, mut server) = UnixStream::pair().unwrap();
        bencher.iter(|| round_trip(&mut client, &mut server, &answer));
    });
    group.bench_function("loopback", |bencher| {
        let (mut client, mut server) = connected(&TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        bencher.iter(|| round_trip(&mut client, &mut server, &answer));
    });
    group.bench_function("accept and close", |bencher| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        bencher.iter(|| {
            let (client, server) = connected(&listener);
            // The close sends a reset, so that neither side keeps the client's port: there are too
            // few ports.
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            drop((client, server));
        });
    });
    group.bench_function("epoll", |bencher| {
        let (mut client, server) = UnixStream::pair().unwrap();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        // Level-triggered: one byte that is never read is an event each time.
        epoll.add(&server, EpollEvent::new(EpollFlags::EPOLLIN, 0)).unwrap();
        client.write_all(b"!").unwrap();
        let mut events = [EpollEvent::empty(); 64];
        bencher.iter(|| assert_eq!(epoll.wait(&mut events, EpollTimeout::NONE), Ok(1)));
    });
}

/// Times hand-offs. The time of a round is divided by its two switches.
fn hand_offs(group: &mut Group) {
    group.throughput(Throughput::Elements(2));
    group.bench_function("thread hand-off", |bencher| bencher.iter_custom(between_threads));
    group.bench_function("task hand-off", |bencher| bencher.iter_custom(between_tasks));
    // The crate `may` pins its single worker to the first core.
    may::config().set_workers(1);
    group.bench_function("coroutine hand-off", |bencher| bencher.iter_custom(between_coroutines));
}

/// Sends a request and its answer, each written by one side and read by the other.
fn round_trip(client: &mut (impl Read + Write), server: &mut (impl Read + Write), answer: &[u8]) {
    let mut buffer = [0; 1024];
    client.write_all(GET.as_bytes()).unwrap();
    assert_eq!(server.read(&mut buffer).unwrap(), GET.len());
    server.write_all(answer).unwrap();
    assert_eq!(client.read(&mut buffer).unwrap(), answer.len());
}

/// Both sides of a new connection.
fn connected(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (client, server)
}

/// Times two threads, each of which blocks until the other has written a byte. They share a core,
/// so that one can only run when the other has stopped. A switch includes a write and a read.
fn between_threads(rounds: u64) -> Duration {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let pass = |stream: &mut UnixStream| stream.write_all(b"!").unwrap();
    let wait = |stream: &mut UnixStream| {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"!");
    };
    thread::scope(|scope| {
        scope.spawn(move || {
            pin_to_first_core();
            for _ in 0..rounds {
                wait(&mut there);
                pass(&mut there);
            }
        });
        let first = scope.spawn(move || {
            pin_to_first_core();
            timed(rounds, || {
                pass(&mut here);
                wait(&mut here);
            })
        });
        first.join().unwrap()
    })
}

/// Times two tasks of one thread, each of which waits until the other notifies it.
fn between_tasks(rounds: u64) -> Duration {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (here, there) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (first, second) = (Arc::clone(&here), Arc::clone(&there));
    runtime.spawn(async move {
        for _ in 0..rounds {
            second.notified().await;
            first.notify_one();
        }
    });
    let timed = runtime.spawn(async move {
        let began = Instant::now();
        for _ in 0..rounds {
            there.notify_one();
            here.notified().await;
        }
        began.elapsed()
    });
    runtime.block_on(timed).unwrap()
}

/// Times two coroutines of one thread, each of which waits until the other unparks it.
#[allow(unsafe_code, reason = "coroutines are spawned")]
fn between_coroutines(rounds: u64) -> Duration {
    let first = move || {
        let here = coroutine::current();
        let second = move || {
            for _ in 0..rounds {
                coroutine::park();
                here.unpark();
            }
        };
        // SAFETY: As for `first` below.
        let second = unsafe { coroutine::spawn(second) };
        let time = timed(rounds, || {
            second.coroutine().unpark();
            coroutine::park();
        });
        second.join().unwrap();
        time
    };
    // SAFETY: Neither coroutine uses a thread-local, and there is only one thread on which they can
    // continue. The functions that they call need little stack.
    unsafe { coroutine::spawn(first) }.join().unwrap()
}

/// The time of `rounds` rounds.
fn timed(rounds: u64, mut round: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..rounds {
        round();
    }
    began.elapsed()
}

/// Pins this thread to the first core that it may use.
fn pin_to_first_core() {
    let this_thread = Pid::from_raw(0);
    let allowed = sched_getaffinity(this_thread).unwrap();
    let first = (0..CpuSet::count()).find(|core| allowed.is_set(*core) == Ok(true)).unwrap();
    let mut only = CpuSet::new();
    only.set(first).unwrap();
    sched_setaffinity(this_thread, &only).unwrap();
}
