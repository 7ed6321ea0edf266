//! What is said on standard error while something takes its time: on a terminal in lines that stay in place, otherwise in a
//! plain line for each thing that is done.

mod screen;

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::ProgressDrawTarget;

use crate::text::layout;
use crate::text::numbers;

use screen::Screen;

/// Says what is done.
pub struct Progress {
    manner: Manner,
    /// The lines that stay in place, while there are any.
    screen: Mutex<Option<Arc<Screen>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Somebody watches a terminal.
    InPlace,
    /// What is said is kept, or the terminal cannot move its cursor.
    Lines,
    /// Only warnings.
    Quiet,
}

/// Many things of a kind, of which some are done. There is one stage at a time.
pub struct Stage<'a> {
    progress: &'a Progress,
    count: usize,
    done: AtomicU64,
    ends: Ends,
}

/// When a stage ends, as far as is known.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Option<Instant>>>);

impl Progress {
    /// For a terminal when standard error is one. `quiet` is for those who want to know of nothing but what goes wrong.
    pub fn new(quiet: bool) -> Self {
        let manner = match (quiet, ProgressDrawTarget::stderr().is_hidden()) {
            (true, _) => Manner::Quiet,
            (false, true) => Manner::Lines,
            (false, false) => Manner::InPlace,
        };
        Self { manner, screen: Mutex::new(None) }
    }

    /// Whether nobody wants to see what other programs say while all goes well.
    pub fn is_quiet(&self) -> bool {
        self.manner == Manner::Quiet
    }

    /// Says what has gone wrong, or may: a line that stays, whoever listens.
    pub fn warn(&self, line: &str) {
        self.say(line, AnsiColor::Yellow.on_default());
    }

    /// Says a line that stays.
    pub fn note(&self, line: &str) {
        if !self.is_quiet() {
            self.say(line, Style::new());
        }
    }

    /// Begins with `count` things, which are called `what`.
    pub fn stage(&self, count: usize, what: &str) -> Stage<'_> {
        let ends = Ends::default();
        if self.manner == Manner::InPlace {
            let target = ProgressDrawTarget::stderr();
            *lock(&self.screen) = Some(Screen::open(target, count as u64, what, ends.clone()));
        }
        Stage { progress: self, count, done: AtomicU64::new(0), ends }
    }

    fn say(&self, line: &str, style: Style) {
        let text = if self.manner == Manner::InPlace { wrapped(line) } else { line.to_owned() };
        // A terminal or a reader that went away does not end a measurement.
        let print = || {
            let _ = writeln!(anstream::stderr(), "{}{text}{}", style.render(), style.render_reset());
        };
        match self.screen() {
            Some(screen) => screen.above(print),
            None => print(),
        }
    }

    fn screen(&self) -> Option<Arc<Screen>> {
        lock(&self.screen).clone()
    }
}

impl Stage<'_> {
    /// Says what is being done, where that stays in place.
    pub fn now(&self, what: String) {
        if let Some(screen) = self.progress.screen() {
            screen.now(what);
        }
    }

    /// Says how long what is left takes.
    pub fn set_time_left(&self, left: Duration) {
        self.ends.set(left);
    }

    /// Counts one that is done, and says what came of it: in place as `last: …` and `last`, otherwise in `line`.
    pub fn done(&self, line: &str, last: &str) {
        let number = self.count_one();
        match self.progress.screen() {
            Some(screen) => screen.last(format!("last: {last}")),
            None => {
                let left = self.ends.left().map_or_else(String::new, |left| format!("; {left}"));
                self.progress.note(&format!("{number}/{} {line}{left}", self.count));
            }
        }
    }

    /// Counts one that went wrong, and says so in a line that stays.
    pub fn failed(&self, line: &str) {
        let number = self.count_one();
        self.progress.warn(&format!("{number}/{} {line}", self.count));
    }

    /// Warns of one that is not done yet.
    pub fn warn(&self, line: &str) {
        let number = self.done.load(Ordering::SeqCst) + 1;
        self.progress.warn(&format!("{number}/{} {line}", self.count));
    }

    /// How many are done with this one.
    fn count_one(&self) -> u64 {
        let done = self.done.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(screen) = self.progress.screen() {
            screen.total(done);
        }
        done
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if let Some(screen) = lock(&self.progress.screen).take() {
            screen.close();
        }
    }
}

impl Ends {
    fn set(&self, left: Duration) {
        *lock(&self.0) = Some(Instant::now() + left);
    }

    /// The time until then in words.
    fn left(&self) -> Option<String> {
        let ends = *lock(&self.0);
        ends.map(|ends| format!("{} left", numbers::time(ends.saturating_duration_since(Instant::now()))))
    }
}

/// Broken between words, where the terminal would break it anywhere.
fn wrapped(line: &str) -> String {
    match terminal_size::terminal_size_of(std::io::stderr()) {
        Some((width, _)) => textwrap::fill(line, layout::prose(width.0.into()).subsequent_indent("  ")),
        None => line.to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept here is whole after a panic too.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
