//! Reports of fixed record sets, in every format.
//!
//! `INSTA_UPDATE=always cargo test --package bench` updates the snapshots, here and elsewhere; `git
//! diff` then shows what changed in them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports a failure by its panic")]

#[path = "../folder/mod.rs"]
mod folder;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use bench::analysis::statistics::median;
use bench::analysis::summary::RunFigure;
use bench::report;
use bench::report::chart::Plot;
use bench::report::document::Document;
use bench::report::format::Format;
use bench::report::readme;
use bench::report::value::Value;
use bench::store::record::{ConformanceRecord, Record, ServerRecord};
use bench::store::results;
use folder::Folder;
use records::{
    HOSTILE, a_field, every_question, every_verdict, in_parts, loaded, many_servers, one_run, over_a_network,
    two_servers,
};

fn document(folder: &Folder) -> Document {
    report::document(&loaded(folder))
}

fn render(document: &Document, format: Format, width: Option<usize>) -> String {
    let text = format.render(document, width).unwrap();
    anstream::adapter::strip_str(&text).to_string()
}

/// Runs `bench` with the folder in place of `DIR`. Returns the exit code and the output, standard
/// error last.
fn bench(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("results");
    folder.write(&path);
    let arguments =
        arguments.iter().map(|word| if *word == "DIR" { path.as_os_str() } else { word.as_ref() });
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// A report with a server for every verdict, and the explanation of a request, as a terminal shows
/// them.
#[test]
fn reports_are_as_they_were() {
    insta::assert_snapshot!("every-verdict", render(&document(&every_verdict()), Format::Table, Some(200)));
    let explained = report::explanation(&loaded(&in_parts())).unwrap();
    insta::assert_snapshot!("explained", render(&explained, Format::Table, Some(200)));
}

/// One section with two servers, in every format.
#[test]
fn every_format_is_as_it_was() {
    let mut document = document(&two_servers());
    document.sections.retain(|section| section.id == "cost");
    insta::assert_snapshot!("narrow", render(&document, Format::Table, Some(60)));
    insta::assert_snapshot!("markdown", render(&document, Format::Markdown, None));
    insta::assert_snapshot!("csv", render(&document, Format::Csv, None));
    insta::assert_snapshot!("page", without_assets(&render(&document, Format::Html, None)));
    document.picture = None;
    document.sections[0].charts.clear();
    insta::assert_snapshot!("json", render(&document, Format::Json, None));
}

/// The exports for services that track figures over time have figures of each kind of workload.
/// They leave out figures that are invalid, disturbed or limited by the load tool, and those of the
/// floor, of a duplicate and of a second tool.
#[test]
fn figures_are_exported_in_the_forms_that_services_document() {
    type Benchmarks = BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>>;
    let document = document(&every_question());
    let exported = |format| render(&document, format, None);
    let (action, bencher) = (exported(Format::GithubActionBenchmark), exported(Format::Bencher));

    let entries: Vec<serde_json::Value> = serde_json::from_str(&action).unwrap();
    let mut names = BTreeSet::new();
    for entry in &entries {
        let entry = entry.as_object().unwrap();
        assert!(names.insert(entry["name"].as_str().unwrap()), "one name twice: {entry:?}");
        assert!(entry["unit"].is_string() && entry["value"].is_number(), "{entry:?}");
        let mut others = entry.iter().filter(|(key, _)| !["name", "unit", "value"].contains(&key.as_str()));
        assert!(others.all(|(key, value)| ["range", "extra"].contains(&key.as_str()) && value.is_string()));
        assert_ne!(entry["unit"], "requests/s", "more is better");
    }

    let benchmarks: Benchmarks = serde_json::from_str(&bencher).unwrap();
    let is_in_slug = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    for (name, measures) in &benchmarks {
        assert!((1..=1024).contains(&name.len()), "{name}");
        for (slug, metric) in measures {
            assert!((1..=64).contains(&slug.len()) && slug.chars().all(is_in_slug), "{slug}");
            let keys: Vec<&str> = metric.keys().map(String::as_str).collect();
            assert_eq!(keys, ["lower_value", "upper_value", "value"], "{name}");
            let is_between =
                metric["lower_value"] <= metric["value"] && metric["value"] <= metric["upper_value"];
            assert!(is_between, "{name}: {metric:?}");
        }
    }
    let measures: BTreeSet<&str> = benchmarks.values().flat_map(BTreeMap::keys).map(String::as_str).collect();
    let expected =
        ["cpu-time-per-request", "first-response", "latency-p99", "memory-per-connection", "throughput"];
    assert_eq!(measures, expected.into());
    let throughput = |server: &str| {
        let measures = benchmarks.get(&format!("quick-100 / {server}"))?;
        Some(measures.contains_key("throughput"))
    };
    let cases = [
        ("server-bound", Some(true)),
        ("thread-bound", Some(true)),
        ("client-bound", Some(false)),
        ("latency-bound", Some(false)),
        ("disturbed", None),
        ("errors", None),
        ("not-there", None),
        ("server-bound-duplicate", None),
        ("least", None),
    ];
    for (server, expected) in cases {
        assert_eq!(throughput(server), expected, "{server}");
    }
    // Keeps one figure of each kind.
    let mut few = document;
    few.tracked.retain(|tracked| {
        let shown = ["quick-100", "latency-25", "startup-first-answer", "startup-100"];
        ["server-bound", "one"].contains(&&*tracked.server) && shown.contains(&&*tracked.workload)
    });
    insta::assert_snapshot!("github-action-benchmark", render(&few, Format::GithubActionBenchmark, None));
    insta::assert_snapshot!("bencher", render(&few, Format::Bencher, None));
}

/// A file without figures would say nothing, and the services would refuse it.
#[test]
fn nothing_is_exported_where_there_is_no_figure_to_track() {
    let mut folder = every_verdict();
    folder.records.retain(|run| ["disturbed", "errors", "least"].contains(&run.server.name.as_str()));
    for format in ["github-action-benchmark", "bencher"] {
        let (code, text) = bench(&folder, &["report", "DIR", "--format", format]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("there is no figure to track over time"), "{text}");
        // These commands fail before they compare or measure anything.
        for words in [["compare", "DIR", "DIR"], ["versus", "HEAD~1", "HEAD"]] {
            let (code, text) = bench(&folder, &[&words[..], &["--format", format]].concat());
            assert_eq!(code, Some(2), "{text}");
        }
    }
}

/// A report of a measurement over a network says where each side ran, and what limited it.
#[test]
fn a_network_is_reported_in_every_format() {
    let mut document = document(&over_a_network());
    document.sections.retain(|section| ["speed", "hosts"].contains(&section.id));
    insta::assert_snapshot!("network", render(&document, Format::Table, Some(120)));
    document.sections.retain(|section| section.id == "hosts");
    insta::assert_snapshot!("network-markdown", render(&document, Format::Markdown, None));
    insta::assert_snapshot!("network-page", without_assets(&render(&document, Format::Html, None)));
    let csv = render(&document, Format::Csv, None);
    assert!(csv.contains("hosts,hosts,alpha,Cores used,,,,,,1 of 2 cores\n"), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&render(&document, Format::Json, None)).unwrap();
    let drawn = &json["sections"][0]["charts"][0]["plot"]["hosts"];
    assert_eq!(drawn["loads"][1]["label"], "gamma", "{json}");
    assert_eq!(drawn["server"]["side"], "server on core 0", "{json}");
}

/// Sides on different hosts share no core, even if the numbers of their cores are the same. A
/// warning about machines is printed once, with the names of their hosts.
#[test]
fn warnings_know_hosts() {
    let core = r#"{"cpus":[0,1],"usable":[0,1],"kind":null,"socket":0,"node":0,"cache":null}"#;
    let topology = format!(r#"{{"is_visible":true,"cores":[{core}],"offline":[]}}"#);
    let mut folder = over_a_network();
    folder.machine.topology = serde_json::from_str(&topology).unwrap();
    (folder.machine.tool_cores, folder.machine.swapped_bytes) = (vec![0], Some(1));
    folder.change("server-bound", |run| {
        (run.server.is_attached, run.tool_cores) = (true, run.server_cores.clone());
    });
    let hosts = folder.machine.hosts.as_mut().unwrap();
    hosts.loads.iter_mut().for_each(|(_, machine)| machine.load_averages = Some([0.8, 0.0, 0.0]));
    hosts.loads[1].1.swapped_bytes = Some(1);
    let told = document(&folder).warnings;
    for expected in [
        "Other processes were at work before the first run on beta and gamma (load average 0.80 on 2 cores): stop",
        "Memory was swapped out before the first run on alpha and gamma: stop",
        "The link of the server's host was nearly full: network-bound (everywhere). These",
        "Attached to, not started",
    ] {
        assert!(told.iter().any(|warning| warning.starts_with(expected)), "{expected}: {told:?}");
    }
    assert!(!told.iter().any(|warning| warning.contains("each slowed the other down")), "{told:?}");
    assert!(!told.iter().any(|warning| warning.contains("threads of one core")), "{told:?}");
}

/// A page without its style and its script, which are files of their own, without the drawings,
/// which the tests of charts check, and without empty lines.
fn without_assets(page: &str) -> String {
    let mut shortened = String::new();
    let mut rest = page;
    while let Some((from, end)) = [
        ("<script type=\"text/css\"", "</script>"),
        ("<script>", "</script>"),
        ("<svg", "</svg>"),
        ("sha256-", "'"),
    ]
    .into_iter()
    .filter_map(|(begin, end)| Some((rest.find(begin)? + begin.len(), end)))
    .min()
    {
        let to = from + rest[from..].find(end).unwrap();
        shortened += &format!("{}…", &rest[..from]);
        rest = &rest[to..];
    }
    shortened += rest;
    shortened.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let all = [
        every_verdict(),
        every_question(),
        in_parts(),
        one_run(),
        many_servers(),
        a_field(),
        over_a_network(),
        Folder::new(),
    ];
    for folder in all {
        let document = document(&folder);
        for width in [60, 80, 100, 200] {
            let text = render(&document, Format::Table, Some(width));
            let widest = text.lines().max_by_key(|line| textwrap::core::display_width(line)).unwrap();
            assert!(textwrap::core::display_width(widest) <= width, "{width}: {widest}");
        }
    }
}

/// A reader distinguishes tables by their captions.
#[test]
fn no_two_tables_of_a_report_have_one_caption() {
    for folder in [every_verdict(), every_question(), in_parts(), one_run(), a_field(), over_a_network()] {
        let document = document(&folder);
        let mut captions = BTreeSet::new();
        for table in document.sections.iter().flat_map(|section| &section.tables) {
            assert!(captions.insert(table.caption()), "{}: {}", table.name, table.caption());
        }
    }
}

/// With sixteen servers a sentence names only a few, and a chart has no more lines than can be
/// distinguished.
#[test]
fn a_field_is_reported_in_few_words_and_lines() {
    let document = document(&a_field());
    let expected = "Compared with epoll, the others need: tokio 1.02×, compio 1.07×, may-minihttp 1.10×, may 1.10×, hyper 1.13× and 10 more, up to \
                    http-server 57.6×.";
    assert_eq!(document.answers[1], expected);
    let lines: Vec<usize> = document
        .charts()
        .filter_map(|chart| if let Plot::Lines(lines) = &chart.plot { Some(lines.lines.len()) } else { None })
        .collect();
    assert_eq!(lines, [8; 6]);
}

/// Each question that was measured has its section, and no other question has one.
#[test]
fn each_question_has_its_section() {
    let ids = |folder: &Folder| -> String {
        let sections = document(folder).sections;
        sections.iter().map(|section| section.id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        ids(&every_question()),
        "speed cost groups latency scaling cores modes memory http breakdown microbench article cross-check repetitions \
         over-time machine"
    );
    assert_eq!(ids(&over_a_network()), "speed cost memory http repetitions hosts machine");
    assert_eq!(ids(&one_run()), "speed cost memory http repetitions machine");
    assert_eq!(ids(&Folder::new()), "machine");
}

/// The figures of a table's column, by row.
fn column(document: &Document, table: &str, head: &str) -> Vec<(String, f64)> {
    let mut tables = document.sections.iter().flat_map(|section| &section.tables);
    let table = tables.find(|known| known.name == table).unwrap();
    let place = table.columns.iter().position(|column| column.header == head).unwrap();
    let figure = |row: &Vec<Value>| Some((row[0].text()?.to_owned(), row[place].number()?));
    table.rows.iter().filter_map(figure).collect()
}

#[test]
fn efficiency_is_the_throughput_per_core() {
    let document = document(&every_question());
    for (cores, expected) in [("1", 1.0), ("2", 0.9), ("4", 0.8)] {
        let shown = column(&document, "cores-efficiency", cores);
        let servers: Vec<&str> = shown.iter().map(|(server, _)| server.as_str()).collect();
        assert_eq!(servers, ["one", "two"], "{cores}");
        assert!(shown.iter().all(|(_, share)| (share - expected).abs() < 1e-3), "{cores}: {shown:?}");
    }
}

#[test]
fn threads_of_one_core_are_a_warning() {
    let mut folder = two_servers();
    let core = r#"{"cpus":[0,1],"usable":[0,1],"kind":null,"socket":0,"node":0,"cache":null}"#;
    let topology = format!(r#"{{"is_visible":true,"cores":[{core}],"offline":[]}}"#);
    folder.machine.topology = serde_json::from_str(&topology).unwrap();
    let document = document(&folder);
    let expected = "CPUs 0 and 1 are threads of one core: servers use one and the load tool uses the other, so that \
                    each slows the other down. Give each whole cores";
    assert!(document.warnings.iter().any(|warning| warning.starts_with(expected)), "{:?}", document.warnings);
    let place = document.origin.iter().find(|fact| fact.name == "Where").unwrap();
    assert!(place.value.contains("1 core with 2 threads"), "{}", place.value);
}

/// Every format shows the records' own figures.
#[test]
fn figures_are_those_of_the_records() {
    let folder = every_verdict();
    let document = document(&folder);
    let csv = render(&document, Format::Csv, None);
    let json: serde_json::Value = serde_json::from_str(&render(&document, Format::Json, None)).unwrap();
    let text = render(&document, Format::Table, None);
    let markdown = render(&document, Format::Markdown, None);
    let cases: [(&str, &str, RunFigure); 3] = [
        ("cost-quick-100", "CPU/request", RunFigure::COST),
        ("speed-quick-100", "Requests/s", RunFigure::THROUGHPUT),
        (
            "memory-quick-100",
            "After",
            RunFigure::whole(|run| Some(bench::text::numbers::as_f64(run.memory?.after_bytes?))),
        ),
    ];
    for (table, head, figure) in cases {
        let shown = column(&document, table, head);
        assert!(shown.len() >= 7, "{table}: {shown:?}");
        for (server, value) in shown {
            let name = server.trim_end_matches(" (not a server)");
            let runs = folder.records.iter().filter(|run| run.server.name == name);
            let expected = median(&mut runs.filter_map(figure.per_run).collect::<Vec<_>>()).unwrap();
            assert!((value - expected).abs() <= expected * 1e-12, "{table} {server}: {value} {expected}");
            let line = format!(",{table},{server},{head},");
            let line = csv.lines().find(|known| known.contains(&line)).unwrap();
            assert_eq!(line.split(',').nth(5).unwrap().parse::<f64>().unwrap(), value, "{line}");
        }
    }
    // The text formats contain the digits of figures that are known.
    for text in [&text, &markdown] {
        assert!(text.contains("8.00") && text.contains("118,750"), "{text}");
    }
    let answered = json["sections"][0]["tables"][0]["rows"][0][2]["value"].as_f64().unwrap();
    assert_eq!(answered, column(&document, "speed-quick-100", "Requests/s")[0].1);
}

#[test]
fn names_are_never_markup() {
    let document = document(&many_servers());
    let markdown = render(&document, Format::Markdown, None);
    assert!(!markdown.contains("<script") && !markdown.contains(HOSTILE));
    // Each row has as many columns as its header: no name has added one.
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    for (above, below) in markdown.lines().zip(markdown.lines().skip(1)) {
        if above.starts_with('|') && below.starts_with('|') {
            assert_eq!(bars(above), bars(below), "{below}");
        }
    }
    assert!(render(&document, Format::Csv, None).contains("\"<script>alert('|`*_\"\"&')</script>\""));
}

/// A terminal would obey control characters, and a page must not contain them.
#[test]
fn control_characters_of_records_are_shown() {
    let mut folder = two_servers();
    let evil = "\u{1b}[2J\u{9b}3J\u{1b}]0;\u{7}\r";
    for run in &mut folder.records {
        run.server.version = Some(evil.into());
        run.server.title = evil.into();
        run.workload.title = evil.into();
        run.tool.version = Some(evil.into());
    }
    let document = document(&folder);
    for (format, _) in Format::FILES {
        let text = format.render(&document, Some(100)).unwrap();
        // Removes the report's own styles, and nothing else.
        let text = without_styles(&text);
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{format:?}: {text:?}");
        assert!(text.contains("\\u001b"), "{format:?}: {text}");
    }
}

/// The text without the styles of a report: bold, underlined and colours.
fn without_styles(text: &str) -> String {
    let styles = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[4m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];
    styles.iter().fold(text.to_owned(), |text, style| text.replace(style, ""))
}

/// The command prints the library's document, or writes it to a file.
#[test]
fn the_command_prints_or_writes_a_report() {
    let folder = every_verdict();
    let document = document(&folder);
    let printed = bench(&folder, &["report", "DIR", "--format", "markdown"]);
    assert_eq!(printed, (Some(0), render(&document, Format::Markdown, None)));
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("out.csv");
    let arguments = ["report", "DIR", "--format", "csv", "--output", file.to_str().unwrap()];
    assert_eq!(bench(&folder, &arguments), (Some(0), String::new()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), render(&document, Format::Csv, None));
    let (code, text) = bench(&folder, &["report", "DIR", "--output", "/no/such/folder/report.txt"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("--output: cannot write /no/such/folder/report.txt"), "{text}");
}

/// The test covers every format. An unknown name is an error that suggests another name.
#[test]
fn ratios_are_to_the_server_that_is_named() {
    let folder = every_question();
    let cases = [
        ("table", "client-bound", 0, "Compared with client-bound, the others need: server-bound 1.14×"),
        ("table", "client-bound", 0, "Ratios   to client-bound"),
        ("markdown", "client-bound", 0, "| To client-bound × |"),
        ("csv", "client-bound", 0, "cost,cost-quick-100,a-tie,To client-bound,,1.14"),
        ("csv", "client-bound", 0, "cost,cost-quick-100,client-bound,To client-bound,,1,1,1,,"),
        ("csv", "client-bound", 0, "cost,cost-quick-100,errors,To client-bound,,,,,,"),
        ("csv", "client-bound", 0, "speed,speed-quick-100,a-tie,To client-bound,,"),
        ("csv", "errors", 0, "cost,cost-quick-100,a-tie,To errors,,,,,,"),
        ("markdown", "errors", 0, "Nothing is compared with errors here: invalid: 28 of 332531 requests"),
        ("json", "client-bound", 0, "\"To client-bound\""),
        ("html", "client-bound", 0, "To client-bound ×"),
        (
            "markdown",
            "not-there",
            0,
            "Nothing can be compared with not-there under quick-100: it has no figures.",
        ),
        (
            "markdown",
            "errors",
            0,
            "Nothing can be compared with errors under quick-100: invalid: 28 of 332531 requests",
        ),
        ("table", "client-bond", 1, "--baseline: unknown server `client-bond`: did you mean `client-bound`?"),
    ];
    for (format, name, expected_code, expected) in cases {
        let (code, text) = bench(&folder, &["report", "DIR", "--baseline", name, "--format", format]);
        assert_eq!(code, Some(expected_code), "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(!text.contains("To the best"), "{text}");
    }
}

/// A report has a second rank only with `--rules kept`.
#[test]
fn servers_that_keep_the_rules_are_ranked_among_themselves() {
    let mut folder = every_verdict();
    for run in &mut folder.records {
        let passed = if run.server.name == "client-bound" { 499 } else { 500 };
        run.server.conformance =
            Some(ConformanceRecord { cases: 500, passed, flaky: Some(0), smuggled: 0, odd: Vec::new() });
    }
    let expected =
        "ranked servers that pass every conformance case the order is: server-bound and a-tie (1–2); ";
    for (flags, is_shown) in [(&["--rules", "kept"][..], true), (&[], false), (&["--rules", "any"], false)] {
        let (code, text) = bench(&folder, &[&["report", "DIR", "--format", "markdown"], flags].concat());
        assert_eq!(code, Some(0), "{text}");
        assert_eq!(text.contains(expected), is_shown, "{text}");
        assert_eq!(text.contains("| Rank, rules kept |"), is_shown, "{text}");
    }
    folder.records.iter_mut().for_each(|run| run.server.conformance = None);
    let (_, text) = bench(&folder, &["report", "DIR", "--rules", "kept", "--baseline", "a-tie"]);
    assert!(text.contains("Which servers keep the rules of HTTP is not known"), "{text}");
}

/// `bench explain` prints the report's section, or an error that says how to get the missing data.
#[test]
fn a_request_is_explained_or_an_error_says_what_is_missing() {
    let without_microbenchmarks = Folder { has_microbenchmarks: false, ..in_parts() };
    let mut without_floor = in_parts();
    without_floor.records.retain(|run| !run.server.is_floor);
    let cases = [
        (in_parts(), 0, "Where does a request's time go?"),
        (without_microbenchmarks, 1, "run `bench microbench --keep "),
        (without_floor, 1, "has no workload in which both the floor and a server were measured"),
    ];
    for (folder, expected_code, expected) in cases {
        let (code, text) = bench(&folder, &["explain", "DIR", "--format", "markdown"]);
        assert_eq!(code, Some(expected_code), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

/// README.md shows the figures of the records in `bench/recorded/`.
#[test]
fn the_readme_shows_what_was_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let recorded = results::load(&root.join(readme::FOLDER)).unwrap();
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme::recorded_part(&text).unwrap();
    assert!(
        shown == readme::excerpt(&recorded).trim(),
        "README.md is out of date: run `bench readme bench/recorded`"
    );
}

/// The second result is compared with the first. The first one, and one of another machine, are
/// compared with none.
#[test]
fn each_result_is_compared_with_the_previous_one_of_its_machine() {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, day: u32, change: &dyn Fn(&mut Folder)| {
        let mut folder = Folder::example();
        folder.machine.started = format!("2026-01-{day:02}T12:00:00Z");
        change(&mut folder);
        folder.write(&place.path().join(name));
    };
    write("first", 1, &|_| ());
    write("second", 2, &|folder| folder.change("two", |run| folder::scale(run, 1.1)));
    write("other", 3, &|folder| folder.machine.host = "elsewhere".into());
    write("network", 5, &|folder| folder.machine.hosts = over_a_network().machine.hosts);
    write("network-again", 6, &|folder| folder.machine.hosts = over_a_network().machine.hosts);
    std::fs::create_dir(place.path().join("no-results")).unwrap();
    write("damaged", 4, &|_| ());
    std::fs::write(place.path().join("damaged/measurements.jsonl"), "{}\n").unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.arg("history").arg(place.path()).args(["--format", "csv"]).output().unwrap();
    assert!(output.status.success());
    let csv = String::from_utf8(output.stdout).unwrap();
    for (name, expected) in [
        ("first", "–"),
        ("second", "2 worse, 2 the same"),
        ("other", "–"),
        ("network", "–"),
        ("network-again", "4 the same"),
    ] {
        let begin = format!("results,results,{name},Compared with the previous,");
        let change = csv.lines().find_map(|line| line.strip_prefix(&begin)).unwrap();
        assert_eq!(change.trim_matches([',', '"']), expected, "{name}");
    }
    assert!(csv.contains("changes,changes,second,Server,,,,,,two\n"), "{csv}");
    let page = std::fs::read_to_string(place.path().join("history.html")).unwrap();
    assert!(page.contains("damaged/measurements.jsonl:1") && page.contains("2 worse, 2 the same"), "{page}");
}

/// Histories in which one server, all servers or none become 5 % more expensive half-way, and
/// histories that are too short. Some have results of another machine, or of a workload whose
/// definition has changed.
#[test]
fn changes_for_good_are_listed_with_when_and_how_much() {
    let place = tempfile::tempdir().unwrap();
    let history = |name: &str, results: u32, change: &dyn Fn(u32, &mut Folder)| {
        let folder = place.path().join(name);
        for day in 1..=results {
            let mut result = Folder::example();
            result.machine.started = format!("2026-01-{day:02}T12:00:00Z");
            // Results of a server that did not change differ by up to 1 %, each server in its own way.
            for (server, salt) in [("one", 3), ("one-duplicate", 4), ("two", 5)] {
                let step = f64::from(day * salt % 11) - 5.0;
                result.change(server, |run| folder::scale(run, 1.0 + 0.001 * step));
            }
            change(day, &mut result);
            result.write(&folder.join(format!("day-{day:02}")));
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(["history", "--changes"]).arg(&folder).env("COLUMNS", "120");
        let output = command.output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        text.replace(folder.to_str().unwrap(), "DIR")
    };
    let changed = history("changed", 24, &|day, result| {
        if day <= 2 {
            result.machine.host = "elsewhere".into();
            result.change("one", |run| folder::scale(run, 1.5));
        }
        if day > 12 {
            result.change("two", |run| folder::scale(run, 1.05));
        }
    });
    insta::assert_snapshot!("changes", changed);

    let all_changed = history("machine", 20, &|day, result| {
        for server in ["one", "two"] {
            result.change(server, |run| folder::scale(run, if day > 10 { 1.05 } else { 1.0 }));
        }
        for record in result.records.clone() {
            let server = format!("{}-also", record.server.name);
            result.records.push(Record { server: ServerRecord { name: server, ..record.server }, ..record });
        }
    });
    assert!(all_changed.contains("At day-11 4 of 4 figures went up: look for what changed on the machine"));
    let same = history("same", 20, &|_, _| ());
    assert!(same.contains("No change was found in 2 figures."), "{same}");
    let few = history("few", 9, &|_, _| ());
    assert!(few.contains("Nothing can be said of changes: no server has 10 results"), "{few}");
    let redefined = history("redefined", 18, &|day, result| {
        result.records.iter_mut().for_each(|run| run.workload.connections += u32::from(day > 9));
    });
    assert!(
        redefined.contains("Nothing is said of 2 figures, which have fewer than 10 results"),
        "{redefined}"
    );
}
