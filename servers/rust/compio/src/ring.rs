//! Makes the io_uring ring of a thread, which the kernel may refuse.

use std::num::NonZero;

use anyhow::Context;
use compio::driver::ProactorBuilder;
use compio::runtime::Runtime;

/// Bytes of a buffer that is lent to a read. A browser's request takes a tenth of it, and a head of
/// the largest size arrives in a few reads.
pub(crate) const BUFFER_BYTES: usize = 8 * 1024;

/// The number of a thread's buffers, 1 MiB in total. A connection takes one when its input arrives,
/// and keeps it until its turn; a read that finds none uses its own buffer.
const BUFFERS: NonZero<u16> = NonZero::new(128).unwrap();

/// Makes a runtime for this thread, with its own ring. Fails when the kernel refuses a ring.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let mut driver = ProactorBuilder::new();
    driver.buffer_pool_size(BUFFERS).buffer_pool_buffer_len(BUFFER_BYTES);
    // A busy thread is not interrupted for completions: it checks for them soon enough.
    driver.coop_taskrun(true).taskrun_flag(true);
    let runtime = Runtime::builder().with_proactor(driver).build();
    let runtime = runtime.context(
        "no io_uring here (Linux before 5.19, sysctl kernel.io_uring_disabled, or a seccomp filter such as containers have)",
    )?;
    runtime.buffer_pool().context("no rings of buffers in io_uring here (Linux before 5.19)")?;
    Ok(runtime)
}

/// Fails with the reason when this program cannot have a ring.
pub(crate) fn check() -> anyhow::Result<()> {
    runtime().map(drop)
}
