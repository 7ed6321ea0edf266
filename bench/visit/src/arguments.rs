//! The command line of `visit`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use visit_output::{Mode, Share};

use super::field::Field;
use super::http2::MOST_STREAMS;
use super::kind::RequestKind;
use super::poisson::SEED_BITS;
use super::spacing::Spacing;
use super::start_at::StartAt;
use super::tls::Cipher;

/// Loads an HTTP server, checks every byte of every answer, and measures latency
#[derive(Debug, Parser)]
#[command(name = "visit", version = visit_output::BUILD, after_help = MANUAL)]
pub struct Arguments {
    /// The URL to request, such as http://127.0.0.1:8080/abc or https://127.0.0.1:8443/abc; the host is looked up once, and of several addresses the first is taken that accepts a connection
    pub url: String,

    /// Another path: requests take all paths in turn, so that answers differ; may be repeated
    #[arg(long, value_name = "PATH")]
    pub path: Vec<String>,

    /// The body that every answer must have [default: the line "Hello, visitor! You've requested:
    /// PATH"]
    #[arg(long, value_name = "TEXT")]
    pub expect: Option<String>,

    /// A field of every request, after Host, such as 'Accept: */*'; may be repeated. Not Host, Connection, Content-Length or Transfer-Encoding
    #[arg(long, value_name = "FIELD")]
    pub header: Vec<Field>,

    /// Another kind of request, with its share and the expected status, such as name=wrong-method,share=0.1,method=DELETE,status=405; may be repeated, see below
    #[arg(long, value_name = "KIND")]
    pub mix: Vec<RequestKind>,

    /// https: the PEM file of the certificate that the server has to show; no other one is trusted
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub certificate: Option<PathBuf>,

    /// https: take any certificate
    #[arg(long)]
    pub insecure: bool,

    /// https: the suite that is offered [default: aes-128]
    #[arg(long, value_name = "CIPHER", value_enum)]
    pub cipher: Option<Cipher>,

    /// https: resume earlier sessions by the tickets of the server; otherwise every handshake is a full one
    #[arg(long)]
    pub resume: bool,

    /// Speak HTTP/2: over TLS with an https URL, otherwise by prior knowledge (h2c)
    #[arg(long)]
    pub http2: bool,

    /// HTTP/2: requests that are open at once on each connection, as far as the server allows them [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_STREAMS)))]
    pub streams: Option<u32>,

    /// Connections open at the same time
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,

    /// How a connection is used: keep-alive, close (one request each), close-after-N (N requests
    /// each), or pipelined-N (N requests per write)
    #[arg(long, value_name = "MODE", default_value = "keep-alive")]
    pub mode: Mode,

    /// Open loop: requests per second over all connections [default: closed loop]
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    pub rate: Option<f64>,

    /// Open loop: how the requests are spaced; poisson is at random, as of independent visitors [default: even]
    #[arg(long, value_name = "SPACING", requires = "rate", value_enum)]
    pub arrivals: Option<Spacing>,

    /// The number from which the times of --arrivals poisson follow [default: a random one, which the report has]
    #[arg(long, value_name = "N", requires = "arrivals", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(..1 << SEED_BITS))]
    pub seed: Option<u64>,

    /// How long to send requests
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: Duration,

    /// The number of requests to send, instead of a time
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests: Option<u64>,

    /// Seconds of the same load that come first and are not measured
    #[arg(long, value_name = "S", default_value = "0", value_parser = seconds_or_none)]
    pub warm_up: Duration,

    /// Also report the answers and their latency in each interval of this length, over time
    #[arg(long, value_name = "S", conflicts_with = "control", value_parser = interval, allow_negative_numbers = true)]
    pub series: Option<Duration>,

    /// Keep the connections open and make load when a line on standard input says so: `warm SECONDS` or `run SECONDS`
    #[arg(long, conflicts_with_all = ["rate", "seconds", "requests", "warm_up"])]
    pub control: bool,

    /// Make share I of a load that N processes make together, such as 2/5; --connections, --rate and --requests are of the whole load
    #[arg(long, value_name = "I/N")]
    pub share: Option<Share>,

    /// Begin when CLOCK_MONOTONIC of this machine has this number of nanoseconds; `-`: print a line when the connections are open, and read the number from standard input
    #[arg(long, value_name = "WHEN", conflicts_with = "control", allow_negative_numbers = true)]
    pub start_at: Option<StartAt>,

    /// Seconds after which a request is given up
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,

    /// Threads that make the load, at most one per connection [default: one per usable core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,

    /// Print no summary on standard error
    #[arg(long)]
    pub quiet: bool,
}

/// The end of `--help`. Each paragraph is one line, which `clap` wraps.
const MANUAL: &str = "\
What it does:
  visit opens the connections, starts the clock and sends GET requests. When the time is over, or all requests are \
  sent, it waits for the answers that are still missing and counts them too. `elapsed_seconds` includes this wait, so \
  the throughput is `answered / elapsed_seconds`.
  Closed loop (without --rate): a connection sends its next request when the last one is answered. This finds the \
  highest throughput. When the server stops for a second, the requests stop too.
  Open loop (with --rate): requests are due at fixed times, whatever the server does, and wait when no connection is \
  free. This finds the latency that users see at that rate.
  Requests are evenly spaced, or at random with --arrivals poisson, as from independent visitors: the gaps are \
  exponential, and there are exactly as many requests as the rate says. Some of them are due almost together, so \
  that they wait longer than evenly spaced ones at the same rate. The times follow from --seed alone, whatever the \
  number of threads and shares.

What it prints:
  One JSON object on standard output: the load, the answers by status, the errors by kind, histograms of latency and \
  of the time to connect, and its own CPU time. A summary for people on standard error.
  With --series also `series`: for each interval of that length from the start of the measured time, the answers \
  that arrived in it, and the 50th and 99th percentile and the maximum of their latencies. The load may end within \
  the last interval.

What --control does:
  visit opens the connections and prints a line of JSON. Then it reads commands from standard input, one per line: \
  `warm SECONDS` and `run SECONDS` make a slice of closed-loop load on all connections. After the last answer of a \
  slice it prints a line of JSON with the counts of the slice. Between two slices the connections stay open, and \
  visit sends nothing and uses no CPU time. A connection that the server closes in this time is opened again before \
  the next slice. At the end of the input visit prints the report: the sum of all `run` slices.

One load from several hosts:
  With --share several processes make one load together, on one host or on several. All get the same --connections, \
  --rate and --requests, which are those of the whole load, and each makes its share: connections are divided as \
  evenly as possible, each request of --requests is in exactly one share, and the arrivals of an open loop are \
  assigned to the shares in turn, so that all together are evenly spaced (or Poisson, with one --seed for all).
  With --start-at all begin at one instant: visit opens the connections (except in modes close and close-after-N) and waits until \
  CLOCK_MONOTONIC of its machine has this number of nanoseconds. With `-` it prints the first line of --control when the \
  connections are open, and reads the number from standard input, so that a program can wait for all processes first. \
  The warm-up begins at that instant, and the arrivals of an open loop are due from then on. When the instant has passed, \
  visit begins at once, and `late_seconds` says how late; a closed loop then counts from when it began.
  The counts of a report are those of its share. The counts of all shares add up exactly, and so do the buckets of \
  their histograms.

Connections that are closed:
  In mode close every request asks the server to close its connection (`Connection: close`). In mode close-after-N \
  the last of N requests does, which are sent one after another. visit waits until the server has closed a \
  connection before it opens the next one; a connection that stays open for the timeout is a mismatch. `connect` has \
  the time to open each connection. An open loop opens a connection when a request is due. A connection that the \
  server closes earlier is opened again, and a request that it leaves without an answer is an error.

TLS:
  With an https URL visit offers TLS 1.3, one suite (--cipher), the group X25519 and one application protocol, so \
  that every server does the same work; a handshake that agrees on anything else fails. Every handshake is a full \
  one, unless --resume. Either --certificate names the only certificate that is trusted, whatever names and times it \
  has, or --insecure trusts any; one of them is needed. In the report, `tls` has the agreed parameters and the \
  number of handshakes, and `handshake` the time from the connect to the end of the handshake. An answer \
  during which the connection ends without close_notify is cut off. visit sends close_notify before it closes a \
  connection.

HTTP/2:
  With --http2 each connection carries --streams requests at once, or fewer if the server's SETTINGS_MAX_CONCURRENT_STREAMS \
  is lower: visit waits for its settings before the first request. In a closed loop each stream is replaced by a new \
  request when it is answered, and all new requests after one read are sent in one write. In an open loop an arrival \
  takes a free stream of the connection that has waited for the longest time. Requests have constant bytes: nothing \
  enters the table of the server's decoder. The windows of the client are updated long before they are used up.
  GOAWAY is an orderly close: requests that the server did not process are sent again on another connection, which \
  is no error, and their latency counts from the first time. A reset stream is an error (`reset`). `http2` in the \
  report counts both exactly. A request without an answer within the timeout is cancelled, and its connection is \
  kept. In modes close and close-after-N visit sends GOAWAY and shuts down its side, and waits for the server to \
  close the connection. --mix and pipelining are for HTTP/1.1 alone.

A mix of requests:
  Each --mix is a kind of request. The share that they leave is of plain requests, as without --mix. A kind is a \
  list of KEY=VALUE, separated by commas. Needed are name, share (of all requests, 0 to 1, up to four decimals) and \
  status (the expected one). These make a request differ from a plain one: method (GET, DELETE, or POST without a \
  body), path, malformed (no-host, or space-in-name: a field whose name has a space), and head (the number of bytes \
  that the head is filled up to with fields, for 431 or a large request).
  The order is fixed: on each thread the next request is of the kind that lacks most of its share, so that shares \
  are exact over any window, to a request or two. Each connection carries all kinds. When the server closes a \
  connection after an answer, another one is opened, which is no error.
  The report has `kinds`: `sent`, `expected` (answers of the expected status), all `statuses` and `latency` of each. \
  The body of an answer is compared only for a GET that expects 200; framing is always checked. A status other than \
  the expected one does not make a run invalid. For `rate.held` and the exit code expected answers count as 2xx \
  answers do.

What it checks:
  The status line, the fields, one Content-Length or chunks, one Content-Type, one Date, every byte of the body, and \
  that no byte follows. An answer must be a right 200, or a whole answer with a status from 300, which is counted by \
  status. Any other answer is a mismatch: the first one is printed, and the run is invalid.

What latency means:
  Closed loop: from the sending of the request (of its batch, when pipelined) to the last byte of its answer. \
  Connecting is not included and has its own histogram. A server that stops delays only the requests on their way, \
  so these percentiles look better than what users see (coordinated omission).
  Open loop: from the time at which the request was due to the last byte of its answer, so waiting for a connection \
  is included, and in modes close and close-after-N connecting too. `schedule_lag` is the time from due to begun. `rate.held` is true when at \
  least 99 % of the rate was answered and 99 % of the requests were begun within 1 ms; otherwise the server or visit could \
  not keep up with the rate.
  Requests that failed have no latency, so look at `errors` first.

Examples:
  closed loop: the highest throughput of 10 connections, for 10 s
      visit http://127.0.0.1:8080/abc
  open loop: the latency at 20,000 requests per second
      visit http://127.0.0.1:8080/abc --connections 100 --rate 20000
  pipelined, with answers that differ
      visit http://127.0.0.1:8080/a --path /b --path /c --mode pipelined-16
  one connection per request
      visit http://127.0.0.1:8080/abc --mode close --requests 5000
  ten requests per connection
      visit http://127.0.0.1:8080/abc --mode close-after-10
  the head that a client sends
      visit http://127.0.0.1:8080/abc --header 'User-Agent: curl/8.5.0' --header 'Accept: */*'
  one request in ten is wrong, and what a good one waits beside it
      visit http://127.0.0.1:8080/abc --rate 5000 --mix name=wrong,share=0.1,method=DELETE,status=405
  over TLS, to the server with this certificate
      visit https://127.0.0.1:8443/abc --certificate certificate.pem
  HTTP/2, by prior knowledge: ten connections with ten streams each
      visit http://127.0.0.1:8080/abc --http2 --streams 10
  a full handshake per request
      visit https://127.0.0.1:8443/abc --insecure --mode close
  a server with another answer
      visit http://127.0.0.1:8080/ --expect 'Hello World' --seconds 3
  the same with visitors that come at random, at the same times in each run
      visit http://127.0.0.1:8080/abc --connections 100 --rate 20000 --arrivals poisson --seed 1
  how a server warms up: answers and the 99th percentile of each tenth of a second
      visit http://127.0.0.1:8080/abc --series 0.1 --quiet | jq -r '.series[] | [.began_seconds, .answered, .p99_seconds] | @tsv'
  slices of load on the same connections
      printf 'warm 0.1\\nrun 1\\nrun 1\\n' | visit http://127.0.0.1:8080/abc --control --connections 100
  one load from two hosts whose clocks agree, at 12:00: this on one, on the other with --share 2/2
      noon=$(date -d 12:00 +%s)
      at=$(python3 -c \"import time as t; print(int((t.monotonic() + $noon - t.time()) * 1e9))\")
      visit http://10.0.0.1:8080/abc --connections 100 --rate 20000 --share 1/2 --start-at $at
  the throughput alone
      visit http://127.0.0.1:8080/abc --quiet | jq '.answered / .elapsed_seconds'

Exit codes:
  0    at least one request was answered with a 2xx status, and no answer was wrong
  1    an answer was wrong, or no request was answered with a 2xx status
  2    an argument or a command is wrong
  130  interrupted; what was measured until then is printed";

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = seconds_or_none(text)?;
    if seconds.is_zero() { Err("it must be more than 0".into()) } else { Ok(seconds) }
}

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    // The maximum is a day: more is a typing error.
    match text.parse::<f64>().map_err(|error| error.to_string())? {
        seconds @ 0.0..=86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("it must be from 0 to 86400".into()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = seconds_or_none(text)?;
    // A shorter interval has few answers, and ending it takes a thread about ten microseconds.
    if interval < Duration::from_millis(10) { Err("it must be at least 0.01".into()) } else { Ok(interval) }
}

fn rate(text: &str) -> Result<f64, String> {
    // The maximum is more than any machine sends.
    match text.parse::<f64>().map_err(|error| error.to_string())? {
        rate @ 0.0..=1e8 if rate > 0.0 => Ok(rate),
        _ => Err("it must be more than 0 and at most 100,000,000".into()),
    }
}
