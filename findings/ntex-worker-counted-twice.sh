#!/usr/bin/env bash
# ntex 3 with 64 workers: in some starts one worker gets twice the connections, and a graceful stop
# without open connections takes its whole timeout.
#
# A worker reports that it is ready by its status, "available", and by a flag, "updated". The main
# thread starts a worker, checks its status, and then waits for the flag. If the worker is ready before
# that check, the main thread sees the status, and then the flag for the same event. It lists the worker
# twice, since it does not check whether the list already has the worker (`update_workers` in
# src/manager.rs of ntex-server). Connections go to the entries of the list in turn, so the worker gets
# twice the share of another. A graceful stop sends each entry a message. The worker reads one message,
# and ends. The other message may be in the worker's queue by then, where it is never read but keeps the
# channel of its answer open. The stop waits for that answer until `shutdown_timeout`, here 5 s.
#
# If the application of each worker is made only after the main thread waits for the flag, no worker is
# listed twice. ntex 4.5.0 checks whether its list has the worker.
#
# Seen on two cores with ntex 3.12.3 (ntex-server 3.11.2): in 20 of 65 starts a worker had twice the
# share, and in 10 of these the stop took 5.5 s instead of 0.4 s. Not seen with ntex 4.5.0 (ntex-server 4.3.3). Needs
# cargo with Rust 1.95, python3, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >program.rs <<'RUST'
use std::net::TcpListener;
use std::sync::OnceLock;
use std::time::Instant;

use ntex::SharedCfg;
use ntex::rt::{DefaultRuntime, System};
use ntex::time::Seconds;
use ntex::web::{self, App, HttpResponse, HttpServer};

static MAIN_IS_READY: OnceLock<()> = OnceLock::new();

/// Prints its port, and, after a line of input, the duration of a graceful stop. With an argument, each
/// worker waits until the main thread has checked all of them.
fn main() {
    if std::env::args().len() == 1 {
        MAIN_IS_READY.set(()).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    System::new("ntex", DefaultRuntime).block_on(async move {
        let config = SharedCfg::new("ntex");
        let server = HttpServer::new(async |CONFIG| {
            MAIN_IS_READY.wait();
            App::new().default_service(web::to(async || {
                HttpResponse::Ok().body(format!("{:?}", std::thread::current().id()))
            }))
        })
        .workers(64)
        .TIMEOUT(Seconds(5))
        .disable_signals()
        .LISTEN
        .unwrap()
        .run();
        // Runs after the tasks that `run` has spawned, each of which checks its worker.
        ntex::rt::spawn(async { *MAIN_IS_READY.get_or_init(|| ()) });
        let handle = server.clone();
        let stop = std::thread::spawn(move || {
            std::io::stdin().read_line(&mut String::new()).unwrap();
            let began = Instant::now();
            drop(handle.stop(true));
            began
        });
        server.await.unwrap();
        println!("{:.2}", stop.join().unwrap().elapsed().as_secs_f64());
    });
}
RUST

cat >client.py <<'PYTHON'
import collections, http.client, subprocess, sys

CONNECTIONS = 64 * 6

def started(*command):
    """Starts a program, connects again and again, and stops it. Returns connections per worker, and the stop's time."""
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    by_worker = collections.Counter()
    # The first half is not counted, since some workers may not yet be in the list.
    for number in range(-CONNECTIONS, CONNECTIONS):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("GET", "/")
        worker = client.getresponse().read()
        client.close()
        by_worker[worker] += number >= 0
    server.stdin.write("stop\n")
    server.stdin.close()
    seconds = float(server.stdout.readline())
    server.wait()
    return by_worker.values(), seconds

program, version, waits, starts = sys.argv[1], sys.argv[2], sys.argv[3] == "wait", int(sys.argv[4])
label = f"ntex {version}{', workers wait' if waits else ''}"
# ntex 4 does not distribute connections in turn, so that shares say nothing there.
has_shares = version.startswith("3.")
# Whether a worker is ready early is a race. One start with a late stop is enough to show it.
uneven = late = 0
for start in range(1, starts + 1):
    by_worker, seconds = started(program, *["wait"] * waits)
    uneven += has_shares and max(by_worker) > min(by_worker) * 3 // 2
    late += seconds >= 5
    if start == 1 or seconds >= 5:
        shares = collections.Counter(by_worker)
        shares = [f"{shares[share]} workers got {share}" for share in sorted(shares)] if has_shares else []
        print(f"{label}, start {start}:", ", ".join([*shares, f"the stop took {seconds:.1f} s"]), flush=True)
    if late:
        break
uneven_starts = f"uneven in {uneven}, " if has_shares else ""
print(f"{label}: of {start} starts {uneven_starts}late in {late}", flush=True)
as_described = late and uneven if sys.argv[5] == "late" else not late and not uneven
sys.exit(not as_described)
PYTHON

changed=0
for version in 3.12.3 4.5.0; do
    if [[ $version == 3.* ]]; then
        names=(-e 's/|CONFIG|/||/' -e 's/TIMEOUT/shutdown_timeout/' -e 's/LISTEN/config(config).listen(listener)/')
    else
        names=(-e 's/|CONFIG|/|_|/' -e 's/TIMEOUT/graceful_shutdown_timeout/' -e 's/LISTEN/listen(listener, config)/')
    fi
    sed "${names[@]}" program.rs >src/main.rs
    cat >Cargo.toml <<TOML
[package]
name = "counted-twice"
edition = "2024"

[dependencies]
ntex = { version = "=$version", default-features = false, features = ["neon-polling"] }

[profile.dev]
debug = false
TOML
    rm -f Cargo.lock
    # Built without optimisation, which takes a minute, and loses the race more often.
    CARGO_TARGET_DIR=$folder/target cargo build --quiet --ignore-rust-version
    cargo tree --quiet --prefix none --depth 2 | grep '^ntex-server ' | sort -u
    client=(python3 client.py target/debug/counted-twice "$version")
    if [[ $version == 3.* ]]; then
        "${client[@]}" wait 10 never || changed=1
        "${client[@]}" at-once 40 late || changed=1
    else
        "${client[@]}" at-once 20 never || changed=1
    fi
done
if ((changed == 0)); then
    echo "as described"
else
    echo "this has changed"
    exit 1
fi
