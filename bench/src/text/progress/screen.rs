//! Lines of a terminal that stay in place: a bar, and two lines of words.
//!
//! The library draws them within the width that the terminal has by then. When that changes, terminals break what they show
//! anew, and the library does not know where its lines have gone: so it is told here to begin afresh.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Ends;

/// How often they are drawn: the time left is told by the second, and drawing takes time of cores that may be measured.
const TICK: Duration = Duration::from_secs(1);

/// What the library takes for the width of a terminal that does not tell it.
const UNKNOWN_WIDTH: usize = 80;

/// How many lines there are.
const LINES: usize = 3;

/// The lines. Whatever is drawn is drawn with the lock held, so that nothing comes between a change of the width and the
/// lines that are where they were before.
pub(super) struct Screen {
    screen: MultiProgress,
    total: ProgressBar,
    now: ProgressBar,
    last: ProgressBar,
    state: Mutex<State>,
}

struct State {
    /// The terminal's width when the lines were drawn last.
    width: usize,
    is_closed: bool,
}

impl Screen {
    /// Begins to draw: `count` things, called `what`, of which none is done.
    pub(super) fn open(target: ProgressDrawTarget, count: u64, what: &str, ends: Ends) -> Arc<Self> {
        let screen = MultiProgress::with_draw_target(target);
        let line = |style| screen.add(ProgressBar::new(count).with_style(style));
        let total = line(total_style(what, ends));
        let [now, last] = [(); 2].map(|()| line(style("{wide_msg}")));
        let state = Mutex::new(State { width: width().unwrap_or(UNKNOWN_WIDTH), is_closed: false });
        let screen = Arc::new(Self { screen, total, now, last, state });
        let weak = Arc::downgrade(&screen);
        // Without the thread the lines are drawn too when there is something new.
        let _ = std::thread::Builder::new().name("progress".into()).spawn(move || tick(&weak));
        screen
    }

    /// Says what is being done.
    pub(super) fn now(&self, what: String) {
        self.draw(|| self.now.set_message(what));
    }

    /// Says what was done last.
    pub(super) fn last(&self, what: String) {
        self.draw(|| self.last.set_message(what));
    }

    /// Says how many are done.
    pub(super) fn total(&self, done: u64) {
        self.draw(|| self.total.set_position(done));
    }

    /// Prints above the lines, by `print`.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.draw(|| {
            let _ = self.screen.clear();
            print();
        });
    }

    /// Takes the lines away.
    pub(super) fn close(&self) {
        self.draw(|| {
            self.lines().iter().for_each(|line| line.finish_and_clear());
        });
        self.lock().is_closed = true;
    }

    fn draw(&self, change: impl FnOnce()) {
        let mut state = self.lock();
        let width = width().unwrap_or(state.width);
        if width != state.width {
            let above = rows_above(state.width, width);
            let up = if above > 0 { format!("\x1b[{above}A") } else { String::new() };
            let _ = write!(std::io::stderr(), "{up}\r\x1b[J");
            self.screen.set_draw_target(ProgressDrawTarget::stderr());
            state.width = width;
        }
        change();
        if !state.is_closed {
            self.lines().iter().filter(|line| !line.is_finished()).for_each(|line| line.tick());
        }
    }

    fn lines(&self) -> [&ProgressBar; LINES] {
        [&self.total, &self.now, &self.last]
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // It is whole after a panic too.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws the lines now and then, as long as there are any.
fn tick(screen: &Weak<Screen>) {
    loop {
        std::thread::sleep(TICK);
        match screen.upgrade() {
            Some(screen) if !screen.lock().is_closed => screen.draw(|| {}),
            _ => return,
        }
    }
}

/// How far above the cursor the lines begin when the terminal has become `after` columns wide. They were written in one go and as
/// wide as it was `before`, so that they are broken anew as one.
fn rows_above(before: usize, after: usize) -> usize {
    (before * LINES).div_ceil(after.max(1)).saturating_sub(1)
}

fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0.into())
}

/// A bar, as wide as there is room for one beside the count and the time that is left.
fn total_style(what: &str, ends: Ends) -> ProgressStyle {
    // What `anstream` decides goes for the whole program; the library that draws can only do without colours in addition.
    let is_coloured = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let colours = if is_coloured { ":.cyan/dim" } else { "" };
    let left = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = ends.left().map_or(Ok(()), |left| write!(out, ", {left}"));
    };
    style(&format!("{{wide_bar{colours}}} {{pos}}/{{len}} {what}, {{percent}} %{{left}}"))
        .with_key("left", left)
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours, and the tests draw them.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn lines_stay_within_the_terminal() {
        // The width, and how much is seen of the line about the last run.
        let cases = [
            (60, "last: may-minihttp 7.62 µs CPU a request, 126,788 requests/s"),
            (100, "last: may-minihttp 7.62 µs CPU a request, 126,788 requests/s, client-bound"),
            (200, "last: may-minihttp 7.62 µs CPU a request, 126,788 requests/s, client-bound"),
        ];
        for (width, last) in cases {
            let terminal = InMemoryTerm::new(20, width);
            let ends = Ends::default();
            ends.set(Duration::from_secs(4000));
            let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
            let screen = Screen::open(target, 120, "runs", ends);
            let figures = "7.62 µs CPU a request, 126,788 requests/s, client-bound";
            screen.now("repetition 2 of 5: keep-alive-100, may-minihttp, attempt 2".into());
            screen.last(format!("last: may-minihttp {figures}"));
            screen.total(60);

            let contents = terminal.contents();
            let lines: Vec<&str> = contents.lines().collect();
            let [total, now, seen] = lines.as_slice() else { panic!("{width}: {lines:#?}") };
            assert!(total.contains("█░") && total.contains(" 60/120 runs, 50 %, 1 h 6 min "), "{total}");
            assert!(total.ends_with(" s left") && total.chars().count() == usize::from(width), "{total}");
            assert_eq!(*now, "repetition 2 of 5: keep-alive-100, may-minihttp, attempt 2", "{width}");
            assert_eq!(*seen, last, "{width}");
            screen.close();
            assert_eq!(terminal.contents(), "", "{width}");
        }
    }

    #[test]
    fn knows_where_lines_are_when_the_width_has_changed() {
        // The width before and after, and how far above the cursor the lines begin.
        for (before, after, above) in [(60, 60, 2), (200, 60, 9), (60, 100, 1), (60, 200, 0)] {
            assert_eq!(rows_above(before, after), above, "{before} {after}");
        }
    }
}
