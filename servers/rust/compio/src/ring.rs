//! A thread's ring, which the kernel may refuse.

use std::num::NonZero;

use anyhow::Context;
use compio::driver::ProactorBuilder;
use compio::runtime::Runtime;

/// Bytes of a buffer that is lent to a read: what a browser sends is a tenth of it, and a head of
/// the largest size arrives in a few reads.
pub(crate) const BUFFER_BYTES: usize = 8 * 1024;

/// Buffers of a thread, 1 MiB. One is taken for each connection on which something has arrived
/// since the thread last looked, until its turn; a read that finds none brings its own.
const BUFFERS: NonZero<u16> = NonZero::new(128).unwrap();

/// A runtime for this thread, with a ring of its own. Fails where the kernel refuses a ring.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let mut driver = ProactorBuilder::new();
    driver.buffer_pool_size(BUFFERS).buffer_pool_buffer_len(BUFFER_BYTES);
    // A busy thread is not interrupted for what has completed: it looks for that soon enough.
    driver.coop_taskrun(true).taskrun_flag(true);
    let runtime = Runtime::builder().with_proactor(driver).build();
    let runtime = runtime.context(
        "no io_uring here (Linux before 5.19, sysctl kernel.io_uring_disabled, or a seccomp filter such as containers have)",
    )?;
    runtime.buffer_pool().context("no rings of buffers in io_uring here (Linux before 5.19)")?;
    Ok(runtime)
}

/// Fails, with the reason, where this program can have no ring.
pub(crate) fn check() -> anyhow::Result<()> {
    runtime().map(drop)
}
