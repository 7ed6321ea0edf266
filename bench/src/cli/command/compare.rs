//! `bench compare`: what got worse from one result folder to another.

use std::path::Path;

use anyhow::{Context, bail};

use super::{BAD, GOOD, Outcome, print, styled};
use crate::analysis::compare;
use crate::cli::Compare;
use crate::report::comparison::{self, BETTER, TWO_MACHINES, WORSE};
use crate::store::results;

pub(super) fn run(arguments: &Compare) -> anyhow::Result<Outcome> {
    let folders = [arguments.a.as_path(), arguments.b.as_path()];
    let [a, b] = folders.map(results::load);
    let (a, b) = (a?, b?);
    refuse_the_same(folders)?;
    let comparison = compare::compare(&a, &b);
    let names = folders.map(|folder| folder.display().to_string());
    print(&coloured(&comparison::text(&comparison, [&names[0], &names[1]])))?;
    let percent = arguments.fail_above;
    let beyond = comparison.worse_by(percent / 100.0);
    if percent > 0.0 {
        anstream::eprintln!(
            "{} {} by more than {percent} %",
            beyond,
            if beyond == 1 { "figure is worse" } else { "figures are worse" }
        );
    }
    Ok(if beyond == 0 { Outcome::Fine } else { Outcome::Failed })
}

/// A folder held against itself would never be worse, whatever the name that it has the second time.
fn refuse_the_same(folders: [&Path; 2]) -> anyhow::Result<()> {
    let [a, b] = folders.map(|folder| {
        folder.canonicalize().with_context(|| format!("cannot tell where {} lies", folder.display()))
    });
    if a? == b? {
        let [a, b] = folders.map(Path::display);
        bail!("{a} and {b} are the same folder: name another to compare it with");
    }
    Ok(())
}

/// Styles are put on when columns have their widths.
fn coloured(text: &str) -> String {
    let line = |line: &str| {
        for (word, style) in [(WORSE, BAD), (BETTER, GOOD), (TWO_MACHINES, BAD)] {
            if let Some(before) = line.strip_suffix(word) {
                return format!("{before}{}\n", styled(style, word));
            }
        }
        format!("{line}\n")
    };
    text.lines().map(line).collect()
}
