//! The command line of `visit`.

use std::time::Duration;

use clap::Parser;

use super::plan::Mode;

/// Loads an HTTP/1.1 server, checks every answer byte for byte, and says how long answers took.
#[derive(Debug, Parser)]
#[command(name = "visit", version, after_help = MANUAL)]
pub struct Arguments {
    /// What to ask for, such as http://127.0.0.1:8080/abc; a name is looked up once
    pub url: String,

    /// A further path; requests go through all of them in turn, so that answers differ; may be repeated
    #[arg(long, value_name = "PATH")]
    pub path: Vec<String>,

    /// The body that every answer has to have [default: the greeting, "Hello, visitor! You've requested: PATH\n"]
    #[arg(long, value_name = "TEXT")]
    pub expect: Option<String>,

    /// Connections open at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,

    /// How a connection is used: keep-alive, close (one request each), or pipelined-N (N requests in one write)
    #[arg(long, value_name = "MODE", default_value = "keep-alive")]
    pub mode: Mode,

    /// Open loop: so many requests a second over all connections, evenly in time [default: closed loop]
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    pub rate: Option<f64>,

    /// For how long to ask
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: Duration,

    /// How many requests to send, instead of for how long
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests: Option<u64>,

    /// Seconds of the same load that come first and are not counted
    #[arg(long, value_name = "S", default_value = "0", value_parser = seconds_or_none)]
    pub warm_up: Duration,

    /// Seconds after which a request is given up
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,

    /// Threads to ask with, at most one a connection [default: the cores that it may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,

    /// Print no summary for people on standard error
    #[arg(long)]
    pub quiet: bool,
}

/// Its paragraphs are one line each, which `clap` wraps.
const MANUAL: &str = "\
What it does:
  It opens the connections, starts the clock, and sends GET requests. Standard output gets one JSON object with all \
  figures and histograms, standard error a summary for people. At the end it sends no more, waits for what is still to \
  be answered, and counts that too; `elapsed_seconds` goes on until then, so answers over elapsed time is the throughput.
  Without --rate the loop is closed: a connection asks again when it was answered, so a server that stops is asked less.
  With --rate it is open: requests arrive at fixed times, whatever the server does, and wait where no connection is free.

What is checked:
  Status line, fields, one Content-Length or chunks, Content-Type, Date, every byte of the body, and no byte more. An \
  answer has to be a right 200, or whole with a status from 300 on, which is counted by status. Anything else is a \
  mismatch, and makes the run invalid.

What its latency means:
  Closed loop: from the sending of a request (of its batch, when pipelined) to the last byte of its answer. Connecting \
  is not in it and has a histogram of its own. A server that stops delays only the requests that are under way, so these \
  percentiles look better than what a visitor meets.
  Open loop: from the time at which the request was due, so all waiting for a connection is in it, and in mode close the \
  connecting. `schedule_lag` is how much later than due it was begun. `rate.held` is true when at least 99 % of the rate \
  was answered and 99 % of the requests were begun within 1 ms.
  Requests that came to an error are in no latency: look at `errors` first.

Examples:
  closed loop, 10 connections, 10 s
      visit http://127.0.0.1:8080/abc
  what visitors meet at 20,000 requests a second
      visit http://127.0.0.1:8080/abc --connections 100 --rate 20000
  pipelined, with answers that differ
      visit http://127.0.0.1:8080/a --path /b --path /c --mode pipelined-16
  a connection a request
      visit http://127.0.0.1:8080/abc --mode close --requests 5000
  another server
      visit http://127.0.0.1:8080/ --expect 'Hello World' --seconds 3

Exit codes: 0 fine, 1 an answer was wrong or none came, 2 wrong usage, 130 interrupted (what was measured is printed).";

fn seconds(text: &str) -> Result<Duration, String> {
    seconds_or_none(text)
        .and_then(|time| if time.is_zero() { Err("it has to be more than 0".into()) } else { Ok(time) })
}

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    /// A day: more is a mistake.
    const MOST: f64 = 86_400.0;
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=MOST).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        Ok(_) => Err("it has to be more than 0 and at most 86400".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    /// Beyond what any machine sends.
    const MOST: f64 = 1e8;
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= MOST => Ok(rate),
        Ok(_) => Err("it has to be more than 0 and at most 100,000,000".into()),
        Err(error) => Err(error.to_string()),
    }
}
