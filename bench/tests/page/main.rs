//! The page of a report: its content, and how Chromium shows it. `scripts/setup --tests` installs
//! Chromium and axe-core; without them the tests that need them are skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test reports a failure by its panic"
)]

mod browser;
#[path = "../folder/mod.rs"]
mod folder;
#[path = "../report/records.rs"]
mod records;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bench::report;
use bench::report::document::{Document, Table};
use bench::report::format::Format;
use bench::report::value::{Unit, Value};
use serde_json::json;

use browser::Browser;
use folder::Folder;

/// The widths of a phone and of two screens, in pixels.
const WIDTHS: [u32; 3] = [390, 1280, 1920];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// A page should be small enough to be sent by mail.
const MOST_BYTES: usize = 1 << 20;

/// Unfolds all details, since the tests check these, too.
const UNFOLD: &str = "document.querySelectorAll('details').forEach((details) => { details.open = true; })";

/// The violations that axe finds: each rule with the elements that violate it.
const AXE: &str = "axe.run(document, {
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
}).then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`))";

/// Each table's name and rows: each cell as its text, its sort key, and whether it is absent.
const TABLES: &str = "[...document.querySelectorAll('table')].map((table) => [
    table.id,
    [...table.tBodies[0].rows].map((row) => [...row.cells]
        .filter((cell) => cell.className !== 'interval')
        .map((cell) => [cell.textContent, cell.dataset.value ?? null, cell.classList.contains('absent')])),
])";

/// Clicks twice on each header of each table that can be sorted. Returns the `aria-sort` attributes
/// after each click, and the sort keys of the column.
const SORT: &str = "[...document.querySelectorAll('table:has(button)')].map((table) => {
    let place = 0;
    return [...table.tHead.rows[0].cells].map((header) => {
        const column = place;
        place += header.colSpan;
        return [0, 1].map(() => {
            header.querySelector('button').click();
            const order = [...table.querySelectorAll('[aria-sort]')].map((header) => header.ariaSort);
            return [order, [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.value ?? null)];
        });
    });
})";

/// A document with a section for every question, with hosts, and with servers whose names are long
/// or are markup. It is built once, since that takes some seconds.
static EVERYTHING: LazyLock<Document> = LazyLock::new(|| {
    let mut folder = records::every_question();
    let mut others = records::many_servers().records;
    others.retain(|run| !run.server.name.starts_with("server-"));
    folder.records.extend(others);
    let network = records::over_a_network();
    folder.records.extend(network.records);
    folder.machine.hosts = network.machine.hosts;
    document(&folder)
});

/// The document of a field of servers under all workloads of a sweep.
static FIELD: LazyLock<Document> = LazyLock::new(|| document(&records::a_field()));

fn document(folder: &Folder) -> Document {
    report::document(&records::loaded(folder))
}

fn page(document: &Document) -> String {
    Format::Html.render(document, None).unwrap()
}

fn tables() -> Vec<&'static Table> {
    EVERYTHING.sections.iter().flat_map(|section| &section.tables).collect()
}

#[test]
fn markup_in_a_name_is_text() {
    let page = page(&EVERYTHING);
    // One `script` element holds the style, as data; the other is the script.
    assert_eq!(page.matches("<script").count(), 2);
    assert!(page.contains("&#60;script&#62;alert("));
}

#[test]
fn text_between_backticks_is_code() {
    let mut document = document(&Folder::new());
    document.warnings = vec!["Too few: `--repetitions 5` is enough.".into()];
    assert!(page(&document).contains("<li>Too few: <code>--repetitions 5</code> is enough.</li>"));
}

#[test]
fn ids_are_unique_and_links_lead_to_them() {
    for document in [&*EVERYTHING, &*FIELD, &document(&records::one_run()), &document(&Folder::new())] {
        let page = page(document);
        let ids: Vec<&str> = attributes(&page, " id=\"");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{ids:?}");
        for link in attributes(&page, " href=\"#") {
            assert!(unique.contains(link), "{link}");
        }
    }
}

#[test]
fn every_figure_of_a_table_has_all_its_digits() {
    let page = page(&EVERYTHING);
    let shown: BTreeSet<&str> = attributes(&page, " data-value=\"").into_iter().collect();
    for table in tables() {
        for number in table.rows.iter().flatten().filter_map(Value::number) {
            assert!(shown.contains(number.to_string().as_str()), "{}: {number}", table.name);
        }
    }
}

#[test]
fn the_script_is_the_one_that_the_page_allows() {
    let page = page(&document(&Folder::new()));
    let (_, rest) = page.split_once("<script>").unwrap();
    let (script, _) = rest.split_once("</script>").unwrap();
    let hash = sha256(script);
    assert!(page.contains(&format!("'sha256-{hash}'")), "SCRIPT_SHA256 is to be {hash}");
}

#[test]
fn a_page_is_small() {
    for document in [&*EVERYTHING, &*FIELD] {
        let bytes = page(document).len();
        assert!(bytes < MOST_BYTES, "{bytes} bytes");
    }
}

#[test]
fn the_page_loads_nothing_and_logs_nothing() {
    let Some((browser, file)) = &mut opened(&EVERYTHING) else { return };
    let requests = browser.events("Network.requestWillBeSent");
    let urls: Vec<&str> = requests.iter().filter_map(|event| event["request"]["url"].as_str()).collect();
    assert_eq!(urls, [format!("file://{}", file.display())]);
    for kind in ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"] {
        assert_eq!(browser.events(kind), Vec::<&serde_json::Value>::new(), "{kind}");
    }
    let headings = browser
        .evaluate("[...document.querySelectorAll('section > h2')].map((heading) => heading.textContent)");
    let titles = EVERYTHING.sections.iter().map(|section| section.title);
    assert_eq!(
        headings,
        json!(["How to read this page", "What may be wrong"].into_iter().chain(titles).collect::<Vec<_>>())
    );
}

#[test]
fn the_page_never_scrolls_sideways() {
    for document in [&*EVERYTHING, &*FIELD] {
        let Some((browser, _)) = &mut opened(document) else { return };
        browser.evaluate(UNFOLD);
        for (width, scheme) in WIDTHS.iter().flat_map(|width| SCHEMES.map(|scheme| (*width, scheme))) {
            browser.show(width, scheme);
            let shown = browser.evaluate("document.documentElement.scrollWidth");
            assert!(shown.as_u64() <= Some(u64::from(width)), "{width} {scheme}: {shown}");
        }
    }
}

#[test]
fn axe_finds_nothing() {
    let Some(axe) = axe() else { return };
    // For the page of `FIELD` axe takes half a minute, so it checks that page only once.
    let shows = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")];
    for (document, shows) in [(&*EVERYTHING, &shows[..]), (&*FIELD, &shows[..1])] {
        let Some((browser, _)) = &mut opened(document) else { return };
        browser.evaluate(&axe);
        browser.evaluate(UNFOLD);
        for (width, scheme) in shows {
            browser.show(*width, scheme);
            let found = browser.evaluate(AXE);
            assert_eq!(found, json!([]), "{width} {scheme}");
        }
    }
}

#[test]
fn figures_read_back_are_the_documents_with_and_without_script() {
    let Some((browser, file)) = &mut opened(&EVERYTHING) else { return };
    for is_off in [false, true] {
        browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": is_off }));
        browser.open(file);
        assert_eq!(browser.evaluate("document.querySelector('thead button') === null"), is_off);
        let shown: Vec<(String, Vec<Vec<Shown>>)> = serde_json::from_value(browser.evaluate(TABLES)).unwrap();
        assert_eq!(shown.len(), tables().len());
        for (table, (name, rows)) in tables().into_iter().zip(&shown) {
            assert_eq!(*name, format!("table-{}", table.name));
            assert_eq!(rows.len(), table.rows.len(), "{name}");
            for (row, shown) in table.rows.iter().zip(rows) {
                assert_eq!(row.len(), shown.len(), "{name}");
                for (at, (value, shown)) in row.iter().zip(shown).enumerate() {
                    assert!(shown.shows(value, table.unit(at)), "{name}: {shown:?} is not {value:?}");
                }
            }
        }
    }
}

#[test]
fn headers_sort_their_tables_and_absent_values_stay_last() {
    let Some((browser, _)) = &mut opened(&EVERYTHING) else { return };
    let sorted: Vec<Vec<[Sorted; 2]>> = serde_json::from_value(browser.evaluate(SORT)).unwrap();
    let tables: Vec<&Table> = tables().into_iter().filter(|table| table.rows.len() > 1).collect();
    assert_eq!(sorted.len(), tables.len());
    for (table, columns) in tables.iter().zip(sorted) {
        assert_eq!(columns.len(), table.columns.len(), "{}", table.name);
        for (at, [up, down]) in columns.into_iter().enumerate() {
            let numbers = |compare: fn(&f64, &f64) -> std::cmp::Ordering| {
                let mut numbers: Vec<f64> = table.rows.iter().filter_map(|row| row[at].number()).collect();
                numbers.sort_by(compare);
                let shown = numbers.iter().map(|number| Some(number.to_string()));
                let absent = std::iter::repeat_n(None, table.rows.len() - numbers.len());
                shown.chain(absent).collect::<Vec<_>>()
            };
            let place = format!("{}, column {at}", table.name);
            assert_eq!(up, Sorted(vec!["ascending".into()], numbers(f64::total_cmp)), "{place}");
            let downwards = numbers(|one, other| other.total_cmp(one));
            assert_eq!(down, Sorted(vec!["descending".into()], downwards), "{place}");
        }
    }
}

/// The `aria-sort` attributes of a table, and the sort keys of a column.
#[derive(Debug, PartialEq, serde::Deserialize)]
struct Sorted(Vec<String>, Vec<Option<String>>);

/// A cell of the page: its text, its sort key, and whether it is absent.
#[derive(Debug, serde::Deserialize)]
struct Shown(String, Option<String>, bool);

impl Shown {
    /// Whether a cell shows a value: rounded in its text, and exactly in its sort key.
    fn shows(&self, value: &Value, unit: Unit) -> bool {
        let Self(text, sorted_by, is_absent) = self;
        let number = sorted_by.as_ref().map(|number| number.parse().unwrap());
        if *is_absent != (*value == Value::Absent) || number != value.number() {
            return false;
        }
        match value {
            Value::Absent => text == "–",
            Value::Text(words) => text == words,
            Value::Rank(rank) => *text == rank.to_string(),
            Value::Figure { figure, .. } => {
                let digits: String = text.chars().filter(|letter| "-.0123456789".contains(*letter)).collect();
                let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                let half_a_digit = 0.5 / 10_f64.powi(i32::try_from(decimals).unwrap());
                let difference = digits.parse::<f64>().unwrap() - figure.value * unit.factor;
                difference.abs() <= half_a_digit * (1.0 + f64::from(f32::EPSILON))
            }
        }
    }
}

/// Build servers may show a stored page in this way: Jenkins forbids styles and scripts in pages.
#[test]
fn a_page_without_style_and_script_shows_each_chart_once_and_in_one_scheme() {
    let page = page(&EVERYTHING);
    for forbidden in ["<style", " style="] {
        assert!(!page.replace("<script type=\"text/css\"", "").contains(forbidden), "{forbidden}");
    }
    let meta = "<meta http-equiv=\"Content-Security-Policy\" content=\"";
    let policy = format!("{meta}default-src 'none'; img-src 'self'; style-src 'self'\">{meta}");
    let Some((browser, file)) = &mut opened_text(&page.replacen(meta, &policy, 1)) else { return };
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(file);
    assert_eq!(browser.events("Log.entryAdded"), Vec::<&serde_json::Value>::new());
    browser.show(1280, "dark");
    let sizes =
        "[...document.querySelectorAll('svg')].filter((chart) => chart.checkVisibility()).map((chart) => {
        const { width, height } = chart.getBoundingClientRect();
        return [width - chart.getAttribute('width'), height - chart.getAttribute('height')];
    })";
    let charts = EVERYTHING.charts().count();
    assert_eq!(browser.evaluate(sizes), json!(vec![[0, 0]; charts]));
    let colour = "getComputedStyle(document.body).color";
    assert_eq!(browser.evaluate(colour), json!("rgb(0, 0, 0)"), "text in the colour of a dark scheme");
    let border = "getComputedStyle(document.querySelector('td')).borderBottomStyle";
    assert_ne!(browser.evaluate(border), json!("none"));
}

/// Opens the page. Returns the browser and the page's file, or `None` without a browser.
fn opened(document: &Document) -> Option<(Browser, tempfile::TempPath)> {
    opened_text(&page(document))
}

fn opened_text(page: &str) -> Option<(Browser, tempfile::TempPath)> {
    let mut browser = Browser::start()?;
    let mut file = tempfile::Builder::new().suffix(".html").tempfile().unwrap();
    file.write_all(page.as_bytes()).unwrap();
    let path = file.into_temp_path();
    browser.open(&path);
    Some((browser, path))
}

/// The script of axe-core, or `None` where it is not installed.
fn axe() -> Option<String> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let script = tools.join("axe/axe_playwright_python/axe.min.js");
    let axe = std::fs::read_to_string(&script).ok();
    if axe.is_none() {
        eprintln!("skipped: there is no {}: scripts/setup --tests installs it", script.display());
    }
    axe
}

/// The values of an attribute. `start` is the attribute's text up to the value.
fn attributes<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    page.split(start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The SHA-256 hash of a text, encoded in base64.
fn sha256(text: &str) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let sum = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let byte = |at: usize| u8::from_str_radix(&sum[2 * at..2 * at + 2], 16).unwrap();
    BASE64_STANDARD.encode((0..32).map(byte).collect::<Vec<u8>>())
}
