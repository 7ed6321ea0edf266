//! Checks whether the commands of a manifest can be run.

use std::path::Path;

use toml::de::DeTable;

use super::CheckContext;
use super::diagnostic::Diagnostics;
use super::values::{string, strings, tables};
use crate::servers::server::TARGET;

/// Programs that every system has, so that no manifest has to say how to get them.
const EVERYWHERE: [&str; 2] = ["sh", "env"];

/// The fields of a manifest that are commands, each a list of words.
const COMMANDS: [&str; 4] = ["build", "run", "version", "check"];

pub(super) fn check(table: &DeTable, folder: &Path, context: &CheckContext, found: &mut Diagnostics) {
    let required: Vec<(usize, &str)> =
        tables(table, "requires").filter_map(|item| item.get("program").and_then(string)).collect();
    let lists = table.iter().filter_map(|(name, value)| Some((name.get_ref().as_ref(), strings(value)?)));
    let commands = lists.filter(|(name, _)| COMMANDS.contains(name));
    let commands: Vec<(&str, Vec<(usize, &str)>)> = commands.collect();
    let is_built = commands.iter().any(|(name, words)| *name == "build" && !words.is_empty());
    for (name, words) in &commands {
        for (at, word) in words {
            check_placeholders(*at, word, found);
        }
        if let Some((at, program)) = words.first() {
            let made_before = is_built && *name != "build";
            if let Some(wrong) = wrong_program(program, folder, made_before, context, &required) {
                found.error(*at, format!("{name}: {wrong}"));
            }
        }
    }
    note_requirements(table, &commands, &required, context, found);
}

/// Checks the placeholders of a word. In a word without white space, `{…}` is a placeholder, but
/// not in `${…}`, which a shell reads. A word with white space is not checked, since it may be a
/// program in another language.
fn check_placeholders(at: usize, word: &str, found: &mut Diagnostics) {
    if word.contains(char::is_whitespace) {
        return;
    }
    for (place, _) in word.match_indices('{').filter(|(place, _)| !word[..*place].ends_with('$')) {
        let rest = &word[place..];
        let wrong = match rest.find('}').map(|end| &rest[..=end]) {
            Some(TARGET) => continue,
            Some(other) => format!("`{other}` in `{word}` is not a placeholder"),
            None => format!("`{word}` has a `{{` without a `}}`"),
        };
        found.error(at, format!("{wrong}; did you mean `{TARGET}`?"));
    }
}

/// Returns why a command's program cannot be run. If `made_before`, the build may make the program,
/// so a path to a file that does not exist is accepted.
fn wrong_program(
    program: &str,
    folder: &Path,
    made_before: bool,
    context: &CheckContext,
    required: &[(usize, &str)],
) -> Option<String> {
    if program.contains('/') {
        let path = folder.join(program.replace(TARGET, &context.target.programs().display().to_string()));
        let is_wrong = !made_before && !path.is_file();
        return is_wrong.then(|| {
            format!("there is no `{program}`, and no build makes it; paths start in the server's folder")
        });
    }
    let is_known = required.iter().any(|(_, name)| *name == program) || (context.has_program)(program);
    (!is_known).then(|| {
        format!("there is no program `{program}` here; if it is right, say in [[requires]] how to get it")
    })
}

/// Adds a note for each required program that this machine lacks, and for each program of a command
/// that `[[requires]]` does not mention.
fn note_requirements(
    table: &DeTable,
    commands: &[(&str, Vec<(usize, &str)>)],
    required: &[(usize, &str)],
    context: &CheckContext,
    found: &mut Diagnostics,
) {
    for item in tables(table, "requires") {
        let Some((at, program)) = item.get("program").and_then(string) else { continue };
        if !(context.has_program)(program) {
            let hint =
                item.get("hint").and_then(string).map_or("say in `hint` how to get it", |(_, hint)| hint);
            found.note(at, format!("there is no `{program}` here; {hint}"));
        }
    }
    let mut said = EVERYWHERE.to_vec();
    said.extend(required.iter().map(|(_, program)| *program));
    for (name, words) in commands {
        let Some((at, program)) = words.first() else { continue };
        if !program.contains('/') && (context.has_program)(program) && !said.contains(program) {
            said.push(program);
            let missing = format!("{name}: `{program}` is in no [[requires]]");
            found.note(*at, format!("{missing}; a machine without it cannot say how to get it"));
        }
    }
}
