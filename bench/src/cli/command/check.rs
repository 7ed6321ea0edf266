//! `bench check`: what is wrong with a server's manifest?

use std::env;
use std::path::{Path, PathBuf};

use super::{BAD, GOOD, Outcome, print, styled};
use crate::checks::manifest::{self, Level, Remark, Surroundings};
use crate::cli::Check;
use crate::machine::host::Host;
use crate::measure::microbench;
use crate::servers::checkout;
use crate::text::names;

pub(super) fn run(root: Option<&Path>, arguments: &Check) -> anyhow::Result<Outcome> {
    let root = checkout::root(root)?;
    let target = checkout::target_folder(&root);
    let folders = checkout::server_folders(&root)?;
    let host = Host::this_machine(checkout::tools_folder(&root))?;
    let surroundings = Surroundings {
        folders: &folders,
        target: &target,
        has_program: &|program| host.find(program).is_some(),
        benchmarks: &microbench::known(&target.join("criterion")),
    };
    let mut all_well = true;
    for folder in choose(&folders, &arguments.names)? {
        let remarks = manifest::check(folder, &surroundings);
        all_well &= remarks.as_ref().is_ok_and(|remarks| mistakes(remarks) == 0);
        print(&report(folder, &remarks))?;
    }
    Ok(if all_well { Outcome::Fine } else { Outcome::Failed })
}

/// The folders of the servers that are named, or all.
fn choose<'a>(folders: &'a [PathBuf], wanted: &[String]) -> anyhow::Result<Vec<&'a PathBuf>> {
    if wanted.is_empty() {
        return Ok(folders.iter().collect());
    }
    names::all_different("server", wanted.iter().map(String::as_str))?;
    wanted.iter().map(|wanted| names::find("server", wanted, folders, |folder| name(folder))).collect()
}

fn name(folder: &Path) -> &str {
    folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A line for the server, and one for each remark, which begins with its place as compilers tell it.
fn report(folder: &Path, remarks: &anyhow::Result<Vec<Remark>>) -> String {
    let name = name(folder);
    let remarks = match remarks {
        Ok(remarks) => remarks,
        Err(error) => return format!("{name:<14} {}: {error:#}\n", styled(BAD, "failed")),
    };
    let verdict = match mistakes(remarks) {
        0 => styled(GOOD, "no mistakes"),
        1 => styled(BAD, "1 mistake"),
        several => styled(BAD, &format!("{several} mistakes")),
    };
    let path = folder.join("server.toml");
    // From where the person is, a path is shorter, and can be clicked.
    let here = env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(&path).display();
    let line = |Remark { line, level, text }: &Remark| match level {
        Level::Mistake => format!("{path}:{line}: {text}\n"),
        Level::Note => format!("{path}:{line}: note: {text}\n"),
    };
    format!("{name:<14} {verdict}\n{}", remarks.iter().map(line).collect::<String>())
}

fn mistakes(remarks: &[Remark]) -> usize {
    remarks.iter().filter(|remark| remark.level == Level::Mistake).count()
}
