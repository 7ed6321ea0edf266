//! The value of `--start-at`: the instant at which the load begins, or the source of that instant.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::clock::Clock;

/// The longest wait. A number further ahead is of another clock, such as the time of day.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The value of `--start-at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// A number of nanoseconds of `CLOCK_MONOTONIC`.
    Nanoseconds(u64),
    /// The number is read from standard input, once the connections are open.
    Input,
}

/// When the load begins.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// Once the connections are open.
    WhenOpen,
    At(Instant),
    /// At the instant that is read from standard input.
    FromInput,
}

impl Start {
    /// Fails when the instant is too far ahead.
    pub(super) fn new(start_at: Option<StartAt>) -> anyhow::Result<Self> {
        Ok(match start_at {
            None => Self::WhenOpen,
            Some(StartAt::Nanoseconds(nanoseconds)) => Self::At(instant(nanoseconds)?),
            Some(StartAt::Input) => Self::FromInput,
        })
    }
}

/// Parses the instant in a line of standard input. Fails without one, or when it is too far ahead.
pub(super) fn parse(line: &str) -> Result<Instant, String> {
    instant(nanoseconds(line.trim())?).map_err(|error| format!("{error:#}"))
}

fn instant(nanoseconds: u64) -> anyhow::Result<Instant> {
    let start = Clock::read()?.instant(nanoseconds);
    let start = start.filter(|start| start.saturating_duration_since(Instant::now()) <= LONGEST_WAIT);
    start.context("it is more than a day ahead of CLOCK_MONOTONIC on this machine")
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "it is not a number of nanoseconds of CLOCK_MONOTONIC".to_owned())
}

impl FromStr for StartAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" { Ok(Self::Input) } else { nanoseconds(text).map(Self::Nanoseconds) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_number_of_nanoseconds() {
        let clock = Clock::read().unwrap();
        let now = clock.nanoseconds(Instant::now());
        for text in ["0".to_owned(), now.to_string(), format!(" {} \r", now + 3_600_000_000_000)] {
            let read = clock.nanoseconds(parse(&text).unwrap());
            // The result may be off by the time of two readings of the clock.
            assert!(read.abs_diff(text.trim().parse().unwrap()) < 1_000_000, "{text}: {read}");
        }
        let (number, ahead) = ("not a number of nanoseconds", "more than a day ahead");
        let too_far = u64::MAX.to_string();
        let wrong = [("", number), ("-", number), ("-1", number), ("1.5", number), ("soon", number)];
        for (text, expected) in wrong.into_iter().chain([(too_far.as_str(), ahead)]) {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }

    #[test]
    fn the_instant_is_given_or_comes_from_the_input() {
        let cases = [("-", Ok(StartAt::Input)), ("5", Ok(StartAt::Nanoseconds(5)))];
        for (text, expected) in cases {
            assert_eq!(text.parse(), expected, "{text}");
        }
        assert!("soon".parse::<StartAt>().is_err());
    }
}
