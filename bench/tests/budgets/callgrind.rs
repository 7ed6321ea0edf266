//! Instructions, as callgrind counts them.

use std::path::Path;

use bench::record;

/// By how many requests two runs differ: what their difference is made of. So what happens once does not count. It is a
/// multiple of all depths of pipelining.
const REQUESTS: usize = 1600;

/// Instructions a request, where `run` makes so many requests under the words that begin a command, and ends it.
pub(crate) fn a_request(mut run: impl FnMut(&[String], usize)) -> f64 {
    let mut count = |requests| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("callgrind.out");
        let out = format!("--callgrind-out-file={}", file.display());
        run(&["valgrind", "--tool=callgrind", "--quiet", &out].map(str::to_owned), requests);
        instructions(&file)
    };
    let (fewer, more) = (count(REQUESTS), count(2 * REQUESTS));
    record::count(more.saturating_sub(fewer)) / record::count(REQUESTS as u64)
}

/// All instructions in the file that callgrind has left, in all threads.
fn instructions(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    read(&text).unwrap_or_else(|| panic!("{} has no totals", file.display()))
}

/// The first number of the line `totals:`; instructions are the first event.
fn read(text: &str) -> Option<u64> {
    let totals = text.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    totals.split_whitespace().next()?.parse().ok()
}

#[test]
fn reads_the_totals() {
    let cases = [
        ("events: Ir\nsummary: 12\n\nfn=(1) main\n5 12\n\ntotals: 12\n", Some(12)),
        ("events: Ir sysCount\n\ntotals: 12 3\n", Some(12)),
        ("events: Ir\nsummary: 12\n", None),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}
