//! The `Date` of answers, as IMF-fixdate (RFC 9110, section 5.6.7).
//!
//! In each second, the first thread that needs the date formats it, and all others read it from
//! atomics: without a lock, an allocation, or a thread-local. A thread-local is avoided because a
//! coroutine may move to another thread while it waits, and the compiler may keep the address of
//! the thread-local across the wait.

use std::io::Write;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, UNIX_EPOCH};

use httpdate::HttpDate;
use nix::time::{ClockId, clock_gettime};

/// Bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub const LEN: usize = 29;

const WORDS: usize = LEN.div_ceil(8);

static SHOWN: Shown = Shown::new();

/// The current date. It may be some milliseconds late: the kernel's coarse clock is the cheapest.
pub fn now() -> [u8; LEN] {
    let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE).map_or(0, |time| time.tv_sec().cast_unsigned());
    SHOWN.at(now)
}

/// A sequence lock: `version` is odd during a write, and changes with each write.
struct Shown {
    version: AtomicU32,
    second: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl Shown {
    const fn new() -> Self {
        let words = [const { AtomicU64::new(0) }; WORDS];
        Self { version: AtomicU32::new(0), second: AtomicU64::new(0), words }
    }

    fn at(&self, second: u64) -> [u8; LEN] {
        if self.second.load(Ordering::Relaxed) != second {
            self.show(second);
        }
        self.read().unwrap_or_else(|| format(second))
    }

    /// Formats the date, unless another thread is doing so.
    fn show(&self, second: u64) {
        let version = self.version.load(Ordering::Relaxed);
        let odd = version | 1;
        if version == odd
            || self.version.compare_exchange(version, odd, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return;
        }
        fence(Ordering::Release);
        let mut text = [0; WORDS * 8];
        for (byte, shown) in text.iter_mut().zip(format(second)) {
            *byte = shown;
        }
        for (word, bytes) in self.words.iter().zip(text.as_chunks().0) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        self.second.store(second, Ordering::Relaxed);
        self.version.store(odd.wrapping_add(1), Ordering::Release);
    }

    /// Returns the last date that was stored, or `None` during a write and before the first one.
    fn read(&self) -> Option<[u8; LEN]> {
        let before = self.version.load(Ordering::Acquire);
        let mut text = [0; WORDS * 8];
        for (word, bytes) in self.words.iter().zip(text.as_chunks_mut().0) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        fence(Ordering::Acquire);
        let whole = before != 0 && before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before;
        if whole { text.first_chunk().copied() } else { None }
    }
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

    fn parsed(text: [u8; LEN]) -> std::time::SystemTime {
        let text = std::str::from_utf8(&text).unwrap();
        let time = httpdate::parse_http_date(text).unwrap();
        assert_eq!(httpdate::fmt_http_date(time), text);
        time
    }

    #[test]
    fn is_an_imf_fixdate() {
        assert_eq!(&format(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn is_now() {
        let shown = parsed(now()).duration_since(UNIX_EPOCH).unwrap();
        assert!(UNIX_EPOCH.elapsed().unwrap().abs_diff(shown) < Duration::from_secs(60));
    }

    #[test]
    fn is_whole_while_it_changes() {
        let shown = Shown::new();
        assert_eq!(shown.read(), None);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (1..20_000).for_each(|day| shown.show(day * 86_399)));
            while !writer.is_finished() {
                shown.read().map(parsed);
            }
        });
        assert!(shown.read().is_some());
    }
}
