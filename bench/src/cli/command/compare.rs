//! `bench compare`: what got worse or better from one result folder to another.

use std::path::Path;

use anyhow::{Context, bail};

use super::report::put;
use super::{BAD, GOOD, Outcome, print, styled};
use crate::analysis::compare::{self, Judgement};
use crate::cli::Compare;
use crate::report::comparison;
use crate::report::{self, format::Format};
use crate::store::results;

pub(super) fn run(arguments: &Compare) -> anyhow::Result<Outcome> {
    let folders = [arguments.a.as_path(), arguments.b.as_path()];
    let [a, b] = folders.map(results::load);
    let (a, b) = (a?, b?);
    refuse_the_same(folders)?;
    let comparison = compare::compare(&a, &b);
    let names = folders.map(|folder| folder.display().to_string());
    let document = comparison::document(&comparison, [&names[0], &names[1]]);
    if arguments.printed.format == Format::Table && arguments.printed.output.is_none() {
        print(&coloured(&Format::Table.render(&document, report::terminal_width())?))?;
    } else {
        put(&document, &arguments.printed)?;
    }
    let percent = arguments.fail_above;
    let beyond = comparison.worse_by(percent / 100.0);
    if percent > 0.0 {
        let figures = if beyond == 1 { "figure is" } else { "figures are" };
        anstream::eprintln!("{beyond} {figures} worse by more than {percent} %");
    }
    Ok(if beyond == 0 { Outcome::Fine } else { Outcome::Failed })
}

/// Fails when both paths lead to one folder, which is never worse than itself.
fn refuse_the_same(folders: [&Path; 2]) -> anyhow::Result<()> {
    let [a, b] = folders
        .map(|folder| folder.canonicalize().with_context(|| format!("cannot resolve {}", folder.display())));
    if a? == b? {
        let [a, b] = folders.map(Path::display);
        bail!("{a} and {b} are the same folder: name another to compare it with");
    }
    Ok(())
}

/// Colours the judgements at the ends of lines, once the columns have their widths.
fn coloured(text: &str) -> String {
    let line = |line: &str| {
        for (judgement, style) in [(Judgement::Worse, BAD), (Judgement::Better, GOOD)] {
            let word = judgement.to_string();
            if let Some(before) = line.strip_suffix(&word) {
                return format!("{before}{}\n", styled(style, &word));
            }
        }
        format!("{line}\n")
    };
    text.lines().map(line).collect()
}
