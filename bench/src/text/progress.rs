//! The progress of a long command, on standard error. On a terminal three lines stay in place;
//! otherwise each thing that is done is a line, so that a log reads well.

mod screen;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::ProgressDrawTarget;
use parking_lot::Mutex;

use crate::text::visible::visible;
use crate::text::{layout, numbers};

use screen::Screen;

/// The smallest width, in columns, for lines that stay in place: the first one has a bar.
const IN_PLACE_FROM: usize = 60;

/// Shows the progress of a command.
pub struct Progress {
    mode: Mode,
    /// The lines that stay in place, during a stage.
    screen: Mutex<Option<Screen>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Progress is shown on a terminal, in lines that stay in place.
    InPlace,
    /// Progress is shown in a log, or on a terminal that is narrow or cannot move its cursor.
    Lines,
    /// Only warnings are shown.
    Quiet,
}

/// A number of similar things that are done one after another. There is one stage at a time.
pub struct Stage<'a> {
    progress: &'a Progress,
    count: usize,
    done: AtomicU64,
    end: End,
}

/// When a stage ends, if that is known.
#[derive(Clone, Default)]
struct End(Arc<Mutex<Option<Instant>>>);

impl Progress {
    /// Shows progress in place if standard error is a terminal that is wide enough, and warnings only
    /// if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let is_narrow = terminal_width().is_some_and(|width| width < IN_PLACE_FROM);
        let mode = match (quiet, is_narrow || ProgressDrawTarget::stderr().is_hidden()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Lines,
            (false, false) => Mode::InPlace,
        };
        Self { mode, screen: Mutex::new(None) }
    }

    /// Whether only warnings are shown.
    pub fn is_quiet(&self) -> bool {
        self.mode == Mode::Quiet
    }

    /// Shows a warning, also if quiet.
    pub fn warn(&self, line: &str) {
        self.print(&self.wrapped(line), AnsiColor::Yellow.on_default());
    }

    /// Shows a line that stays.
    pub fn note(&self, line: &str) {
        self.show(&self.wrapped(line));
    }

    /// Shows text of more than one line, such as a table, as it is.
    pub fn show(&self, text: &str) {
        if !self.is_quiet() {
            self.print(text, Style::new());
        }
    }

    /// Begins a stage of `count` things called `what`.
    pub fn stage(&self, count: usize, what: &str) -> Stage<'_> {
        let end = End::default();
        if self.mode == Mode::InPlace {
            let target = ProgressDrawTarget::stderr();
            let screen = Screen::open(target, count as u64, what, end.clone());
            screen.tick();
            *self.screen.lock() = Some(screen);
        }
        Stage { progress: self, count, done: AtomicU64::new(0), end }
    }

    fn print(&self, text: &str, style: Style) {
        // A closed terminal or pipe does not end a measurement.
        let print = || {
            let _ = writeln!(anstream::stderr(), "{}{text}{}", style.render(), style.render_reset());
        };
        match self.screen() {
            Some(screen) => screen.above(print),
            None => print(),
        }
    }

    /// The columns of the terminal that progress is shown on; `None` in a log, and if quiet.
    pub fn width(&self) -> Option<usize> {
        let width = terminal_width().filter(|_| self.mode != Mode::Quiet)?;
        Some(width.max(layout::NARROWEST))
    }

    /// The line with control characters made visible, and on a terminal wrapped between words.
    fn wrapped(&self, line: &str) -> String {
        let line = visible(line);
        self.width().map_or_else(
            || line.to_string(),
            |width| textwrap::fill(&line, layout::prose(width).subsequent_indent("  ")),
        )
    }

    fn screen(&self) -> Option<Screen> {
        self.screen.lock().clone()
    }
}

/// The columns of the terminal that standard error is, if it is one.
fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stderr())?;
    Some(width.0.into())
}

impl Stage<'_> {
    /// Shows what is being done, on a terminal.
    pub fn now(&self, what: String) {
        if let Some(screen) = self.progress.screen() {
            screen.now.set_message(what);
        }
    }

    /// Sets how long the rest of the stage takes.
    pub fn set_time_left(&self, left: Duration) {
        self.end.set(left);
    }

    /// Counts one thing that is done, and shows its result: `last` in place on a terminal, `line` in a log.
    pub fn done(&self, line: &str, last: &str) {
        let number = self.count_one();
        match self.progress.screen() {
            Some(screen) => screen.last.set_message(format!("last: {}", visible(last))),
            None => {
                let left = self.end.left().map_or_else(String::new, |left| format!("; {left}"));
                self.progress.note(&format!("{number}/{} {line}{left}", self.count));
            }
        }
    }

    /// Counts one thing that failed, and shows why in a line that stays.
    pub fn failed(&self, line: &str) {
        let number = self.count_one();
        self.progress.warn(&format!("{number}/{} {line}", self.count));
    }

    /// Shows a warning about the thing that is being done.
    pub fn warn(&self, line: &str) {
        let number = self.done.load(Ordering::SeqCst) + 1;
        self.progress.warn(&format!("{number}/{} {line}", self.count));
    }

    /// Counts one thing, and returns how many are done.
    fn count_one(&self) -> u64 {
        let done = self.done.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(screen) = self.progress.screen() {
            screen.total.set_position(done);
        }
        done
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if let Some(screen) = self.progress.screen.lock().take() {
            screen.close();
        }
    }
}

impl End {
    fn set(&self, left: Duration) {
        *self.0.lock() = Some(Instant::now() + left);
    }

    /// The time until the end, in words.
    fn left(&self) -> Option<String> {
        let left = self.0.lock().map(|end| end.saturating_duration_since(Instant::now()));
        left.map(|left| format!("{} left", numbers::time(left)))
    }
}
