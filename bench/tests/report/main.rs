//! Reports of fixed record sets, in every format.
//!
//! `UPDATE_GOLDEN=1 cargo test --package bench --test report` writes the files in `golden/` anew, for you to read what changed in
//! them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by its panic")]

#[path = "../folder/mod.rs"]
mod folder;
mod records;

use std::path::Path;
use std::process::Command;

use bench::analysis::statistics::median;
use bench::analysis::summary::Figure;
use bench::report;
use bench::report::chart::Plot;
use bench::report::document::Document;
use bench::report::format::Format;
use bench::report::recorded;
use bench::report::value::Value;
use bench::store::record::Record;
use bench::store::results;
use folder::Folder;
use records::{HOSTILE, a_field, every_question, every_verdict, in_parts, many_servers, one_run};

/// What a report says of a folder that lies on the disk.
fn document(folder: &Folder) -> Document {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("results");
    folder.write(&path);
    report::document(&results::load(&path).unwrap())
}

fn render(document: &Document, format: Format, width: Option<usize>) -> String {
    let text = format.render(document, width).unwrap();
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn every_format_is_as_it_was() {
    let document = document(&every_verdict());
    let cases = [
        ("wide.txt", Format::Table, Some(200)),
        ("narrow.txt", Format::Table, Some(60)),
        ("report.md", Format::Markdown, None),
        ("report.csv", Format::Csv, None),
        ("report.json", Format::Json, None),
        ("index.html", Format::Html, None),
    ];
    for (name, format, width) in cases {
        assert_is_golden(name, &render(&document, format, width));
    }
}

#[test]
fn what_explains_a_request_is_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("results");
    in_parts().write(&path);
    let document = report::explanation(&results::load(&path).unwrap()).unwrap();
    for (name, width) in [("explained.txt", 100), ("explained-narrow.txt", 60)] {
        assert_is_golden(name, &render(&document, Format::Table, Some(width)));
    }
}

fn assert_is_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap() == text, "{} is not what comes out now", path.display());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let all =
        [every_verdict(), every_question(), in_parts(), one_run(), many_servers(), a_field(), Folder::new()];
    for folder in all {
        let document = document(&folder);
        for width in [60, 80, 100, 200] {
            let text = render(&document, Format::Table, Some(width));
            let widest = text.lines().max_by_key(|line| textwrap::core::display_width(line)).unwrap();
            assert!(textwrap::core::display_width(widest) <= width, "{width}: {widest}");
        }
    }
}

/// Of sixteen servers a sentence names a few, and a chart no more than can be told apart.
#[test]
fn a_field_is_told_in_few_words_and_lines() {
    let document = document(&a_field());
    let expected = "Beside epoll, others take: tokio 1.02×, compio 1.07×, may-minihttp 1.10×, may 1.10×, hyper 1.13× and 10 more, up to \
                    http-server 57.6×.";
    assert_eq!(document.answers[1], expected);
    let lines: Vec<usize> = document
        .charts()
        .filter_map(|chart| if let Plot::Lines(lines) = &chart.plot { Some(lines.lines.len()) } else { None })
        .collect();
    assert_eq!(lines, [8; 6]);
}

/// Whatever was measured has its section, and nothing else has one.
#[test]
fn a_section_a_question() {
    let ids = |folder: &Folder| -> Vec<&str> {
        document(folder).sections.iter().map(|section| section.id).collect()
    };
    assert_eq!(
        ids(&every_question()),
        [
            "speed",
            "cost",
            "groups",
            "latency",
            "scaling",
            "modes",
            "memory",
            "http",
            "ledger",
            "code",
            "article",
            "check",
            "repetitions",
            "machine"
        ]
    );
    assert_eq!(ids(&one_run()), ["speed", "cost", "memory", "http", "repetitions", "machine"]);
    assert_eq!(ids(&Folder::new()), ["machine"]);
}

/// The figures of a table's column, by row.
fn column(document: &Document, table: &str, head: &str) -> Vec<(String, f64)> {
    let mut tables = document.sections.iter().flat_map(|section| &section.tables);
    let table = tables.find(|known| known.name == table).unwrap();
    let place = table.columns.iter().position(|column| column.header == head).unwrap();
    let figure = |row: &Vec<Value>| Some((row[0].text()?.to_owned(), row[place].number()?));
    table.rows.iter().filter_map(figure).collect()
}

/// What every format shows of a figure is the records' own.
#[test]
fn figures_are_those_of_the_records() {
    let folder = every_verdict();
    let document = document(&folder);
    let csv = render(&document, Format::Csv, None);
    let json: serde_json::Value = serde_json::from_str(&render(&document, Format::Json, None)).unwrap();
    let text = render(&document, Format::Table, None);
    let markdown = render(&document, Format::Markdown, None);
    let cases: [(&str, &str, Figure); 3] = [
        ("cost-quick-100", "CPU/request", Record::cpu_per_request),
        ("speed-quick-100", "Requests", Record::per_second),
        ("memory-quick-100", "After", |run| Some(bench::text::numbers::as_f64(run.memory?.after_bytes?))),
    ];
    for (table, head, figure) in cases {
        let shown = column(&document, table, head);
        assert!(shown.len() >= 7, "{table}: {shown:?}");
        for (server, value) in shown {
            let name = server.trim_end_matches(" (not a server)");
            let runs = folder.records.iter().filter(|run| run.server.name == name);
            let expected = median(&mut runs.filter_map(figure).collect::<Vec<_>>()).unwrap();
            assert!((value - expected).abs() <= expected * 1e-12, "{table} {server}: {value} {expected}");
            let line = format!(",{table},{server},{head},");
            let line = csv.lines().find(|known| known.contains(&line)).unwrap();
            assert_eq!(line.split(',').nth(5).unwrap().parse::<f64>().unwrap(), value, "{line}");
        }
    }
    // The digits that people read, of one that is known.
    for text in [&text, &markdown] {
        assert!(text.contains("8.00") && text.contains("118,750"), "{text}");
    }
    let answered = json["sections"][0]["tables"][0]["rows"][0][2]["value"].as_f64().unwrap();
    assert_eq!(answered, column(&document, "speed-quick-100", "Requests")[0].1);
}

#[test]
fn names_are_never_markup() {
    let document = document(&many_servers());
    let markdown = render(&document, Format::Markdown, None);
    assert!(!markdown.contains("<script") && !markdown.contains(HOSTILE));
    // Each row has the columns of its head: no name has made one more.
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    for (above, below) in markdown.lines().zip(markdown.lines().skip(1)) {
        if above.starts_with('|') && below.starts_with('|') {
            assert_eq!(bars(above), bars(below), "{below}");
        }
    }
    assert!(render(&document, Format::Csv, None).contains("\"<script>alert('|`*_\"\"&')</script>\""));
}

/// The command prints what the library makes, and leaves every form in the folder.
#[test]
fn the_command_writes_every_form() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("results");
    every_verdict().write(&path);
    let document = report::document(&results::load(&path).unwrap());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.arg("report").arg(&path).args(arguments).output().unwrap()
    };
    let printed = run(&["--format", "markdown"]);
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), render(&document, Format::Markdown, None));
    let file = place.path().join("out.csv");
    let written = run(&["--format", "csv", "--output", file.to_str().unwrap()]);
    assert!(written.status.success() && written.stdout.is_empty());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), render(&document, Format::Csv, None));
    let nowhere = run(&["--output", "/no/such/folder/report.txt"]);
    let said = String::from_utf8(nowhere.stderr).unwrap();
    assert!(said.contains("--output: cannot write /no/such/folder/report.txt"), "{said}");
    assert_eq!(nowhere.status.code(), Some(1));
}

/// In every form; a name that nobody has is an error that offers one.
#[test]
fn ratios_are_to_the_server_that_is_named() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("results");
    every_question().write(&path);
    let cases = [
        ("table", "client-bound", 0, "Held against client-bound, others take: server-bound 1.14×"),
        ("table", "client-bound", 0, "Ratios   to client-bound"),
        ("markdown", "client-bound", 0, "| To client-bound × |"),
        ("csv", "client-bound", 0, "cost,cost-quick-100,a-tie,To client-bound,,1.14"),
        ("json", "client-bound", 0, "\"To client-bound\""),
        ("html", "client-bound", 0, "To client-bound ×"),
        ("table", "not-there", 0, "not-there has no figures under quick-100 for others to be held against."),
        ("table", "client-bond", 1, "--baseline: unknown server `client-bond`: did you mean `client-bound`?"),
    ];
    for (format, name, code, expected) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        let output = command.arg("report").arg(&path).args(["--baseline", name, "--format", format]).output();
        let output = output.unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains("To the best"), "{said}");
    }
}

/// What `bench explain` prints is the report's section, and what it lacks is an error that says how to get it.
#[test]
fn what_explains_a_request_is_printed_or_what_it_lacks() {
    let without_code = Folder { has_code: false, ..in_parts() };
    let mut without_floor = in_parts();
    without_floor.records.retain(|run| !run.server.is_floor);
    let cases = [
        (in_parts(), 0, "Where does a request's time go?"),
        (
            without_code,
            1,
            "has no microbenchmarks, which tell what code costs: run `bench microbench --keep ",
        ),
        (without_floor, 1, "has no server beside the floor in a closed loop over connections that are kept"),
    ];
    for (folder, code, expected) in cases {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("results");
        folder.write(&path);
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        let output = command.arg("explain").arg(&path).args(["--format", "markdown"]).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

/// README.md shows what the records in `bench/recorded/` say, so that its figures come from a command.
#[test]
fn the_readme_shows_what_was_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = report::document(&results::load(&root.join(recorded::FOLDER)).unwrap());
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = recorded::recorded_part(&readme).unwrap();
    assert_eq!(shown, recorded::excerpt(&document).trim(), "run `bench record` anew");
}

/// The first result is compared with nothing, the second with the first, and one of another machine with none of them.
#[test]
fn the_history_of_a_folder() {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, change: &dyn Fn(&mut Folder)| {
        let mut folder = Folder::example();
        change(&mut folder);
        folder.write(&place.path().join(name));
    };
    write("first", &|folder| folder.machine.started = "2026-01-01T12:00:00Z".into());
    write("second", &|folder| {
        folder.machine.started = "2026-01-02T12:00:00Z".into();
        folder.change("two", |run| folder::scale(run, 1.1));
    });
    write("other", &|folder| {
        folder.machine.started = "2026-01-03T12:00:00Z".into();
        folder.machine.host = "elsewhere".into();
    });
    std::fs::create_dir(place.path().join("no-results")).unwrap();
    write("damaged", &|_| ());
    std::fs::write(place.path().join("damaged/measurements.jsonl"), "{}\n").unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.arg("history").arg(place.path()).args(["--format", "csv"]).output().unwrap();
    assert!(output.status.success());
    let csv = String::from_utf8(output.stdout).unwrap();
    let against = |name: &str| {
        let begin = format!("results,results,{name},Against the one before,");
        csv.lines().find_map(|line| line.strip_prefix(&begin)).unwrap().trim_matches([',', '"']).to_owned()
    };
    assert_eq!(against("first"), "–");
    assert_eq!(against("second"), "2 worse, 2 the same");
    assert_eq!(against("other"), "–");
    assert!(csv.contains("changes,changes,second,Server,,,,,,two\n"), "{csv}");
    let page = std::fs::read_to_string(place.path().join("history.html")).unwrap();
    assert!(page.contains("damaged/measurements.jsonl:1") && page.contains("2 worse, 2 the same"), "{page}");
}
