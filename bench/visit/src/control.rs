//! `--control`: slices of load on commands from standard input, and a line of output for each.
//!
//! ```text
//! visit                            the program that measures
//!   opens the connections
//!   {"version":…}               →
//!                               ←  run 0.5
//!   reopens, loads
//!   {"elapsed_seconds":…}       →
//!   is silent                   ←  (end of the input)
//!   the report                  →
//! ```

use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::amount::Amount;
use super::arguments::seconds;
use super::input::{Input, Next};
use super::plan::Plan;
use super::print;
use super::report::{self, Ending, Measured};
use super::tally::Tally;
use super::threads::Threads;
use super::worker::LoadSlice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    /// Load that is not in the report.
    Warm(Duration),
    /// Load that is in the report.
    Run(Duration),
}

/// Opens the connections and executes the commands until the input ends.
pub(super) fn measure(plan: &Plan, threads: &Threads, interrupted: &AtomicBool) -> anyhow::Result<Measured> {
    let mut input = Input::new(interrupted)?;
    let open = threads.open()?;
    print::line(&report::ready(plan, open))?;
    let mut total = Tally { open, ..Tally::default() };
    let (mut warmed, mut run) = (Duration::ZERO, Duration::ZERO);
    let ending = loop {
        let line = match input.next()? {
            Next::Line(line) => line,
            Next::End => break Ending::Complete,
            Next::Interrupted => break Ending::Interrupted,
        };
        let command = match line.parse() {
            Ok(command) => command,
            Err(reason) => break Ending::WrongCommand(reason),
        };
        let (Command::Warm(time) | Command::Run(time)) = command;
        threads.open()?;
        let (warm_up, amount) = (Duration::ZERO, Amount::Time(time));
        let tally = threads.load(LoadSlice { start_at: None, warm_up, amount })?;
        print::line(&report::slice(plan, &tally))?;
        match command {
            Command::Warm(_) => {
                warmed += time;
                total.add_unmeasured(tally)?;
            }
            Command::Run(_) => {
                run += time;
                total.add(tally)?;
            }
        }
    };
    Ok(Measured { warm_up: warmed, amount: Amount::Time(run), tally: total, ending })
}

impl FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let command = match words[..] {
            ["warm", time] => seconds(time).map(Self::Warm),
            ["run", time] => seconds(time).map(Self::Run),
            _ => Err("it is unknown".to_owned()),
        };
        command.map_err(|reason| {
            let line = line.escape_debug();
            format!("the command \"{line}\": {reason} (there are `warm SECONDS` and `run SECONDS`)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_two_words() {
        let milliseconds = Duration::from_millis;
        let right = [
            ("warm 0.1", Command::Warm(milliseconds(100))),
            ("run 1", Command::Run(milliseconds(1000))),
            ("  run\t86400 \r", Command::Run(milliseconds(86_400_000))),
        ];
        for (line, expected) in right {
            assert_eq!(line.parse(), Ok(expected), "{line:?}");
        }
        let wrong = [
            ("", "the command \"\": it is unknown"),
            ("run", "the command \"run\": it is unknown"),
            ("run 1 2", "the command \"run 1 2\": it is unknown"),
            ("RUN 1", "the command \"RUN 1\": it is unknown"),
            ("walk 1", "the command \"walk 1\": it is unknown"),
            ("run \u{1b}[2J", "the command \"run \\u{1b}[2J\": invalid float"),
            ("run 1s", "the command \"run 1s\": invalid float"),
            ("warm 0", "the command \"warm 0\": it must be more than 0"),
            ("run -1", "it must be from 0 to 86400"),
            ("run nan", "it must be from 0 to 86400"),
            ("run 86401", "it must be from 0 to 86400"),
        ];
        for (line, expected) in wrong {
            let reason = line.parse::<Command>().unwrap_err();
            assert!(reason.contains(expected) && !reason.contains('\n'), "{line:?}: {reason}");
            assert!(reason.ends_with("(there are `warm SECONDS` and `run SECONDS`)"), "{line:?}: {reason}");
        }
    }
}
