//! The endpoint on `may_minihttp` as its users have it: a coroutine per connection.

use std::io::Result;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use may_minihttp::{HttpServer, HttpService, Request, Response};
use shared::http::{greeting, target};
use shared::process::{self, Flags};

/// A coroutine's stack in words, 32 KiB: the loop of `may_minihttp` needs room for a head's fields
/// and its system calls. A coroutine that used up its stack would end the process.
const STACK_WORDS: usize = 4096;

/// How long requests are still answered after a signal. The library has no shutdown.
const GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    shared::program!("may_minihttp", "may").run(run)
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    flags.connections()?;
    let workers = flags.workers_or_cores();
    // may would panic without one of its workers or its timer thread.
    process::check_threads(workers + 1)?;
    // may's workers would pin themselves to the same cores in every process.
    may::config().set_workers(workers).set_stack_size(STACK_WORDS).set_worker_pin(false);

    // may's listener shares its port with every process, so a port in use is found here.
    let address = process::bind(&flags.addresses()?)?.local_addr()?;
    let acceptor =
        HttpServer(Greeter).start(address).with_context(|| format!("cannot listen on {address}"))?;
    process::on_signal(|| {
        std::thread::sleep(GRACE);
        std::process::exit(0);
    })?;
    process::announce(flags, address)?;
    acceptor.join().map_err(|_| anyhow::anyhow!("the accepting coroutine panicked"))
}

#[derive(Clone)]
struct Greeter;

impl HttpService for Greeter {
    fn call(&mut self, request: Request, response: &mut Response) -> Result<()> {
        match request.method() {
            "GET" | "HEAD" => {
                let path = target::path(request.path().as_bytes());
                let mut body = Vec::with_capacity(greeting::len(path));
                greeting::write(path, &mut body);
                response.header("Content-Type: text/plain; charset=utf-8").body_vec(body);
            }
            _ => {
                response.status_code(405, "Method Not Allowed").header("Allow: GET, HEAD");
            }
        }
        Ok(())
    }
}
