//! The start of a load: at once, or with `--start-at` at an instant that several processes have in
//! common.
//!
//! ```text
//! visit --start-at -               the program that measures
//!   opens the connections
//!   {"version":…}               →
//!                               ←  1234567890123
//!   waits until CLOCK_MONOTONIC has this number of nanoseconds, and loads
//!   the report                  →
//! ```

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::input::{Input, Next};
use super::plan::Plan;
use super::print;
use super::report::{self, Ending};
use super::start_at::{self, Start};
use super::threads::Threads;

/// Opens the connections. Returns the number of open connections and the instant to begin at, where
/// `None` begins at once. If the run ends here, returns the reason instead of the instant.
pub(super) fn prepare(
    plan: &Plan,
    threads: &Threads,
    interrupted: &AtomicBool,
) -> anyhow::Result<(u64, Result<Option<Instant>, Ending>)> {
    match plan.start {
        Start::WhenOpen => Ok((threads.open()?, Ok(None))),
        Start::At(start) => Ok((threads.open()?, Ok(Some(start)))),
        Start::FromInput => {
            let mut input = Input::new(interrupted)?;
            let open = threads.open()?;
            print::line(&report::ready(plan, open))?;
            let start = read(input.next()?);
            // The server may have closed some connections in the meantime.
            let open = if start.is_ok() { threads.open()? } else { open };
            Ok((open, start.map(Some)))
        }
    }
}

/// Reads the instant from a line of standard input.
fn read(next: Next) -> Result<Instant, Ending> {
    let line = match next {
        Next::Line(line) => line,
        Next::End => {
            let reason = "--start-at -: standard input ended before the instant to begin at";
            return Err(Ending::WrongCommand(reason.to_owned()));
        }
        Next::Interrupted => return Err(Ending::Interrupted),
    };
    start_at::parse(&line).map_err(|reason| {
        let line = line.escape_debug();
        Ending::WrongCommand(format!("--start-at -: the line \"{line}\": {reason}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_instant_or_ends_the_run() {
        let line = |text: &str| Next::Line(text.to_owned());
        assert!(read(line("5")).is_ok());
        let cases = [
            (Next::End, "standard input ended before"),
            (line(""), "the line \"\": it is not a number"),
            (line("soon\u{1b}"), "the line \"soon\\u{1b}\": it is not a number"),
            (line("18446744073709551615"), "it is more than a day ahead"),
        ];
        for (next, expected) in cases {
            let Err(Ending::WrongCommand(reason)) = read(next) else { panic!("{expected}") };
            assert!(reason.starts_with("--start-at -: ") && reason.contains(expected), "{reason}");
        }
        assert_eq!(read(Next::Interrupted), Err(Ending::Interrupted));
    }
}
