//! The files of a new server, from `bench/templates/server/`, where `NAME` stands for its name: the
//! smallest working server of a language, or a checklist for any other language.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;

/// A language that has a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// A blocking thread for each connection, with HTTP from `shared`
    Rust,
    /// `net/http`
    Go,
    /// asyncio's streams
    Python,
    /// `node:http`
    Javascript,
    /// Any other language: what a server has to do as a checklist, and a manifest to fill in
    Other,
}

/// A file: its path in the server's folder, and its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($path:literal),+) => {
        ($folder, &[$(($path, include_str!(concat!("../../templates/server/", $folder, "/", $path)))),+])
    };
}

impl Language {
    /// The folder of the language's servers, below `servers/`.
    pub fn folder(self) -> &'static str {
        self.template().0
    }

    /// The path of the file that handles requests, in a server's folder.
    pub fn code(self) -> &'static str {
        self.files().first().map_or("", |(path, _)| path)
    }

    fn files(self) -> &'static [File] {
        self.template().1
    }

    /// The language's folder and its files. The first file handles requests; for [`Self::Other`],
    /// it is the one to begin with.
    fn template(self) -> (&'static str, &'static [File]) {
        match self {
            Self::Rust => files!("rust": "src/main.rs", "Cargo.toml", "server.toml", "README.md"),
            Self::Go => files!("go": "main.go", "go.mod", "server.toml", "README.md"),
            Self::Python => files!("python": "server.py", "server.toml", "README.md"),
            Self::Javascript => files!("javascript": "server.js", "server.toml", "README.md"),
            Self::Other => files!("other": "README.md", "server.toml"),
        }
    }
}

/// Writes a server called `name` into `folder`. Fails when the folder exists or a file cannot be
/// written.
pub fn write(language: Language, name: &str, folder: &Path) -> anyhow::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (path, text) in language.files() {
        let path = folder.join(path);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, text.replace("NAME", name))
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_language_has_all_files_of_its_folder() {
        for language in Language::value_variants() {
            let folder =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/server").join(language.folder());
            let entries = ["", "src"].iter().filter_map(|inner| folder.join(inner).read_dir().ok()).flatten();
            let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
            let mut there: Vec<PathBuf> =
                files.map(|path| path.strip_prefix(&folder).unwrap().to_owned()).collect();
            let mut known: Vec<PathBuf> = language.files().iter().map(|(path, _)| path.into()).collect();
            there.sort();
            known.sort();
            assert_eq!(there, known);
        }
    }
}
