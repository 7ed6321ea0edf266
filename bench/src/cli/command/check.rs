//! `bench check`: what is wrong with a server's manifest?

use std::env;
use std::path::{Path, PathBuf};

use super::{BAD, GOOD, Outcome, note_leftover, print, styled};
use crate::checks::manifest::{self, CheckContext, Diagnostic, Level};
use crate::machine::host::Host;
use crate::measure::microbench;
use crate::servers::checkout::{self, ServerFolders};
use crate::servers::target::Target;
use crate::text::names;

pub(super) fn run(root: Option<&Path>, wanted: &[String]) -> anyhow::Result<Outcome> {
    let root = checkout::root(root)?;
    let target = Target::find(&root);
    let ServerFolders { with_manifest, without_manifest } = checkout::server_folders(&root)?;
    let host = Host::this_machine(target.tools())?;
    let context = CheckContext {
        folders: &with_manifest,
        target: &target,
        has_program: &|program| host.find(program).is_some(),
        benchmarks: &microbench::known(&target.criterion()),
    };
    // A folder without a manifest counts as a server that lacks one only if the user names it.
    let is_named = |folder: &&PathBuf| wanted.iter().any(|wanted| wanted == name(folder));
    let (named, leftover): (Vec<_>, Vec<_>) = without_manifest.iter().partition(is_named);
    leftover.into_iter().for_each(|folder| note_leftover(folder));
    let folders: Vec<&PathBuf> = with_manifest.iter().chain(named).collect();
    let mut all_well = true;
    for folder in choose(&folders, wanted)? {
        let diagnostics = manifest::check(folder, &context);
        all_well &= diagnostics.as_ref().is_ok_and(|diagnostics| errors(diagnostics) == 0);
        print(&report(folder, &diagnostics))?;
    }
    Ok(if all_well { Outcome::Fine } else { Outcome::Failed })
}

/// The folders of the named servers, or all. Fails when a name is unknown or repeated.
fn choose<'a>(folders: &[&'a PathBuf], wanted: &[String]) -> anyhow::Result<Vec<&'a PathBuf>> {
    if wanted.is_empty() {
        return Ok(folders.to_vec());
    }
    names::all_different("server", wanted.iter().map(String::as_str))?;
    let find = |wanted: &String| names::find("server", wanted, folders, |folder| name(folder)).copied();
    wanted.iter().map(find).collect()
}

fn name(folder: &Path) -> &str {
    folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Returns a line for the server and one per diagnostic, which begins with its place in the form
/// that compilers use.
fn report(folder: &Path, diagnostics: &anyhow::Result<Vec<Diagnostic>>) -> String {
    let name = name(folder);
    let diagnostics = match diagnostics {
        Ok(diagnostics) => diagnostics,
        Err(error) => return format!("{name:<14} {}: {error:#}\n", styled(BAD, "failed")),
    };
    let verdict = match errors(diagnostics) {
        0 => styled(GOOD, "no errors"),
        1 => styled(BAD, "1 error"),
        several => styled(BAD, &format!("{several} errors")),
    };
    let path = folder.join("server.toml");
    // A path relative to the current folder is shorter, and terminals make a link of it.
    let here = env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(&path).display();
    let line = |Diagnostic { line, level, text }: &Diagnostic| match level {
        Level::Error => format!("{path}:{line}: {text}\n"),
        Level::Note => format!("{path}:{line}: note: {text}\n"),
    };
    format!("{name:<14} {verdict}\n{}", diagnostics.iter().map(line).collect::<String>())
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count()
}
