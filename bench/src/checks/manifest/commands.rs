//! Whether the commands of a manifest can be what they are meant to be.

use std::path::Path;

use toml::de::DeTable;

use super::{Remarks, Surroundings, string, strings, tables};
use crate::servers::server::TARGET;

/// Programs that every system has: nobody has to say how to get them.
const EVERYWHERE: [&str; 2] = ["sh", "env"];

/// A command is a list of words. Every such list at the top of a manifest is one.
pub(super) fn check(table: &DeTable, folder: &Path, surroundings: &Surroundings, remarks: &mut Remarks) {
    let required: Vec<(usize, &str)> =
        tables(table, "requires").filter_map(|item| item.get("program").and_then(string)).collect();
    let commands = table.iter().filter_map(|(name, value)| Some((name.get_ref().as_ref(), strings(value)?)));
    let commands: Vec<(&str, Vec<(usize, &str)>)> = commands.collect();
    let is_built = commands.iter().any(|(name, words)| *name == "build" && !words.is_empty());
    for (name, words) in &commands {
        for (at, word) in words {
            check_placeholders(*at, word, remarks);
        }
        if let Some((at, program)) = words.first() {
            let made_before = is_built && *name != "build";
            if let Some(wrong) = wrong_program(program, folder, made_before, surroundings, &required) {
                remarks.mistake(*at, format!("{name}: {wrong}"));
            }
        }
    }
    note_requirements(table, &commands, &required, surroundings, remarks);
}

/// In a word without white space, which is a path or a flag and no program in another language, `{…}` is a placeholder,
/// unless a shell reads it.
fn check_placeholders(at: usize, word: &str, remarks: &mut Remarks) {
    if word.contains(char::is_whitespace) {
        return;
    }
    for (place, _) in word.match_indices('{').filter(|(place, _)| !word[..*place].ends_with('$')) {
        let rest = &word[place..];
        match rest.find('}').map(|end| &rest[..=end]) {
            Some(TARGET) => {}
            Some(other) => {
                remarks.mistake(
                    at,
                    format!("nothing is put in for `{other}` in `{word}`; did you mean `{TARGET}`?"),
                );
            }
            None => {
                remarks.mistake(at, format!("`{word}` has a `{{` without a `}}`; did you mean `{TARGET}`?"));
            }
        }
    }
}

/// Why a command's program cannot be run. One that is in the server's folder or in the target folder may be made by the build.
fn wrong_program(
    program: &str,
    folder: &Path,
    made_before: bool,
    surroundings: &Surroundings,
    required: &[(usize, &str)],
) -> Option<String> {
    if program.contains('/') {
        let path = folder.join(program.replace(TARGET, &surroundings.target.display().to_string()));
        let is_wrong = !made_before && !path.is_file();
        return is_wrong.then(|| {
            format!("there is no `{program}`, and no build makes it; paths begin in the server's folder")
        });
    }
    let is_known = required.iter().any(|(_, name)| *name == program) || (surroundings.has_program)(program);
    (!is_known).then(|| {
        format!("there is no program `{program}` here; if it is right, say in [[requires]] how to get it")
    })
}

/// What this machine lacks, and programs of which another one could not say how to get them.
fn note_requirements(
    table: &DeTable,
    commands: &[(&str, Vec<(usize, &str)>)],
    required: &[(usize, &str)],
    surroundings: &Surroundings,
    remarks: &mut Remarks,
) {
    for item in tables(table, "requires") {
        let Some((at, program)) = item.get("program").and_then(string) else { continue };
        if !(surroundings.has_program)(program) {
            let hint =
                item.get("hint").and_then(string).map_or("say in `hint` how to get it", |(_, hint)| hint);
            remarks.note(at, format!("there is no `{program}` on this machine; {hint}"));
        }
    }
    let mut said = EVERYWHERE.to_vec();
    said.extend(required.iter().map(|(_, program)| *program));
    for (name, words) in commands {
        let Some((at, program)) = words.first() else { continue };
        if !program.contains('/') && (surroundings.has_program)(program) && !said.contains(program) {
            said.push(program);
            let text = format!(
                "{name}: `{program}` is in no [[requires]]; a machine without it cannot say how to get it"
            );
            remarks.note(*at, text);
        }
    }
}
