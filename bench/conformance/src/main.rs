//! `conformance`: see `conformance --help`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use conformance::{CaseResult, Protocol, Settings, Target, Watch, causes, run, select};

/// Asks a running server of HTTP/1.1, HTTP/2 or TLS how it follows the RFCs
///
/// Each case is a request, a frame or a record in raw bytes with the answers that are right. What is wrong with the server
/// is said by cause, with the section of the RFC and an answer that shows it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  conformance 127.0.0.1:8080\n  conformance localhost:8080 --path /hello --expect-body 'Hello, world!'\n  conformance 127.0.0.1:8080 --only 'host/*,smuggling/*'\n  conformance 127.0.0.1:8443 --protocol h2\n\nExit codes: 0 all pass, 1 some fail or the server cannot be asked, 2 wrong usage."
)]
struct Arguments {
    /// Where the server listens
    #[arg(value_name = "HOST:PORT", required_unless_present = "list")]
    address: Option<String>,

    /// What it speaks: http/1.1, https, h2 or h2c. Its certificate is not checked: the cases are about
    /// bytes
    #[arg(long, value_name = "PROTOCOL", default_value_t)]
    protocol: Protocol,

    /// The body of its answer, in place of the greeting with the path
    #[arg(long, value_name = "TEXT")]
    expect_body: Option<String>,

    /// The path whose answer has that body
    #[arg(long, value_name = "PATH", requires = "expect_body", default_value = "/")]
    path: String,

    /// Only these cases, separated by commas; `*` stands for any part of a name
    #[arg(long, value_delimiter = ',', value_name = "CASES")]
    only: Vec<String>,

    /// Also send the short cases split after each of their bytes
    #[arg(long)]
    splits: bool,

    /// Name every case of a cause
    #[arg(long)]
    all: bool,

    /// Only list the cases
    #[arg(long)]
    list: bool,
}

/// The time limit for all cases, for a server that answers nothing.
const TIME: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    match ask(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the cases and prints the results. Returns whether all cases pass.
fn ask(arguments: &Arguments) -> Result<bool, String> {
    let target = arguments
        .expect_body
        .clone()
        .map_or(Target::Greeting, |body| Target::Fixed { path: arguments.path.clone(), body });
    let mut chosen = select(&arguments.protocol.cases(), &arguments.only, &target)
        .map_err(|error| format!("--only: {error}"))?;
    // These cases depend on the timeouts that the server was started with.
    chosen.retain(|case| !case.waits_for_timeouts());
    let Some(address) = arguments.address.as_ref().filter(|_| !arguments.list) else {
        chosen.iter().for_each(|case| println!("{case}"));
        return Ok(true);
    };
    let address = resolve(address)?;
    let response_timeout = Duration::from_secs(2);
    let settings =
        Settings { response_timeout, splits: arguments.splits, time: Some(TIME), ..Settings::default() };
    let run = run(address, &chosen, &settings, &Watch::default());
    let passed = run.results.iter().filter(|result| result.passed()).count();
    println!(
        "{address}: {passed} of {} cases pass",
        run.results.iter().filter(|result| result.is_asked()).count()
    );
    run.sentences().iter().for_each(|sentence| println!("  {sentence}"));
    for cause in causes(&run.results) {
        if arguments.all { print!("{cause:#}") } else { print!("{cause}") }
    }
    Ok(run.results.iter().all(CaseResult::passed))
}

fn resolve(address: &str) -> Result<SocketAddr, String> {
    let mut found = address.to_socket_addrs().map_err(|error| format!("{address}: {error}"))?;
    found.next().ok_or_else(|| format!("{address}: no such address"))
}
