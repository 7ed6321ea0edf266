//! The amount of load: a number of requests, or a time.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Requests(u64),
    Time(Duration),
}
