//! Reads the lines of standard input. A signal ends the wait for the next line too.

use std::io::{BufRead, ErrorKind, StdinLock};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// The maximum length of a line. A longer line is split, but no command is nearly as long.
const LONGEST_LINE: usize = 256;

pub(super) struct Input<'a> {
    standard: StdinLock<'static>,
    interrupted: &'a AtomicBool,
    /// Becomes readable at a signal, after `interrupted` is set.
    signals: UnixStream,
    /// Bytes that were read and not yet returned as lines.
    read: Vec<u8>,
    is_at_end: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line without its line feed.
    Line(String),
    End,
    Interrupted,
}

impl<'a> Input<'a> {
    /// `interrupted` is set by signals that are already registered, so that none is missed.
    pub(super) fn new(interrupted: &'a AtomicBool) -> anyhow::Result<Self> {
        let (signals, sender) = UnixStream::pair().context("cannot make a socket pair")?;
        for signal in [SIGINT, SIGTERM] {
            let sender = sender.try_clone().context("cannot duplicate a socket")?;
            pipe::register(signal, sender).context("cannot watch for signals")?;
        }
        let standard = std::io::stdin().lock();
        Ok(Self { standard, interrupted, signals, read: Vec::new(), is_at_end: false })
    }

    /// Waits for the next line, the end, or a signal, and uses no CPU time meanwhile.
    pub(super) fn next(&mut self) -> anyhow::Result<Next> {
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(Next::Interrupted);
            }
            if let Some(line) = take_line(&mut self.read, self.is_at_end) {
                return Ok(Next::Line(line));
            }
            if self.is_at_end {
                return Ok(Next::End);
            }
            if self.wait()? {
                self.fill()?;
            }
        }
    }

    /// Waits for input or for a signal. Returns whether there is input.
    fn wait(&self) -> anyhow::Result<bool> {
        let watch = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
        let mut watched = [watch(self.standard.as_fd()), watch(self.signals.as_fd())];
        match poll(&mut watched, PollTimeout::NONE) {
            Ok(_) => Ok(watched[0].any().unwrap_or(true)),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(error).context("cannot wait for a command"),
        }
    }

    /// Takes all bytes of one read of standard input: a poll does not see bytes in its buffer.
    fn fill(&mut self) -> anyhow::Result<()> {
        let bytes = match self.standard.fill_buf() {
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {
                return Ok(());
            }
            bytes => bytes.context("cannot read a command")?,
        };
        let length = bytes.len();
        self.read.extend_from_slice(bytes);
        self.standard.consume(length);
        self.is_at_end = length == 0;
        Ok(())
    }
}

/// Removes the first line from `read`. It ends at a line feed, at the end of the input, or at the
/// maximum length.
fn take_line(read: &mut Vec<u8>, is_at_end: bool) -> Option<String> {
    let end = read.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n');
    let is_whole = end.is_some() || read.len() >= LONGEST_LINE || (is_at_end && !read.is_empty());
    if !is_whole {
        return None;
    }
    let length = end.unwrap_or(read.len().min(LONGEST_LINE));
    let line = String::from_utf8_lossy(&read[..length]).into_owned();
    read.drain(..length + usize::from(end.is_some()));
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_a_line_feed_or_the_input() {
        let long = "x".repeat(LONGEST_LINE);
        let long_and_more = format!("{long}yz\n");
        let cases: [(&str, bool, &[&str], &str); 8] = [
            ("", false, &[], ""),
            ("", true, &[], ""),
            ("run 1", false, &[], "run 1"),
            ("run 1", true, &["run 1"], ""),
            ("run 1\nrun 2\nru", false, &["run 1", "run 2"], "ru"),
            ("\n\n", true, &["", ""], ""),
            (&long, false, &[&long], ""),
            (&long_and_more, false, &[&long, "yz"], ""),
        ];
        for (input, is_at_end, expected, rest) in cases {
            let mut read = input.as_bytes().to_vec();
            let lines: Vec<String> = std::iter::from_fn(|| take_line(&mut read, is_at_end)).collect();
            assert_eq!(
                (lines.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), read.as_slice()),
                (expected, rest.as_bytes())
            );
        }
    }
}
