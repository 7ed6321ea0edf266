//! Checks a server's manifest, and reports all of its errors at once, each with its line and what
//! to do about it.
//!
//! The known fields are those of the manifest's [schema](crate::servers::server::schema).

mod commands;
mod diagnostic;
mod fields;
mod lists;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::de::DeTable;

use crate::servers::server::{self, Server};
use crate::servers::target::Target;
use crate::text::toml_file;
use diagnostic::Diagnostics;
use values::string;

pub use diagnostic::{Diagnostic, Level};

/// The data that a manifest is compared with, apart from its own folder.
pub struct CheckContext<'a> {
    /// Every folder of the checkout that has a manifest.
    pub folders: &'a [PathBuf],
    /// The target folder, in which servers are built.
    pub target: &'a Target,
    /// Whether this machine has a program.
    pub has_program: &'a dyn Fn(&str) -> bool,
    /// The benchmarks that have run here, by their full names.
    pub benchmarks: &'a [String],
}

/// Returns the diagnostics of the manifest in `folder`, ordered by line. Fails when the manifest
/// cannot be read.
pub fn check(folder: &Path, context: &CheckContext) -> anyhow::Result<Vec<Diagnostic>> {
    let path = folder.join("server.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (table, errors) = DeTable::parse_recoverable(&text);
    let mut found = Diagnostics::new(&text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        found.error(at, format!("it is not TOML: {}", error.message().trim().replace('\n', " ")));
    }
    // The table that the parser recovers from invalid TOML may be incomplete, so it is not checked.
    if errors.is_empty() {
        let table = table.get_ref();
        for at in table.values().filter_map(toml_file::hidden) {
            found.error(at, toml_file::CONTROL);
        }
        fields::check(table, &mut found);
        check_name(table, folder, context.folders, &mut found);
        commands::check(table, folder, context, &mut found);
        lists::check(table, context, &mut found);
        if !folder.join("README.md").is_file() {
            let advice = "describe in one what the server is, and what is unusual about it";
            found.error(0, format!("its folder has no README.md; {advice}"));
        }
        if !found.has_errors()
            && let Err(error) = Server::read(folder, context.target)
        {
            found.error(0, format!("{error:#}"));
        }
    }
    Ok(found.by_line())
}

fn check_name(table: &DeTable, folder: &Path, folders: &[PathBuf], found: &mut Diagnostics) {
    let Some((at, name)) = table.get("name").and_then(string) else { return };
    let expected = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name != expected {
        found.error(at, format!("name is `{name}`, but the folder is `{expected}`; rename one of them"));
    } else if let Some(fault) = server::name_fault(name) {
        found.error(at, format!("`{name}` is not a valid name for a server; {fault}"));
    }
    for other in folders.iter().filter(|other| *other != folder && other.ends_with(name)) {
        found.error(at, format!("the name is also used by {}; rename one of them", other.display()));
    }
}
