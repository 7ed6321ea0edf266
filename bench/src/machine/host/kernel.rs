//! The kernel's counters of a machine or a container at one moment.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Clock, suspended, throttled};
use crate::machine::cores::{self, CoreTimes};

/// Counters of a host at one moment. A counter that cannot be read is `None`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct KernelCounters {
    /// When they were read, by the host's own clock.
    pub at: Clock,
    /// How long the control group was throttled.
    pub throttled: Option<Duration>,
    /// How long the cores that were asked about were busy.
    pub busy: Option<CoreTimes>,
    /// How long the machine was suspended.
    pub suspended: Option<Duration>,
}

impl KernelCounters {
    /// Reads the counters of this machine now.
    pub(super) fn read(cores: &[usize]) -> Self {
        Self {
            at: Clock::now(),
            throttled: throttled::throttled(),
            busy: cores::times(cores),
            suspended: suspended::suspended(),
        }
    }
}
