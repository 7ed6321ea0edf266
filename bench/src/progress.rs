//! What a person sees while a measurement runs: a bar on a terminal, otherwise a plain line a run.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The progress of one measurement, on standard error.
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    expected: Duration,
}

impl Progress {
    /// A measurement of so many runs, which takes about `expected` by the plan.
    pub fn start(runs: usize, expected: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
        let plain = bar.is_hidden();
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {prefix} left\n{msg}") {
            bar.set_style(style);
        }
        let progress = Self { bar, plain, expected };
        progress.say(&format!("{runs} runs, about {}", HumanDuration(expected)));
        progress.show_time_left();
        progress.bar.enable_steady_tick(Duration::from_millis(250));
        progress
    }

    /// Says what runs now.
    pub fn running(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Counts a run.
    pub fn done(&self) {
        self.bar.inc(1);
        self.show_time_left();
    }

    /// By the plan as long as nothing is known, then by how long runs have taken.
    fn show_time_left(&self) {
        let left = if self.bar.position() == 0 { self.expected } else { self.bar.eta() };
        self.bar.set_prefix(HumanDuration(left).to_string());
    }

    /// Says a line that stays.
    pub fn say(&self, line: &str) {
        if self.plain { eprintln!("{line}") } else { self.bar.println(line) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
