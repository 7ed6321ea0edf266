//! `bench compare`: what got worse or better from one result folder to another.

use std::path::Path;

use anyhow::{Context, bail};

use super::report::put;
use super::{BAD, GOOD, Outcome, note, note_error, print, styled};
use crate::analysis::compare::{self, Judgement};
use crate::cli::Compare;
use crate::report::comparison;
use crate::report::{self, format::Format};
use crate::store::results;

pub(super) fn run(arguments: &Compare) -> anyhow::Result<Outcome> {
    // When a folder cannot be read, it is unknown whether a figure got worse or better.
    compare(arguments).or_else(|error| {
        note_error(&error);
        Ok(Outcome::Unknown)
    })
}

fn compare(arguments: &Compare) -> anyhow::Result<Outcome> {
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
        put(&document, arguments.printed.format, arguments.printed.output.as_deref())?;
    }
    let percent = arguments.fail_above;
    let beyond = comparison.worse_by(percent / 100.0);
    if percent > 0.0 {
        let figures = if beyond == 1 { "figure is" } else { "figures are" };
        note(&format!("{beyond} {figures} worse by more than {percent} %"));
    }
    if beyond > 0 {
        return Ok(Outcome::Failed);
    }
    let unanswered = comparison.unanswered();
    if unanswered == 0 && comparison.is_any_compared() {
        return Ok(Outcome::Fine);
    }
    note(&match unanswered {
        0 => "it cannot be said whether B is worse: no figure was compared".to_owned(),
        1 => "it cannot be said whether B is worse: a figure of A has none to compare with".to_owned(),
        _ => format!(
            "it cannot be said whether B is worse: {unanswered} figures of A have none to compare with"
        ),
    });
    Ok(Outcome::Unknown)
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

/// Colours the judgements at the ends of lines. Columns must have their widths already.
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
