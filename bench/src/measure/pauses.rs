//! The pauses before the harness reconnects to lost hosts.
//!
//! A host that restarts, or whose `sshd` accepts no logins for a while, refuses connections at
//! once. Without a pause, all attempts at a run would fail within moments, and so would those at
//! the next runs.

use std::time::Duration;

/// The first pause: an `sshd` that restarts takes no longer. Each further pause is twice as long.
const FIRST: Duration = Duration::from_secs(5);

/// The longest pause: a machine that starts again takes about a minute.
const LONGEST: Duration = Duration::from_secs(60);

/// The maximum sum of all pauses until the hosts answer again. A host that is away for longer
/// delays nothing any more: `--resume` makes its runs again.
const TOGETHER: Duration = Duration::from_secs(300);

/// The pauses since the last run that lost no host.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// The number of consecutive runs that lost a host.
    lost: u32,
    taken: Duration,
}

impl Pauses {
    /// Records whether a run lost a host.
    pub(super) fn note(&mut self, is_lost: bool) {
        *self = if is_lost { Self { lost: self.lost.saturating_add(1), ..*self } } else { Self::default() };
    }

    /// Returns how long to wait before the next run; `None` for no pause.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let doublings = self.lost.checked_sub(1)?;
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
        let pause = pause.min(TOGETHER.saturating_sub(self.taken));
        self.taken += pause;
        (!pause.is_zero()).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let mut pauses = Pauses::default();
        // Whether a host of the run before was lost, and the seconds of the pause.
        let (lost, there) = (true, false);
        let cases = [
            (there, None),
            (lost, Some(5)),
            (lost, Some(10)),
            (there, None),
            (lost, Some(5)),
            (lost, Some(10)),
            (lost, Some(20)),
            (lost, Some(40)),
            (lost, Some(60)),
            (lost, Some(60)),
            (lost, Some(60)),
            // The sum of the pauses is 300 s.
            (lost, Some(45)),
            (lost, None),
            (lost, None),
            (there, None),
            (lost, Some(5)),
        ];
        assert_eq!(pauses.next(), None);
        for (number, (is_lost, expected)) in cases.into_iter().enumerate() {
            pauses.note(is_lost);
            assert_eq!(pauses.next(), expected.map(Duration::from_secs), "{number}");
        }
    }
}
