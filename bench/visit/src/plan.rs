//! The load to make: the arguments, validated and resolved.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use visit_output::{Mode, Protocol, Share};

use super::amount::Amount;
use super::arguments::Arguments;
use super::field::Field;
use super::head::{self, Form};
use super::http2::{self, Asks};
use super::mix::Mix;
use super::poisson::{self, Poisson};
use super::requests::Requests;
use super::schedule;
use super::spacing::Spacing;
use super::start_at::Start;
use super::tls::{self, Offer};

/// The timeout of a trial connection to an address of a name that has several addresses.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);

/// The most intervals of a series: a report with more is hard to read and to draw.
const MOST_INTERVALS: u128 = 100_000;

/// The load to make. Connections, rate and amount are of the whole load, even when this process
/// makes only a share of it.
pub(super) struct Plan {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    /// The TLS to offer; `None` without TLS.
    pub(super) tls: Option<Offer>,
    /// The requests over HTTP/2; `None` with HTTP/1.1.
    pub(super) http2: Option<Asks>,
    pub(super) requests: Requests,
    /// Kinds of requests besides the plain one; `None` when there are none.
    pub(super) mix: Option<Mix>,
    /// Fields of every request, as `Name: value`.
    pub(super) headers: Vec<String>,
    pub(super) mode: Mode,
    /// The number of requests after which the server has to close a connection; `None` where it is
    /// kept.
    pub(super) close_after: Option<u16>,
    /// Arrivals per second over all connections; `None` in a closed loop.
    pub(super) rate: Option<f64>,
    /// The random times of arrivals in an open loop; `None` when they are evenly spaced.
    pub(super) poisson: Option<Poisson>,
    pub(super) connections: u32,
    /// Threads of this process, at most one per connection of its share.
    pub(super) threads: u32,
    /// The share of this process; `None` when it makes the whole load.
    pub(super) share: Option<Share>,
    pub(super) start: Start,
    /// Whether warm-up and amount come from commands (`--control`) instead of these fields.
    pub(super) control: bool,
    pub(super) amount: Amount,
    pub(super) warm_up: Duration,
    /// The length of the intervals of the series; `None` without `--series`.
    pub(super) series: Option<Duration>,
    pub(super) timeout: Duration,
}

/// The parts of a URL.
struct Url {
    scheme: Scheme,
    /// The host, with the port if the URL has one.
    host: String,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Plan {
    /// Fails when an argument is wrong, or the name of the host has no address.
    pub(super) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let Url { scheme, host, path } =
            split(&arguments.url).with_context(|| format!("URL {}", arguments.url))?;
        let protocol = Protocol::new(scheme == Scheme::Https, arguments.http2);
        let tls = tls(arguments, protocol, &host)?;
        let mut paths = vec![path];
        paths.extend(arguments.path.iter().cloned());
        paths.iter().try_for_each(|path| check_path(path))?;
        let mode = arguments.mode;
        if arguments.rate.is_some() && matches!(mode, Mode::Pipelined(_)) {
            bail!("--rate cannot be used with --mode {mode}: an arrival is one request");
        }
        check_http2(arguments)?;
        check_share(arguments)?;
        check_series(arguments)?;
        let start = Start::new(arguments.start_at).context("--start-at")?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = arguments.threads.unwrap_or_else(|| u32::try_from(cores).unwrap_or(1));
        let amount = arguments.requests.map_or(Amount::Time(arguments.seconds), Amount::Requests);
        let expect = arguments.expect.as_deref();
        let form = Form { host: &host, fields: &arguments.header, mode };
        let mix = mix(arguments, &form, &paths)?;
        let mut requests = Requests::new(&form, &paths, expect, &arguments.mix);
        let http2 = http2(arguments, protocol, &host, &mut requests)?;
        let mut plan = Self {
            url: arguments.url.clone(),
            address: resolve(&host, scheme).with_context(|| format!("URL {}", arguments.url))?,
            tls,
            http2,
            requests,
            mix,
            headers: arguments.header.iter().map(Field::to_string).collect(),
            mode,
            close_after: mode.requests_per_connection(),
            rate: arguments.rate,
            poisson: poisson(arguments, amount)?,
            connections: arguments.connections,
            threads,
            share: arguments.share,
            start,
            control: arguments.control,
            amount,
            warm_up: arguments.warm_up,
            series: arguments.series,
            timeout: arguments.timeout,
        };
        plan.threads = threads.min(u32::try_from(plan.own_connections())?);
        Ok(plan)
    }

    /// The share of this process; the whole load without `--share`.
    pub(super) fn process(&self) -> Share {
        self.share.unwrap_or(Share::WHOLE)
    }

    /// The protocol between `visit` and the server.
    pub(super) fn protocol(&self) -> Protocol {
        Protocol::new(self.tls.is_some(), self.http2.is_some())
    }

    /// Whether the protocol is HTTP/1.1 without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.protocol() == Protocol::Http1
    }

    /// How the arrivals of an open loop are spaced.
    pub(super) fn spacing(&self) -> Spacing {
        if self.poisson.is_some() { Spacing::Poisson } else { Spacing::Even }
    }

    /// Whether a connection that is down is opened when a request is due, so that latency includes
    /// the time to connect.
    pub(super) fn opens_on_arrival(&self) -> bool {
        self.close_after.is_some() && self.rate.is_some()
    }

    /// The number of connections of this process.
    pub(super) fn own_connections(&self) -> u64 {
        self.process().part_of(self.connections.into())
    }
}

/// Fails when there are more intervals than a report can have.
fn check_series(arguments: &Arguments) -> anyhow::Result<()> {
    let (Some(interval), None) = (arguments.series, arguments.requests) else { return Ok(()) };
    let count = arguments.seconds.as_nanos() / interval.as_nanos();
    ensure!(count <= MOST_INTERVALS, "--series: there are {count} intervals, more than {MOST_INTERVALS}");
    Ok(())
}

/// The random times of arrivals; `None` for evenly spaced arrivals and in a closed loop.
fn poisson(arguments: &Arguments, amount: Amount) -> anyhow::Result<Option<Poisson>> {
    let (Some(rate), Some(Spacing::Poisson)) = (arguments.rate, arguments.arrivals) else {
        ensure!(arguments.seed.is_none(), "--seed needs --arrivals poisson");
        return Ok(None);
    };
    if let (Some(share), None) = (arguments.share, arguments.seed) {
        bail!("--share {share}: --arrivals poisson needs a --seed, the same one for all shares");
    }
    let seed = arguments.seed.unwrap_or_else(poisson::random_seed);
    Poisson::new(seed, schedule::measured(amount, rate, arguments.warm_up)).map(Some)
}

fn check_path(path: &str) -> anyhow::Result<()> {
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("the path \"{}\" does not begin with `/` or is not plain ASCII", path.escape_default());
    }
    Ok(())
}

/// The kinds of requests; `None` without --mix.
fn mix(arguments: &Arguments, form: &Form, paths: &[String]) -> anyhow::Result<Option<Mix>> {
    let (kinds, mode) = (&arguments.mix, form.mode);
    if kinds.is_empty() {
        return Ok(None);
    }
    ensure!(
        !matches!(mode, Mode::Pipelined(_)),
        "--mix cannot be used with --mode {mode}: the answers behind a wrong request are not known"
    );
    for kind in kinds {
        let path = kind.path.as_ref().unwrap_or(&paths[0]);
        check_path(path).with_context(|| format!("--mix {kind}"))?;
        if let Some(asked) = kind.head {
            let bytes = head::head(form, path, mode.requests_per_connection().is_some(), Some(kind)).len();
            ensure!(bytes == asked, "--mix {kind}: the head has at least {bytes} bytes");
        }
    }
    Mix::new(kinds).map(Some).map_err(|error| anyhow!("--mix: {error}"))
}

/// Fails when there are more shares than connections or requests.
fn check_share(arguments: &Arguments) -> anyhow::Result<()> {
    let Some(share) = arguments.share else { return Ok(()) };
    let (shares, connections) = (share.count(), arguments.connections);
    ensure!(shares <= connections, "--share {share}: there are more shares than connections ({connections})");
    if let Some(requests) = arguments.requests {
        ensure!(
            u64::from(shares) <= requests,
            "--share {share}: there are more shares than requests ({requests})"
        );
    }
    Ok(())
}

/// The TLS to offer, if any. Fails when an argument needs TLS, or TLS needs an argument.
fn tls(arguments: &Arguments, protocol: Protocol, host: &str) -> anyhow::Result<Option<Offer>> {
    let Arguments { certificate, insecure, cipher, resume, .. } = arguments;
    if !protocol.is_tls() {
        let given = [
            ("--certificate", certificate.is_some()),
            ("--insecure", *insecure),
            ("--cipher", cipher.is_some()),
            ("--resume", *resume),
        ];
        let given = given.iter().find(|(_, is_given)| *is_given);
        ensure!(given.is_none(), "{} needs an https URL", given.map_or("it", |(name, _)| name));
        return Ok(None);
    }
    ensure!(
        certificate.is_some() || *insecure,
        "an https URL needs --certificate FILE, or --insecure to take any certificate"
    );
    let choices = tls::Choices {
        certificate: certificate.as_deref(),
        cipher: cipher.unwrap_or_default(),
        resume: *resume,
        alpn: protocol.alpn(),
    };
    Offer::new(name(host), &choices).map(Some)
}

/// The requests over HTTP/2; `None` with HTTP/1.1.
fn http2(
    arguments: &Arguments,
    protocol: Protocol,
    host: &str,
    requests: &mut Requests,
) -> anyhow::Result<Option<Asks>> {
    if !arguments.http2 {
        return Ok(None);
    }
    let paths = requests.targets.iter().map(|target| target.path.as_str());
    let frames = http2::frames(protocol.is_tls(), host, &arguments.header, paths)?;
    // The next stream may be on any connection, so each request is a batch of its own.
    requests.vary = true;
    Ok(Some(Asks { frames, streams: arguments.streams.unwrap_or(1) }))
}

/// Fails on arguments that only HTTP/1.1 supports, and on `--streams` without `--http2`.
fn check_http2(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { http2, streams, mode, mix, .. } = arguments;
    ensure!(*http2 || streams.is_none(), "--streams needs --http2");
    if *http2 && matches!(mode, Mode::Pipelined(_)) {
        bail!("--mode {mode} cannot be used with --http2, which has --streams instead");
    }
    ensure!(!*http2 || mix.is_empty(), "--mix cannot be used with --http2");
    Ok(())
}

/// A host without its port and brackets.
fn name(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Splits a URL. Fails when the scheme or the host is wrong.
fn split(url: &str) -> anyhow::Result<Url> {
    let parts = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
        (Some(rest), _) => Some((Scheme::Http, rest)),
        (_, Some(rest)) => Some((Scheme::Https, rest)),
        (None, None) => None,
    };
    let (scheme, rest) = parts.context("it does not begin with http:// or https://")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
    {
        bail!("\"{}\" is not a host", host.escape_default());
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(Url { scheme, host: host.to_owned(), path: format!("{slash}{path}") })
}

/// Returns the address of a host. For a name with several addresses, such as `localhost`, this is
/// the first that accepts a connection: a server may listen on IPv4 alone, or on IPv6.
fn resolve(host: &str, scheme: Scheme) -> anyhow::Result<SocketAddr> {
    let port = host.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    let default = if scheme == Scheme::Https { 443 } else { 80 };
    let host = if port { host.to_owned() } else { format!("{host}:{default}") };
    let addresses: Vec<SocketAddr> = host.to_socket_addrs()?.collect();
    accepting(&addresses).context("the name has no address")
}

/// Returns the only address, or the first that accepts a connection, or else the first.
fn accepting(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let accepts = |address: &&SocketAddr| TcpStream::connect_timeout(address, TRY_TIMEOUT).is_ok();
    let tried = if addresses.len() > 1 { addresses.iter().find(accepts) } else { None };
    tried.or(addresses.first()).copied()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn plan(line: &str) -> anyhow::Result<Plan> {
        Plan::new(&Arguments::try_parse_from(line.split(' '))?)
    }

    #[test]
    fn a_url_gives_an_address_and_a_request() {
        let cases = [
            ("http://127.0.0.1:81/abc", "127.0.0.1:81", "GET /abc HTTP/1.1\r\nHost: 127.0.0.1:81\r\n\r\n"),
            ("http://127.0.0.1", "127.0.0.1:80", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
            ("http://[::1]:81?a#b", "[::1]:81", "GET /?a HTTP/1.1\r\nHost: [::1]:81\r\n\r\n"),
            ("http://[::1]/a", "[::1]:80", "GET /a HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
            ("https://127.0.0.1/a", "127.0.0.1:443", "GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
            ("https://[::1]:81/", "[::1]:81", "GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n"),
        ];
        for (url, address, request) in cases {
            let insecure = if url.starts_with("https") { " --insecure" } else { "" };
            let plan = plan(&format!("visit {url}{insecure}")).unwrap();
            assert_eq!(plan.address.to_string(), address, "{url}");
            assert_eq!(plan.requests.bytes(0, 1), request.as_bytes(), "{url}");
        }
    }

    #[test]
    fn of_several_addresses_the_one_that_accepts_is_taken() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cases: [(&[SocketAddr], Option<SocketAddr>); 5] = [
            (&[], None),
            (&[closed], Some(closed)),
            (&[closed, open], Some(open)),
            (&[open, closed], Some(open)),
            (&[closed, closed], Some(closed)),
        ];
        for (addresses, expected) in cases {
            assert_eq!(accepting(addresses), expected, "{addresses:?}");
        }
    }

    #[test]
    fn connections_are_divided_among_shares() {
        let cases = [
            ("--connections 7 --threads 4", 7, 4),
            ("--connections 7 --threads 4 --share 1/1", 7, 4),
            ("--connections 7 --threads 4 --share 1/3", 3, 3),
            ("--connections 7 --threads 1 --share 2/3", 2, 1),
            ("--connections 7 --threads 4 --share 3/3 --control", 2, 2),
            ("--connections 3 --threads 4 --share 3/3 --requests 3", 1, 1),
        ];
        for (line, connections, threads) in cases {
            let plan = plan(&format!("visit http://127.0.0.1/ {line}")).unwrap();
            assert_eq!((plan.own_connections(), plan.threads), (connections, threads), "{line}");
        }
    }

    #[test]
    fn a_wrong_argument_is_named() {
        let cases = [
            ("ftp://127.0.0.1/", "does not begin with http:// or https://"),
            ("https://127.0.0.1/", "needs --certificate FILE, or --insecure"),
            ("https://127.0.0.1/ --insecure --certificate a.pem", "cannot be used with"),
            ("https://127.0.0.1/ --certificate /nowhere/a.pem", "--certificate /nowhere/a.pem: "),
            (
                "https://127.0.0.1/ --certificate Cargo.toml",
                "--certificate Cargo.toml: it has no certificate",
            ),
            ("https://127.0.0.1/ --insecure --cipher chacha", "[possible values: aes-128, aes-256]"),
            ("https://.-/ --insecure", "\".-\" cannot be the name of a TLS server"),
            ("http://127.0.0.1/ --certificate Cargo.toml", "--certificate needs an https URL"),
            ("http://127.0.0.1/ --insecure", "--insecure needs an https URL"),
            ("http://127.0.0.1/ --cipher aes-256", "--cipher needs an https URL"),
            ("http://127.0.0.1/ --resume", "--resume needs an https URL"),
            ("http:///a", "is not a host"),
            ("http://me@127.0.0.1/", "is not a host"),
            ("http://127.0.0.1:99999/", "URL http://127.0.0.1:99999/"),
            ("http://127.0.0.1/ä", "is not plain ASCII"),
            ("http://127.0.0.1/ --path b", "does not begin with `/`"),
            ("http://127.0.0.1/ --rate 5 --mode pipelined-4", "--rate cannot be used with"),
            ("http://127.0.0.1/ --mode pipelined-0", "from pipelined-1"),
            (
                "http://127.0.0.1/ --mode keepalive",
                "it has to be keep-alive, close, close-after-N or pipelined-N",
            ),
            ("http://127.0.0.1/ --mode close-after-1", "from close-after-2"),
            ("http://127.0.0.1/ --mix name=a,share=0.1", "it has no status="),
            ("http://127.0.0.1/ --mix name=a,share=0.1,path=b,status=404", "does not begin with `/`"),
            ("http://127.0.0.1/ --mix name=a,share=0.1,head=20,status=431", "the head has at least 35 bytes"),
            (
                "http://127.0.0.1/ --mix name=a,share=1,status=404 --mix name=b,share=1,status=404",
                "more than 1",
            ),
            (
                "http://127.0.0.1/ --mix name=a,share=0.1,status=404 --mode pipelined-2",
                "--mix cannot be used",
            ),
            ("http://127.0.0.1/ --arrivals poisson", "--rate"),
            ("http://127.0.0.1/ --rate 5 --arrivals random", "[possible values: even, poisson]"),
            ("http://127.0.0.1/ --rate 5 --seed 1", "--arrivals"),
            ("http://127.0.0.1/ --rate 5 --arrivals even --seed 1", "--seed needs --arrivals poisson"),
            ("http://127.0.0.1/ --rate 5 --arrivals poisson --seed -1", "--seed"),
            ("http://127.0.0.1/ --rate 5 --arrivals poisson --seed 9007199254740992", "--seed"),
            ("http://127.0.0.1/ --rate 5 --arrivals poisson --share 1/2", "needs a --seed"),
            ("http://127.0.0.1/ --rate 1e8 --seconds 11 --arrivals poisson", "more than 1000000000"),
            ("http://127.0.0.1/ --series 0", "at least 0.01"),
            ("http://127.0.0.1/ --series -1", "from 0 to 86400"),
            ("http://127.0.0.1/ --series 0.01 --seconds 1001", "100100 intervals, more than 100000"),
            ("http://127.0.0.1/ --series 0.1 --control", "cannot be used with"),
            ("http://127.0.0.1/ --seconds 0", "more than 0"),
            ("http://127.0.0.1/ --rate -1", "more than 0"),
            ("http://127.0.0.1/ --seconds 1 --requests 1", "cannot be used with"),
            ("http://127.0.0.1/ --control --rate 1", "cannot be used with"),
            ("http://127.0.0.1/ --control --seconds 1", "cannot be used with"),
            ("http://127.0.0.1/ --control --requests 1", "cannot be used with"),
            ("http://127.0.0.1/ --control --warm-up 1", "cannot be used with"),
            ("http://127.0.0.1/ --control --start-at -", "cannot be used with"),
            ("http://127.0.0.1/ --start-at soon", "not a number of nanoseconds"),
            ("http://127.0.0.1/ --start-at 18446744073709551615", "more than a day ahead"),
            ("http://127.0.0.1/ --share 0/2", "I from 1 to N"),
            ("http://127.0.0.1/ --share 3/2", "I from 1 to N"),
            ("http://127.0.0.1/ --share two", "I from 1 to N"),
            ("http://127.0.0.1/ --share 1/11", "more shares than connections (10)"),
            ("http://127.0.0.1/ --share 1/3 --requests 2", "more shares than requests (2)"),
        ];
        for (line, expected) in cases {
            let message = format!("{:#}", plan(&format!("visit {line}")).err().unwrap());
            assert!(message.contains(expected), "{line}: {message}");
        }
    }
}
