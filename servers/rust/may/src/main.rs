//! The endpoint on may's coroutines: a stack per connection, on threads that never block.

mod connection;
mod socket;

use std::process::ExitCode;

use anyhow::{Context, bail};
use may::coroutine::Builder;
use shared::process::{self, Accepted, Flags, Server};
use shared::tls::{HTTP_1_1, TlsFlags};

/// A coroutine's stack in words, 32 KiB. The deepest turn that was seen took a fifth of it, and
/// three quarters when built without optimisation (with an odd size, may prints the used size). A
/// coroutine that used up its stack would end the process.
const STACK_WORDS: usize = 4096;

/// A coroutine's stack in words with TLS, 128 KiB. The part that it does not touch takes no memory.
const TLS_STACK_WORDS: usize = 16 * 1024;

/// Coroutines that are made in advance, and reused. Each takes two pages of memory at rest.
const COROUTINES_KEPT: usize = 256;

/// Memory mappings kept free for what is not a coroutine's stack: the program, its allocator, and
/// the connections over the cap that a drain takes.
const RESERVED_MAPPINGS: usize = 10_000;

fn main() -> ExitCode {
    shared::program!("may", "httparse").run(run)
}

fn run(TlsFlags(flags): &TlsFlags) -> anyhow::Result<()> {
    let max_connections = connections(flags)?;
    let listener = process::bind(&flags.addresses()?)?;
    let workers = flags.workers_or_cores();
    // may would panic without one of its workers or its timer thread.
    process::check_threads(workers + 1)?;
    may::config()
        .set_workers(workers)
        .set_stack_size(if flags.tls.is_some() { TLS_STACK_WORDS } else { STACK_WORDS })
        .set_pool_capacity(COROUTINES_KEPT)
        // may's workers would pin themselves to the same first cores in every process.
        .set_worker_pin(false);
    // may starts its workers with the first coroutine: later there may be no descriptors for them.
    may::go!(Builder::new(), || ()).context("cannot start may's workers")?;
    let server = Server::start(max_connections, flags, &[HTTP_1_1])?;
    process::serve(listener, &server.lifecycle, flags, |stream, permit| {
        let Ok(session) = server.encryption.session() else { return };
        if let Some(accepted) = Accepted::begin(stream, session, permit, &server.timeouts) {
            connection::start(accepted, &server);
        }
    })
}

/// Returns the number of connections that may be open at once: no more than there can be stacks. A
/// stack and the guard below it are two memory mappings. The kernel limits the mappings of a
/// process, and may panics when it gets none. Fails when `--max-connections` exceeds the limit.
fn connections(flags: &Flags) -> anyhow::Result<usize> {
    const FILE: &str = "/proc/sys/vm/max_map_count";
    let text = std::fs::read_to_string(FILE).with_context(|| format!("cannot read {FILE}"))?;
    let mappings: usize = text.trim().parse().with_context(|| format!("{FILE} is not a number"))?;
    let stacks = mappings.saturating_sub(RESERVED_MAPPINGS) / 2;
    let connections = flags.connections()?;
    if flags.max_connections.is_some() && connections > stacks {
        bail!("{connections} connections: vm.max_map_count leaves stacks for {stacks} coroutines");
    }
    Ok(connections.min(stacks))
}
