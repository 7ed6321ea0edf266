//! Plays cases against scripted servers: each kind of wrong answer is found.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::case::{Finish, Step, send};
use super::*;

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

#[derive(Clone, Copy, Debug)]
enum Script {
    /// Reads to the end of the probe or of the stream, answers, and leaves the connection open.
    Answer,
    /// The same, and closes the connection.
    AnswerAndClose,
    /// Answers without reading, and closes, so that the kernel resets the connection.
    AnswerAndReset,
    /// Sends the answer if its first read has the whole request, 400 otherwise.
    AnswerFirstRead,
}

/// Starts a server that serves one connection at a time, for as long as the tests run.
fn start(script: Script, answer: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Fails when the client has closed, as it does once it has its result.
            let _ = serve(stream.unwrap(), script, &answer);
        }
    });
    address
}

fn serve(mut stream: TcpStream, script: Script, answer: &str) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    match script {
        Script::Answer | Script::AnswerAndClose => {
            let mut bytes = Vec::new();
            while !bytes.windows(6).any(|window| window == b"/probe") {
                match stream.read(&mut buffer)? {
                    0 => break,
                    read => bytes.extend_from_slice(&buffer[..read]),
                }
            }
            stream.write_all(answer.as_bytes())?;
            if matches!(script, Script::Answer) {
                stream.read_to_end(&mut bytes)?;
            }
        }
        Script::AnswerAndReset => {
            stream.peek(&mut buffer)?;
            stream.write_all(answer.as_bytes())?;
        }
        Script::AnswerFirstRead => {
            let read = stream.read(&mut buffer)?;
            let whole = buffer[..read].windows(6).any(|window| window == b"/probe");
            let answer = if whole { answer } else { "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" };
            stream.write_all(answer.as_bytes())?;
            stream.read_to_end(&mut Vec::new())?;
        }
    }
    Ok(())
}

fn settings() -> Settings {
    Settings { response_timeout: Duration::from_secs(1), ..Settings::default() }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
        Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n{body}"
    )
}

fn greeting(path: &str) -> String {
    answer("200 OK", &format!("Hello, visitor! You've requested: {path}\n"))
}

fn bad() -> String {
    answer("400 Bad Request", "")
}

fn one(end: End) -> Case {
    Case::new("test/one", "", GET, [Expected::greeting("/a")], end)
}

fn two() -> Case {
    let both = [Expected::greeting("/a"), Expected::greeting("/b")];
    Case::new("test/two", "", GET.repeat(2), both, End::Open)
}

fn head() -> Case {
    Case::new("test/head", "", GET.replace("GET", "HEAD"), [Expected::head("/a")], End::Open)
}

fn rejected() -> Case {
    Case::rejected("test/rejected", "", GET, &[400])
}

#[test]
fn each_kind_of_wrong_answer_is_found() {
    let probe = || greeting("/probe");
    let a = || greeting("/a");
    let a_then = |more: String| greeting("/a") + &more;
    let head_a = || a().replace("Hello, visitor! You've requested: /a\n", "");
    let hints = || "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".to_owned();
    let switch = || "HTTP/1.1 101 Switching Protocols\r\n\r\n".to_owned();
    let closing = |finish| one(End::Closed).with_finish(finish);
    let (open, close, reset) = (Script::Answer, Script::AnswerAndClose, Script::AnswerAndReset);
    let neither = rejected().or([Expected::head("/a")], End::Any);
    let both = "expected 400 as answer 1, or expected 200 as answer 1";
    let cases = [
        ("right", one(End::Open), open, a_then(probe()), None),
        ("interim answers", one(End::Open), open, hints() + &hints() + &a() + &hints() + &probe(), None),
        (
            "an interim one that ends HTTP",
            one(End::Open),
            open,
            switch() + &probe(),
            Some("answer 1: expected 200, got 101"),
        ),
        ("wrong status", one(End::Open), open, bad() + &probe(), Some("answer 1: expected 200, got 400")),
        ("no answer", one(End::Any), open, probe(), Some("expected 200 as answer 1")),
        ("extra answer", one(End::Open), open, a() + &a() + &probe(), Some("expected no more than 1 answer")),
        ("answer within garbage", one(End::Open), open, a_then("x".into()), Some("\"x\" is not an answer")),
        ("cut off", one(End::Closed), close, a()[..90].into(), Some("the connection ended within an answer")),
        ("right order", two(), open, a() + &greeting("/b") + &probe(), None),
        ("wrong order", two(), open, greeting("/b") + &a() + &probe(), Some("answer 1: expected the body")),
        ("head", head(), open, head_a() + &probe(), None),
        ("head with a body", head(), open, a_then(probe()), Some("\"Hello, visitor!")),
        ("closed", one(End::Closed), close, a(), None),
        ("closed, and not open", one(End::Open), close, a(), Some("expected the connection to stay open")),
        ("not closed", rejected(), open, bad() + &probe(), Some("expected the connection to be closed")),
        ("any end: closed", one(End::Any), close, a(), None),
        ("any end: open", one(End::Any), open, a_then(probe()), None),
        ("silence", one(End::Any), open, a(), Some("expected an answer or an end")),
        ("reset for an end", one(End::Closed), reset, a(), None),
        ("no clean end", one(End::ClosedCleanly), reset, a(), Some("expected an end and not a reset")),
        ("half-close", closing(Finish::HalfClose), close, a(), None),
        ("no half-close", closing(Finish::Wait), open, String::new(), Some("expected 200 as answer 1")),
        ("second alternative", rejected().or([Expected::greeting("/a")], End::Any), close, a(), None),
        ("neither alternative", neither, close, probe() + "x", Some(both)),
    ];
    for (name, case, script, answer, expected) in cases {
        let failure = check(start(script, &answer), &case, &settings());
        let fits = failure.as_ref().map(|got| expected.is_some_and(|start| got.reason.starts_with(start)));
        assert_eq!(fits, expected.map(|_| true), "{name}: {failure:?}");
    }
}

#[test]
fn answers_that_do_not_end_are_found() {
    let address = start(Script::AnswerAndClose, &greeting("/a").repeat(200_000));
    // 200,000 answers take a while on a busy machine.
    let settings = Settings { response_timeout: Duration::from_secs(120), ..Settings::default() };
    let failure = check(address, &one(End::Any), &settings).unwrap();
    assert_eq!(failure.reason, "the answers do not end");
}

#[test]
fn a_failure_says_what_the_server_did() {
    let failure = check(start(Script::AnswerAndClose, &bad()), &one(End::Open), &settings()).unwrap();
    let got = "400 and the connection closed: \"HTTP/1.1 400 Bad Request\\r\\n";
    assert!(failure.got.starts_with(got), "{failure}");
    let nothing = check(start(Script::AnswerAndClose, ""), &one(End::Open), &settings()).unwrap();
    assert_eq!(nothing.got, "no answer and the connection closed");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = check(port, &one(End::Open), &settings()).unwrap();
    assert_eq!(unreachable.reason, "expected a connection");
}

#[test]
fn an_answer_to_a_hidden_request_is_smuggling() {
    let (probe, hidden, behind) = (greeting("/probe"), greeting("/smuggled"), greeting("/behind"));
    let cases = [
        (rejected(), hidden + &probe, Severity::Smuggling),
        (rejected(), bad() + &behind, Severity::Smuggling),
        (rejected(), greeting("/a") + &behind + &probe, Severity::Wrong),
        (rejected().with_severity(Severity::Smuggling), bad() + &probe, Severity::Wrong),
        (rejected().strict(), bad() + &probe, Severity::Strict),
    ];
    for (case, answer, expected) in cases {
        let failure = check(start(Script::AnswerAndClose, &answer), &case, &settings()).unwrap();
        assert_eq!(failure.severity, expected, "{failure}");
    }
}

#[test]
fn an_awaited_answer_has_to_arrive_before_more_is_sent() {
    let case = two().then([Step::Await(1), send("GET /more HTTP/1.1\r\nHost: h\r\n\r\n")]);
    // This server answers everything at once, after the probe.
    let late = greeting("/a") + &greeting("/b") + &greeting("/probe");
    let failure = check(start(Script::Answer, &late), &case, &settings()).unwrap();
    assert!(failure.reason.contains("answer 1"), "{failure}");
}

#[test]
fn a_split_that_changes_the_answer_is_found() {
    let address = start(Script::AnswerFirstRead, &(greeting("/a") + &greeting("/probe")));
    assert_eq!(check(address, &one(End::Open), &settings()), None);
    let failure = check(address, &one(End::Open), &Settings { splits: true, ..settings() }).unwrap();
    assert!(failure.split.is_some(), "{failure}");
    let lenient = one(End::Open).or([Expected::status(&[400])], End::Any);
    let failure = check(address, &lenient, &Settings { splits: true, ..settings() }).unwrap();
    assert!(failure.split.is_some(), "{failure}");
}

#[test]
fn a_server_that_serves_one_at_a_time_is_sent_one_at_a_time() {
    let address = start(Script::Answer, &(greeting("/a") + &greeting("/probe")));
    let cases = vec![one(End::Open); 30];
    let results = run(address, &cases, &settings());
    assert_eq!(results.len(), cases.len());
    assert!(results.iter().all(|result| result.failure.is_none()), "{results:?}");
}

#[test]
fn results_are_in_the_order_of_the_cases() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = cases();
    let found: Vec<_> = run(port, &cases, &settings()).iter().map(|result| result.case).collect();
    let expected: Vec<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_case_has_a_unique_name_a_subject_and_a_rule() {
    let cases = cases();
    assert!(cases.len() >= 200, "{}", cases.len());
    let mut names: Vec<_> = cases.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
    assert!(names.contains(&BURST));
    for case in &cases {
        let name = case.name.strip_prefix(case.subject()).and_then(|name| name.strip_prefix('/'));
        let is_clear =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        assert!(name.is_some_and(is_clear), "{}", case.name);
        assert!(!case.rule.is_empty() && !case.alternatives.is_empty(), "{}", case.name);
    }
    let endpoint = cases.iter().take_while(|case| case.subject() == ENDPOINT).count();
    assert_eq!(endpoint, cases.iter().filter(|case| case.subject() == ENDPOINT).count());
}
