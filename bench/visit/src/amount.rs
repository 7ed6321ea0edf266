//! How much load is made.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Requests(u64),
    Time(Duration),
}
