//! `scripts/reference` with servers of a few lines, and mocks of npm and apt-get: the rows that it
//! writes, the servers that it leaves out and why, and that no process is left running.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::mock::{Checkout, expect, suite, text, wait_until, workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server that misbehaves as its second argument says. It closes a connection after three
/// seconds without a request.
const SERVER: &str = r#"
import os
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, mode, backend = sys.argv[1:]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 3
    wbufsize = -1  # head and body in one write

    def do_GET(self):
        if self.path == "/slow" and mode == "cuts":
            threading.Event().wait()
        body = f"Hello, visitor! You've requested: {self.path}\n".encode()
        if self.path == "/slow":
            body = urllib.request.urlopen(f"http://127.0.0.1:{backend}/slow").read()
        self.send_response_only(200)
        if mode != "cuts":
            self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET" or mode == "cuts":
            self.wfile.write(body)
        if self.path == "/slow":
            self.wfile.flush()
            os._exit(0)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 100

    def handle_error(self, *_):
        pass


if mode == "dead":
    sys.exit("no luck today")
# By this file the test knows which processes must have ended.
open(os.path.join(os.environ["HOME"], "pids", f"server-{os.getpid()}"), "w").close()
if mode == "waits":
    signal.signal(signal.SIGTERM, lambda *_: None)  # a request in flight has its answer first
Server(("127.0.0.1", int(port)), Handler).serve_forever()
"#;

/// A mock of npm that has every package except `nowhere`.
const NPM: &str = r#"#!/bin/sh
while [ "$1" != --prefix ]; do shift; done
[ "$3" != nowhere ] || { echo "npm error 404 Not Found" >&2; exit 1; }
mkdir -p "$2/node_modules/$3"
echo '{"version": "1.2.3"}' >"$2/node_modules/$3/package.json"
echo "$3" >>"$HOME/installed"
"#;

/// A mock of apt-get that has no package.
const APT_GET: &str = "#!/bin/sh\necho 'E: Unable to locate package nowhere' >&2\nexit 100\n";

/// Runs the real harness, but sends only the cases of `endpoint`, which take a second. For those of
/// other subjects it prints a fixed result.
const BENCH: &str = r#"#!/bin/sh
case "$*" in "serve "* | *" --servers good "* | *" --only endpoint/"*) exec "$REAL_BENCH" "$@" ;; esac
case "$*" in *" --only smuggling/"*) gone_at='"smuggling/a"' ;; esac
echo '['
echo "{\"server\": \"tidy\", \"cases\": 2, \"passed\": 1, \"flaky\": 0, \"hidden\": 0, \"wrong\": 0, \"strict\": 1, \"gone_at\": [$gone_at]}]"
exit 1
"#;

/// A page with rows of an earlier run.
const PAGE: &str = "\
# Servers

<!-- reference: foreign -->

By `scripts/reference`, last on 2020-01-01.

Cases:

| server | version | from | passed | hidden | wrong | strict |
| --- | --- | --- | ---: | ---: | ---: | ---: |
| cuts | 0 | npm | 0/1 | 0 | 0 | 0 |
| earlier | 1 | npm | 1/2 | 3 | 4 | 5 |

<!-- reference: end of foreign -->

<!-- reference: field -->
<!-- reference: end of field -->

More.
";

/// A checkout with the script, and with the servers of these tests instead of the repository's.
fn checkout() -> Checkout {
    let checkout = Checkout::new(&["tidy", "good"], &suite(&[workload("normal")]));
    checkout.extend_manifest("good", "check = [\"sh\", \"-c\", \"echo no luck today >&2; exit 1\"]\n");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").canonicalize().unwrap();
    let modules = scripts.join("reference.d").read_dir().unwrap().map(|entry| entry.unwrap().path());
    for file in modules.filter(|path| path.is_file()).chain([scripts.join("reference")]) {
        let name = Path::new("scripts").join(file.strip_prefix(&scripts).unwrap());
        checkout.write(name.to_str().unwrap(), "");
        fs::copy(&file, checkout.path(name.to_str().unwrap())).unwrap();
    }
    let servers = [
        ("cuts", "npm", "mock", "slow = true"),
        ("waits", "npm", "mock", "slow = true"),
        ("idle", "npm", "mock", "slow = false"),
        ("dead", "npm", "mock", ""),
        ("missing", "npm", "nowhere", ""),
        ("unknown", "Debian", "nowhere", ""),
        ("unbuilt", "PyPI", "mock", "built_with = [\"nowhere\"]"),
    ];
    for (name, source, package, line) in servers {
        let definition = format!(
            "from = \"{source}\"\npackages = [\"{package}\"]\n{line}\n\
             command = [\"python3\", \"{{folder}}/server.py\", \"{{port}}\", \"{name}\", \"{{backend}}\"]\n\
             [files]\n\"server.py\" = '''{SERVER}'''\n"
        );
        checkout.write(&format!("scripts/reference.d/servers/{name}.toml"), &definition);
    }
    for (name, code) in [("npm", NPM), ("apt-get", APT_GET), ("bench", BENCH)] {
        checkout.write(&format!("bin/{name}"), code);
        fs::set_permissions(checkout.path(&format!("bin/{name}")), PermissionsExt::from_mode(0o755)).unwrap();
    }
    checkout.write("docs/conformance.md", PAGE);
    checkout.write("README.md", "");
    checkout
}

/// Returns a command that runs the script with the mocks first on `PATH`. Each server creates a
/// file below `HOME` when it starts.
fn reference(checkout: &Checkout, arguments: &str) -> Command {
    let path = format!("{}:{}", checkout.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("env");
    // A shell that starts the tests in the background makes them and their children ignore SIGINT.
    command.arg("--default-signal=INT").arg(checkout.path("scripts/reference"));
    command.args(arguments.split_whitespace()).arg("--bench").arg(checkout.path("bin/bench"));
    command.env("REAL_BENCH", env!("CARGO_BIN_EXE_bench")).env("PATH", path).env("HOME", checkout.path(""));
    command.current_dir(checkout.path("")).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn run(checkout: &Checkout, arguments: &str, code: i32, expected: &str) -> String {
    let output: Output = reference(checkout, arguments).output().unwrap();
    let said = text(&output);
    expect((output, said), arguments, code, expected)
}

/// The text with `N` in place of each number: the number of cases and the times are not asserted.
fn without_numbers(text: &str) -> String {
    let mut without = String::new();
    for character in text.chars() {
        let is_number = character.is_ascii_digit() || character == '.';
        if !is_number {
            without.push(character);
        } else if character != '.' && !without.ends_with('N') {
            without.push('N');
        }
    }
    without
}

fn page(checkout: &Checkout) -> String {
    fs::read_to_string(checkout.path("docs/conformance.md")).unwrap()
}

/// Some rows of the page, with `N` for each number that is not asserted.
const ROWS: [&str; 7] = [
    "| cuts | N | npm | N/N, ended | N | N | N |",
    "| earlier | 1 | npm | 1/2 | 3 | 4 | 5 |",
    "| waits | N/N | N/N | N/N | N/N | N/N | N/N | N/N | N/N | N/N | N/N, ended |",
    "| server | endpoint | framing | chunks | host | target | methods | connection | limits | pipelining | smuggling |",
    "| cuts | **yes** | **no** | answered | kept, and does not say so | answered | closed without an answer, ends after N s | N s | N s |",
    "| idle | no | yes | answered | kept, and does not say so | answered | idle: ends after N s | N s | N s |",
    "| waits | no | yes | answered | kept, and does not say so | answered | answered, ends after N s | N s | N s |",
];

#[test]
fn the_tables_have_a_row_per_server_and_keep_those_of_others() {
    let checkout = checkout();
    let said = run(&checkout, "", 0, "docs/conformance.md: the tables of foreign servers are those above");
    for left_out in [
        "dead: left out: it ended with 1 as it started; ",
        "missing: left out: `npm install --no-audit` failed: npm error 404 Not Found\n",
        "unbuilt: left out: `apt-get --simulate --no-install-recommends` failed: E: Unable to locate package nowhere\n",
        "unknown: left out: `apt-get --simulate --no-install-recommends` failed: E: Unable to locate package nowhere\n",
    ] {
        assert!(said.contains(left_out), "{left_out}: {said}");
    }
    for ended in ["cuts", "idle", "waits"] {
        let gone = format!("{ended}: its process ended while it was sent the cases of smuggling\n");
        assert!(said.contains(&gone), "{said}");
    }
    let page = page(&checkout);
    for row in ROWS {
        let is_written = |line: &str| line == row || without_numbers(line) == row;
        assert!(page.lines().any(is_written), "{row}: {page}");
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| cuts |")).count(), 3, "{page}");
    assert!(page.starts_with("# Servers\n") && page.ends_with("\n\nMore.\n"), "{page}");
    checkout.wait_until_nothing_runs("the script has ended");
}

#[test]
fn the_servers_of_the_repository_have_tables_of_their_own() {
    let checkout = checkout();
    let said = run(
        &checkout,
        "--field --servers tidy,good --quick",
        0,
        "the tables of field servers are those above",
    );
    assert_eq!(said.matches("good: left out: no luck today\n").count(), 1, "{said}");
    let page = page(&checkout);
    let rows = [
        "| tidy | mock N | here | N/N, ended | N | N | N |",
        "| tidy | N/N | N/N | N/N | N/N | N/N | N/N | N/N | N/N | N/N | N/N, ended | N/N |",
        "| tidy | no, N | yes | answered | ",
    ];
    let foreign = PAGE.split_once("<!-- reference: field -->").unwrap().0;
    let field = page.strip_prefix(foreign).unwrap();
    for row in rows {
        assert!(without_numbers(field).lines().any(|line| line.starts_with(row)), "{row}: {page}");
    }
    checkout.assert_nothing_runs();
}

#[test]
fn what_is_installed_is_installed_again_only_where_it_is_asked_for() {
    let checkout = checkout();
    let installed = || fs::read_to_string(checkout.path("installed")).unwrap().lines().count();
    for (arguments, expected) in [("--serve idle", 1), ("--serve idle", 1), ("--serve idle --upgrade", 2)] {
        serve_until(&checkout, arguments, Signal::SIGINT, 130);
        assert_eq!(installed(), expected, "{arguments}");
    }
}

#[test]
fn a_server_ends_with_the_script() {
    let checkout = checkout();
    // `waits` does not end by SIGTERM.
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        serve_until(&checkout, "--serve waits", signal, code);
    }
}

/// Starts a server by the script, and sends the signal to the script once the server runs.
#[track_caller]
fn serve_until(checkout: &Checkout, arguments: &str, signal: Signal, code: i32) {
    let before = checkout.pids().len();
    let script = reference(checkout, arguments).spawn().unwrap();
    wait_until("the server runs", || checkout.pids().len() > before);
    kill(Pid::from_raw(script.id().cast_signed()), signal).unwrap();
    let output = script.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments}: {}", text(&output));
    checkout.assert_nothing_runs();
}

#[test]
fn a_mistake_is_one_line_and_leaves_the_page() {
    let checkout = checkout();
    let cases = [
        ("--servers dead,missing", 1, "reference: there is nothing to write\n"),
        (
            "--servers nobody",
            2,
            "error: --servers: there is no `nobody`; there are cuts, dead, idle, missing, unbuilt, unknown, waits\n",
        ),
        ("--serve dead", 1, "reference: it ended with 1 as it started; "),
        ("--out docs", 2, "error: --out: [Errno 21] Is a directory: 'docs'\n"),
        ("--out README.md --field", 2, "error: --out: the page lacks `<!-- reference: field -->` or "),
        ("--field --servers good", 1, "\ngood: left out: no luck today\n"),
        ("--field --servers mine", 1, "reference: `bench verify` failed: error: unknown server `mine`"),
        ("--serve idle --port 65536", 2, "error: argument --port: `65536` is not a port from 0 to 65535\n"),
    ];
    for (arguments, code, expected) in cases {
        run(&checkout, arguments, code, expected);
        assert_eq!(page(&checkout), PAGE, "{arguments}");
    }
}
