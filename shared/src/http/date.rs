//! The `Date` of answers, as IMF-fixdate (RFC 9110, section 5.6.7), formatted once per second.

use std::cell::Cell;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use httpdate::HttpDate;
use nix::time::{ClockId, clock_gettime};

/// Bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub const LEN: usize = 29;

thread_local! {
    /// The last second and its date. A coroutine may use them, as it does not wait meanwhile.
    static LAST: Cell<(u64, [u8; LEN])> = const { Cell::new((u64::MAX, [0; LEN])) };
}

/// The date now. It may be some milliseconds late: the kernel's coarse clock is the cheapest.
pub fn now() -> [u8; LEN] {
    let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE).map_or(0, |time| time.tv_sec().cast_unsigned());
    let (second, date) = LAST.get();
    if second == now { date } else { format_and_keep(now) }
}

#[cold]
fn format_and_keep(second: u64) -> [u8; LEN] {
    let date = format(second);
    LAST.set((second, date));
    date
}

fn format(second: u64) -> [u8; LEN] {
    let date = HttpDate::from(UNIX_EPOCH + Duration::from_secs(second));
    let mut text = [b' '; LEN];
    // It fits: a year has four digits until 9999.
    let _ = write!(text.as_mut_slice(), "{date}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_imf_fixdate() {
        assert_eq!(&format(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn the_date_is_now() {
        // The second time it is kept, unless a second has ended.
        for _ in 0..2 {
            let text = now();
            let time = httpdate::parse_http_date(std::str::from_utf8(&text).unwrap()).unwrap();
            let shown = time.duration_since(UNIX_EPOCH).unwrap();
            assert!(UNIX_EPOCH.elapsed().unwrap().abs_diff(shown) < Duration::from_secs(60));
        }
    }
}
