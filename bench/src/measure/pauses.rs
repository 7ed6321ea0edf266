//! The pauses before hosts are reached again.
//!
//! A host that restarts, or whose `sshd` takes no more logins for a while, refuses at once: without a
//! pause all attempts at a run would be over within moments, and those at the next runs too.

use std::time::Duration;

/// The first pause: an `sshd` that restarts takes no longer. Each that follows is twice as long.
const FIRST: Duration = Duration::from_secs(5);

/// The longest pause: a machine that starts again takes about a minute.
const LONGEST: Duration = Duration::from_secs(60);

/// The time of all pauses until hosts answer again. A host that stays away for longer holds up nothing
/// any more: its runs are done again by `--resume`.
const TOGETHER: Duration = Duration::from_secs(300);

/// The pauses since the last run whose hosts were all there.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// Runs in a row whose host was lost.
    lost: u32,
    taken: Duration,
}

impl Pauses {
    /// Takes note of whether a host of a run was lost.
    pub(super) fn note(&mut self, is_lost: bool) {
        *self = if is_lost { Self { lost: self.lost.saturating_add(1), ..*self } } else { Self::default() };
    }

    /// How long to wait before the next run; `None` for not at all.
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
            // 300 s together.
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
