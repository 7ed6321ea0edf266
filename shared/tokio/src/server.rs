//! What all connections of a server share.

use std::sync::Arc;

use shared::http::Timeouts;
use shared::lifecycle::Lifecycle;
use shared::process::{DeadlineThread, Flags};

use crate::timer::TimerWaker;

/// A server whose connections are tasks.
pub struct Server {
    /// Its stage and its open connections.
    pub lifecycle: Arc<Lifecycle>,
    /// How long a client is waited for.
    pub timeouts: Timeouts,
    /// Wakes tasks at their deadlines, and all of them at each new stage.
    pub deadlines: Arc<DeadlineThread<TimerWaker>>,
}

impl Server {
    /// A server that serves. Fails when `--max-connections` asks for more than the descriptors
    /// allow, or no thread can be started.
    pub fn start(flags: &Flags) -> anyhow::Result<Arc<Self>> {
        let lifecycle = Lifecycle::new(flags.connections()?);
        let deadlines = DeadlineThread::start(&lifecycle)?;
        Ok(Arc::new(Self { lifecycle, timeouts: flags.timeouts(), deadlines }))
    }
}
