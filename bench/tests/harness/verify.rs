//! `bench verify` with a server that is not part of a checkout: its own path, each output format,
//! and errors in the flags.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};

use crate::mock::{Checkout, suite, workload};

/// Starts a server that answers `Hi` at `/hello`, without a Date, serves one request per
/// connection, and ends after `most` connections. Returns its address.
fn start(most: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(most) {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    address
}

/// Fails when the client has gone.
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => head.extend_from_slice(&buffer[..read]),
        }
    }
    let end = head.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    head.truncate(end + 4);
    let has_host = head.to_ascii_lowercase().windows(7).any(|name| name == b"\r\nhost:");
    let (status, body) = match (head.starts_with(b"GET /hello"), has_host) {
        (_, false) => ("400 Bad Request", "No host, says GET /hello"),
        (true, true) => ("200 OK", "Hi\n"),
        (false, true) => ("405 Method Not Allowed\r\nAllow: GET", ""),
    };
    let fields = format!("Content-Type: text/plain\r\nConnection: close\r\nContent-Length: {}", body.len());
    write!(stream, "HTTP/1.1 {status}\r\n{fields}\r\n\r\n{body}")?;
    stream.shutdown(std::net::Shutdown::Write)?;
    std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ())
}

fn verify(flags: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).arg("verify").args(flags).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, text)
}

#[test]
fn a_server_of_others_is_asked_at_its_own_path() {
    let address = start(usize::MAX).to_string();
    let of = [
        "--address",
        &address,
        "--path",
        "/hello",
        "--expect-body",
        "Hi\\n",
        "--only",
        "host/*,pipelining/*",
    ];
    let (output, text) = verify(&[of.as_slice(), &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{text}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &found[0];
    assert_eq!(found["hidden"], 0, "{text}");
    assert!(found["odd"][0].as_str().unwrap().starts_with("no Date in any of "), "{text}");
    let lacks = "the server answers one request per connection";
    assert!(!found["not_asked"][lacks].as_array().unwrap().is_empty(), "{text}");
    let cases: Vec<&str> = found["causes"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|cause| {
            cause["failures"].as_array().unwrap().iter().map(|failure| failure["case"].as_str().unwrap())
        })
        .collect();
    assert!(cases.contains(&"host/twice") && !cases.contains(&"host/missing"), "{text}");
    assert!(!cases.contains(&"host/name"), "{text}");

    let (_, text) = verify(&of);
    assert!(text.contains("some fail: ") && text.contains("  no Date in any of "), "{text}");
    assert!(text.contains("(RFC 9112, section 3.2)"), "{text}");
    let (_, text) = verify(&[of.as_slice(), &["--format", "markdown"]].concat());
    assert!(text.contains("| wrong | ") && text.contains("\n- no Date in any of "), "{text}");
}

#[test]
fn a_server_that_ends_leaves_what_is_known_so_far() {
    let address = start(20).to_string();
    let of = ["--address", &address, "--path", "/hello", "--expect-body", "Hi\\n", "--only", "host/*"];
    let (output, text) = verify(&of);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the server ended, or accepts no more connections, after one of: "), "{text}");
    assert!(text.contains("cases not asked: the server accepts no connections any more"), "{text}");
}

#[test]
fn a_wrong_flag_is_one_clear_line() {
    let address = start(usize::MAX).to_string();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--only", "host/none", "--address", &address], 1, "error: --only: there is no case `host/none`; "),
        (&["--expect-body", "Hi"], 2, "--address <HOST:PORT>"),
        (&["--path", "/x", "--address", &address], 2, "--expect-body <TEXT>"),
        (&["--path", "x", "--expect-body", "Hi", "--address", &address], 2, "a path begins with `/`"),
        (&["--format", "html"], 2, "[possible values: text, json, markdown]"),
    ];
    for (flags, code, expected) in cases {
        let (output, text) = verify(flags);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn the_cases_are_listed_with_their_rules() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(["list", "cases"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let missing = "host/missing (wrong, RFC 9112, section 3.2)\n  right: 400, then closed\n  rule: A request";
    assert!(text.contains(missing), "{text}");
    let lines = text.lines().filter(|line| line.starts_with("  rule: ")).count();
    assert_eq!(lines, conformance::all_cases().len());
}

/// A pass may depend on the server's timing: a known failure is outdated only if every try passes.
#[test]
fn a_known_failure_is_outdated_if_no_try_fails() {
    let checkout = Checkout::new(&["tidy", "wavers"], &suite(&[workload("load")]));
    let known = "[[known_failures]]\ncases = [\"endpoint/path\"]\nreason = \"It depends.\"\n";
    for (server, code, expected) in
        [("tidy", 1, "endpoint/path passes"), ("wavers", 0, "as known: 0 of 1 cases pass")]
    {
        checkout.extend_manifest(server, known);
        checkout.expect(&format!("verify {server} --only endpoint/path"), code, expected);
    }
}
