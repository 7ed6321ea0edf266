//! The lines of a terminal that stay in place: a bar, what is being done, and what was done last.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::End;

/// How often the lines are drawn. The time left is shown in seconds, and drawing takes CPU time of
/// cores that may be measured.
const TICK: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Screen {
    lines: MultiProgress,
    pub(super) total: ProgressBar,
    pub(super) now: ProgressBar,
    pub(super) last: ProgressBar,
}

impl Screen {
    /// Draws the lines for `count` things called `what`, none of which is done.
    pub(super) fn open(target: ProgressDrawTarget, count: u64, what: &str, end: End) -> Self {
        let lines = MultiProgress::with_draw_target(target);
        let line = |style| lines.add(ProgressBar::new(count).with_style(style));
        let total = line(total_style(what, end));
        let [now, last] = [(); 2].map(|()| line(style("{wide_msg}")));
        Self { lines, total, now, last }
    }

    /// Redraws the lines periodically from now on, so that the time left is updated.
    pub(super) fn tick(&self) {
        for line in [&self.total, &self.now, &self.last] {
            line.enable_steady_tick(TICK);
        }
    }

    /// Calls `print`, whose output appears above the lines.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.lines.suspend(print);
    }

    /// Removes the lines.
    pub(super) fn close(&self) {
        for line in [&self.total, &self.now, &self.last] {
            line.finish_and_clear();
        }
    }
}

/// A bar that fills the width beside the count and the time left.
fn total_style(what: &str, end: End) -> ProgressStyle {
    // `anstream` decides on colours for the whole program; indicatif alone would not ask it.
    let is_coloured = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let colours = if is_coloured { ":.cyan/dim" } else { "" };
    let left = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = end.left().map_or(Ok(()), |left| write!(out, ", {left}"));
    };
    style(&format!("{{wide_bar{colours}}} {{pos}}/{{len}} {what}, {{percent}} %{{left}}"))
        .with_key("left", left)
}

fn style(template: &str) -> ProgressStyle {
    // Templates are constants of this file, which the test below draws.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn lines_stay_within_the_terminal() {
        // The width, and the part of the last line that fits.
        let cases = [
            (60, "last: may-minihttp 7.62 µs CPU per request, 126,788 requests"),
            (100, "last: may-minihttp 7.62 µs CPU per request, 126,788 requests/s, client-bound"),
            (200, "last: may-minihttp 7.62 µs CPU per request, 126,788 requests/s, client-bound"),
        ];
        for (width, last) in cases {
            let terminal = InMemoryTerm::new(20, width);
            let end = End::default();
            end.set(Duration::from_secs(4000));
            let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
            let screen = Screen::open(target, 120, "runs", end);
            screen.now.set_message("repetition 2 of 5: keep-alive-100, may-minihttp, attempt 2");
            screen.last.set_message(cases[1].1);
            screen.total.set_position(60);
            screen.total.tick();

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
}
