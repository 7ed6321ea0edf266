//! The endpoint on `may_minihttp` as it comes: a coroutine a connection.

use std::io::Result;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use may_minihttp::{HttpServer, HttpService, Request, Response};
use shared::http::{greeting, target};
use shared::process;

/// A coroutine's stack in words, 32 KiB: the loop of `may_minihttp` needs a head's fields and its system calls. One that
/// used its stack up would end the process.
const STACK_WORDS: usize = 4096;

/// How long requests on their way are still answered after a signal. The library has no shutdown to ask for.
const GRACE: Duration = Duration::from_millis(500);

/// The endpoint on may_minihttp as it comes
#[derive(Parser)]
#[command(
    name = "server-may-minihttp",
    version = process::version(env!("CARGO_PKG_VERSION"), &["may_minihttp", "may"])
)]
struct Flags {
    #[command(flatten)]
    process: process::Flags,
}

fn main() -> ExitCode {
    process::exit(run(&Flags::parse().process))
}

fn run(flags: &process::Flags) -> anyhow::Result<()> {
    flags.connections()?;
    // may's workers would pin themselves to the same cores in every process.
    may::config().set_workers(flags.workers_or_cores()).set_stack_size(STACK_WORDS).set_worker_pin(false);

    // may's listener shares a port with whoever else asks for it, so a port in use is found out here.
    let address = process::bind(flags.address()?)?.local_addr()?;
    let acceptor =
        HttpServer(Greeter).start(address).with_context(|| format!("cannot listen on {address}"))?;
    process::on_signal(|| {
        std::thread::sleep(GRACE);
        std::process::exit(0);
    })?;
    process::announce(address)?;
    acceptor.join().map_err(|_| anyhow::anyhow!("the accepting coroutine died"))
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
