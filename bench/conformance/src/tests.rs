//! Plays cases against scripted servers, and checks that each kind of wrong answer is found.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::case::{Finish, Step, send};
use super::check::play;
use super::retarget::retarget;
use super::subject::shorthand::HIDDEN;
use super::*;

/// A placeholder for the rule of a case: these tests judge what the scripted servers do.
const RULE: Rule = Rule::new("a test");

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

#[derive(Clone, Copy, Debug)]
enum Script {
    /// Reads to the end of the probe or of the stream, answers, and leaves the connection open.
    Answer,
    /// Like `Answer`, and closes the connection.
    AnswerAndClose,
    /// Answers without reading, and closes, so that the kernel resets the connection.
    AnswerAndReset,
    /// Answers as soon as the first bytes arrive, and closes.
    AnswerOnce,
    /// Sends one answer per read: the answer to the first request.
    InTurn,
    /// Sends one answer per read: the answer to the last request.
    Last,
    /// Like `Answer`, and stops after this number of connections.
    EndAfter(usize),
    /// Sends the answer if its first read has the whole request, 400 otherwise.
    AnswerFirstRead,
}

/// Starts a server that serves one connection at a time, for as long as the tests run.
fn start(script: Script, answer: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.to_owned();
    let most = if let Script::EndAfter(most) = script { most } else { usize::MAX };
    std::thread::spawn(move || {
        for stream in listener.incoming().take(most) {
            // Fails when the client has closed, as it does once it has its result.
            let _ = serve(stream.unwrap(), script, &answer);
        }
    });
    address
}

fn serve(mut stream: TcpStream, script: Script, answer: &str) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    match script {
        Script::AnswerOnce => {
            stream.peek(&mut buffer)?;
            stream.write_all(answer.as_bytes())?;
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new())?;
        }
        Script::InTurn => {
            while stream.read(&mut buffer)? > 0 {
                stream.write_all(answer.as_bytes())?;
            }
        }
        Script::Last => loop {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            let is_probed = buffer[..read].windows(6).any(|window| window == b"/probe");
            let answer = if is_probed { &greeting("/probe") } else { answer };
            stream.write_all(answer.as_bytes())?;
        },
        Script::Answer | Script::AnswerAndClose | Script::EndAfter(_) => {
            let mut bytes = Vec::new();
            while !bytes.windows(6).any(|window| window == b"/probe") {
                match stream.read(&mut buffer)? {
                    0 => break,
                    read => bytes.extend_from_slice(&buffer[..read]),
                }
            }
            stream.write_all(answer.as_bytes())?;
            if matches!(script, Script::Answer | Script::EndAfter(_)) {
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

/// Returns why the case fails; `None` when it passes.
fn check(address: SocketAddr, case: &Case, settings: &Settings) -> Option<Failure> {
    play(address, case, settings).failure
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
    Case::new("test/one", RULE, GET, [Expected::greeting("/a")], end)
}

fn two() -> Case {
    let both = [Expected::greeting("/a"), Expected::greeting("/b")];
    Case::new("test/two", RULE, GET.repeat(2), both, End::Open)
}

fn head() -> Case {
    Case::new("test/head", RULE, GET.replace("GET", "HEAD"), [Expected::head("/a")], End::Open)
}

fn rejected() -> Case {
    Case::rejected("test/rejected", RULE, GET, &[400])
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

/// Each row has a name, a case, the bytes that the server sends, and the severity of the failure.
#[test]
fn a_failure_is_as_severe_as_the_rules_are() {
    let (probe, hidden) = (greeting("/probe"), greeting("/smuggled"));
    let page = answer("400 Bad Request", "You sent: GET /smuggled HTTP/1.1, You've requested: /smuggled");
    let page_of_greeting = answer("400 Bad Request", "Hello, visitor! You've requested: /smuggled\n");
    let case = |name: &str| cases().into_iter().find(|case| case.name == name).unwrap();
    let head = Expected::status(&[400]);
    let open = rejected().left_open([head.clone()], End::Open);
    let method = || answer("405 No", "");
    let settings_frame = "\0\0\0\u{4}\0\0\0\0\0".to_owned();
    let switch = |to: &str| format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: {to}\r\n\r\n\u{1}\u{2}");
    let too_many = answer("429 Slow down", "");
    let cases = [
        // Only a whole answer with a 2xx status counts as the answer to a hidden request. A page
        // that quotes the request does not.
        ("hidden", rejected(), hidden.clone() + &probe, Some(Severity::Smuggling)),
        ("hidden, after a rejection", rejected(), bad() + &hidden, Some(Severity::Smuggling)),
        ("a page that quotes it", rejected(), page, None),
        ("a page that is the greeting", rejected(), page_of_greeting, None),
        // The bytes after a refused CONNECT are a request.
        ("CONNECT, closed", case("smuggling/behind-connect"), method(), None),
        (
            "CONNECT, and the next",
            case("smuggling/behind-connect"),
            method() + &hidden + &probe,
            Some(Severity::Strict),
        ),
        (
            "CONNECT, tunnel",
            case("smuggling/behind-connect"),
            answer("200 OK", "") + &hidden,
            Some(Severity::Smuggling),
        ),
        // A server may speak other protocols.
        ("preface, SETTINGS", case("framing/http-2-preface"), settings_frame.clone(), None),
        ("preface, rejected", case("framing/http-2-preface"), bad(), None),
        ("preface, served", case("framing/http-2-preface"), greeting("*") + &probe, Some(Severity::Strict)),
        ("WebSocket without a key", case("connection/upgrade-to-a-websocket"), bad() + &probe, None),
        ("h2c", case("connection/upgrade-to-http-2"), switch("h2c"), None),
        // A body that has no meaning may be refused.
        ("HEAD with a body", case("methods/head-with-a-body"), answer("400 No", ""), None),
        // A server may close at any time. After right answers this is a strict failure.
        ("closed after the first of two", two(), greeting("/a"), Some(Severity::Strict)),
        ("closed in place of the first", two(), String::new(), Some(Severity::Strict)),
        ("not closed", rejected(), bad() + &probe, Some(Severity::Wrong)),
        ("not closed, as the rules allow", open.clone(), bad() + &probe, Some(Severity::Strict)),
        ("neither", open, too_many, Some(Severity::Wrong)),
        ("no token, 501", case("methods/with-a-slash"), answer("501 No", ""), Some(Severity::Strict)),
        ("63 bits, 413", case("framing/length-of-63-bits"), answer("413 No", ""), None),
        ("overflow, taken for 3", case("framing/length-overflow"), method() + &probe, Some(Severity::Wrong)),
        ("no Host, served", case("host/missing"), greeting("/a") + &probe, Some(Severity::Wrong)),
        ("half-closed, no answer", case("connection/half-closed"), String::new(), Some(Severity::Strict)),
        (
            "a case that is smuggling by its own",
            rejected().with_severity(Severity::Smuggling),
            probe,
            Some(Severity::Wrong),
        ),
    ];
    for (name, case, answer, expected) in cases {
        let failure = check(start(Script::AnswerAndClose, &answer), &case, &settings());
        assert_eq!(failure.as_ref().map(|failure| failure.severity), expected, "{name}: {failure:?}");
    }
}

#[test]
fn a_server_may_wait_for_as_much_as_a_length_says() {
    let case = cases().into_iter().find(|case| case.name == "framing/length-of-63-bits").unwrap();
    let failure = check(start(Script::Answer, ""), &case, &settings()).unwrap();
    assert_eq!(failure.severity, Severity::Strict, "{failure}");
}

#[test]
fn what_is_odd_about_every_answer_is_one_finding() {
    let odd = |path: &str| greeting(path).replace("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "");
    let bare = |path: &str| odd(path).replace("; charset=utf-8", "");
    let address = start(Script::Answer, &(bare("/a") + &bare("/probe")));
    let run = run(address, &[one(End::Open), one(End::Any)], &settings(), &Watch::default());
    assert!(run.results.iter().all(CaseResult::passed), "{run:?}");
    let kind = "Content-Type is text/plain, not text/plain; charset=utf-8, in all 2 answers";
    assert_eq!(run.odd(), ["no Date in any of 2 answers", kind]);
    let few = Run { answers: [9, 5], ..run };
    assert_eq!(few.odd()[0], "no Date in 2 of 9 answers");
    let exact = Case::new("test/exact", RULE, GET, [Expected::greeting("/a").exact()], End::Open);
    assert!(check(address, &exact, &settings()).unwrap().reason.contains("no Date"));
}

#[test]
fn a_case_can_be_asked_of_another_server() {
    let target = Target::Fixed { path: "/hello/world".into(), body: "Hi".into() };
    let of = |name: &str| {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        retarget(&case, &target)
    };
    assert!(of("endpoint/percent-encoding").is_none(), "it is about a path");
    let sent = |case: &Case| match case.messages().unwrap().steps.first() {
        Some(Step::Send(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(sent(&of("host/name").unwrap()), "GET /hello/world HTTP/1.1\r\nHost: example.org\r\n\r\n");
    let body = sent(&of("smuggling/in-a-body").unwrap());
    let (head, rest) = body.split_once("\r\n\r\n").unwrap();
    assert!(rest.starts_with("GET /hello/world HTTP/1.1\r\n"), "{rest}");
    let (hidden, _) = rest.split_at(HIDDEN.len());
    assert!(
        head.contains(&format!("Content-Length: {}", HIDDEN.len())) && hidden.ends_with("\r\n\r\n"),
        "{body}"
    );
    let (hi, last) = (answer("200 OK", "Hi"), answer("200 OK\r\nConnection: close", "Hi"));
    let kept = answer("200 OK\r\nConnection: keep-alive", "Hi");
    let no = || answer("405 No", "");
    let cases = [
        ("host/name", hi.clone() + &last, None),
        ("host/name", last.clone(), None),
        ("host/name", bad() + &last, Some(Severity::Wrong)),
        ("host/missing", bad(), None),
        ("connection/http-1.0-keep-alive", kept + &last, None),
        ("connection/http-1.0-keep-alive", last.clone(), None),
        ("host/missing", hi.clone() + &last, Some(Severity::Wrong)),
        ("smuggling/in-a-body", no() + &hi + &last, None),
        ("smuggling/in-a-body", no() + &hi + &hi + &last, Some(Severity::Smuggling)),
        ("smuggling/two-lengths", bad(), None),
        ("smuggling/two-lengths", no() + &hi + &last, Some(Severity::Smuggling)),
    ];
    for (name, answer, expected) in cases {
        let address = start(Script::AnswerOnce, &answer);
        let failure = check(address, &of(name).unwrap(), &settings());
        assert_eq!(failure.as_ref().map(|failure| failure.severity), expected, "{name}: {failure:?}");
    }
    let long = Target::Fixed { path: format!("/{}", "p".repeat(100)), body: "Hi".into() };
    let hides = super::cases().into_iter().find(|case| case.name == "smuggling/in-a-body").unwrap();
    assert!(retarget(&hides, &long).is_none(), "a hidden request keeps its length");
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
}

#[test]
fn a_server_that_serves_one_at_a_time_is_sent_one_at_a_time() {
    let address = start(Script::Answer, &(greeting("/a") + &greeting("/probe")));
    let cases = vec![one(End::Open); 30];
    let results = run(address, &cases, &settings(), &Watch::default()).results;
    assert_eq!(results.len(), cases.len());
    assert!(results.iter().all(CaseResult::passed), "{results:?}");
}

/// A server that lacks persistence or pipelining does not fail the cases that need it.
#[test]
fn cases_that_need_what_a_server_lacks_are_not_asked() {
    let servers = [
        (Script::AnswerOnce, NotAsked::Persistence),
        (Script::InTurn, NotAsked::Pipelining),
        (Script::Last, NotAsked::Pipelining),
    ];
    let checked = &|(script, lacks)| {
        let address = start(script, &greeting("/a"));
        assert_eq!(super::check(address, &two(), &settings()), Outcome::NotAsked(lacks));
        let run = run(address, &[one(End::Open), one(End::Any), two()], &settings(), &Watch::default());
        let outcomes: Vec<_> = run.results.into_iter().map(|result| result.outcome).collect();
        let lacks = Outcome::NotAsked(lacks);
        assert_eq!((&outcomes[0], &outcomes[2]), (&lacks, &lacks), "{script:?}: {outcomes:?}");
        let is_asked = outcomes[1] != lacks;
        assert_eq!(is_asked, !matches!(script, Script::Last), "{script:?}: {outcomes:?}");
    };
    // The servers are checked in parallel, since each silence lasts until a timeout.
    std::thread::scope(|scope| {
        for server in servers {
            scope.spawn(move || checked(server));
        }
    });
}

#[test]
fn a_server_that_ends_is_said_to_be_gone() {
    let cases = vec![one(End::Any); 30];
    let address = start(Script::EndAfter(6), &(greeting("/a") + &greeting("/probe")));
    let run = run(address, &cases, &Settings { connections: 1, ..settings() }, &Watch::default());
    let count =
        |wanted: fn(&Outcome) -> bool| run.results.iter().filter(|result| wanted(&result.outcome)).count();
    assert!(count(|outcome| *outcome == Outcome::Passed) > 0, "{run:?}");
    assert!(count(|outcome| *outcome == Outcome::NotAsked(NotAsked::Gone)) > 20, "{run:?}");
}

#[test]
fn a_run_that_is_stopped_keeps_what_it_has() {
    let address = start(Script::Answer, &(greeting("/a") + &greeting("/probe")));
    let begun = std::sync::atomic::AtomicUsize::new(0);
    let watch = Watch {
        progress: &|_| _ = begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst),
        is_stopped: &|| begun.load(std::sync::atomic::Ordering::SeqCst) >= 3,
    };
    let run = run(address, &vec![one(End::Open); 30], &settings(), &watch);
    let passed = run.results.iter().filter(|result| result.passed()).count();
    let stopped = run.results.iter().filter(|result| result.outcome == Outcome::NotAsked(NotAsked::Stopped));
    assert_eq!((passed, stopped.count()), (3, 27));
}

#[test]
fn results_are_in_the_order_of_the_cases() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = cases();
    let found: Vec<_> =
        run(port, &cases, &settings(), &Watch::default()).results.iter().map(|result| result.case).collect();
    let expected: Vec<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_readme_counts_the_cases() {
    let [plain, https, h2, _] = Protocol::ALL.map(|protocol| protocol.cases().len());
    let tls = Protocol::Https.cases().iter().filter(|case| case.subject().starts_with("tls")).count();
    let counts = format!(
        "{plain} of HTTP/1.1, {h2} of HTTP/2, {tls} of TLS, and {} of HTTP/1.1 within TLS",
        https - tls
    );
    let readme = include_str!("../README.md").replace('\n', " ");
    assert!(readme.contains(&counts), "{counts}");
}

#[test]
fn every_case_has_a_unique_name_a_subject_and_a_rule() {
    let cases = all_cases();
    assert!(cases.len() >= 700, "{}", cases.len());
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
        assert!(!case.rule.section.is_empty() && !case.rule.says.is_empty(), "{}", case.name);
        assert!(!case.right().is_empty(), "{}", case.name);
    }
    for protocol in Protocol::ALL {
        assert_eq!(protocol.to_string().parse(), Ok(protocol));
        let (cases, subject) = (protocol.cases(), protocol.endpoint());
        let endpoint = cases.iter().take_while(|case| case.subject() == subject).count();
        assert_eq!(endpoint, cases.iter().filter(|case| case.subject() == subject).count());
        assert_eq!(endpoint, protocol.endpoint_cases().len());
    }
    assert!("h3".parse::<Protocol>().unwrap_err().contains("there are http/1.1, https, h2, h2c"));
}
