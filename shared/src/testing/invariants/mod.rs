//! What holds whatever a client sends. Each law takes any bytes, and panics when it is broken.
//!
//! The fuzzer (`shared/fuzz/`) looks for bytes that break one. Those that it has found, and those that were thought of,
//! lie in `shared/fuzz/corpus/`, and the tests below hold every law against them on any toolchain.

pub mod answers;
mod client;
mod connection;
mod filter;
mod greeting;
mod outcome;

pub use connection::connection;
pub use greeting::greeting;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Holds `law` against every file of the corpus called `name`.
    fn check(name: &str, law: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for file in files {
            // Shown only when the test fails: the last one named is the one that broke the law.
            println!("{}", file.display());
            law(&fs::read(&file).unwrap());
        }
    }

    #[test]
    fn the_corpus_keeps_the_laws_of_connections() {
        check("connection", super::connection);
    }

    #[test]
    fn the_corpus_keeps_the_laws_of_the_greeting() {
        check("greeting", super::greeting);
    }
}
