//! The invariants of the shared code. Each takes any bytes from a client, and panics if broken.
//!
//! The fuzzer (`shared/fuzz/`) looks for bytes that break an invariant. The bytes that it has
//! found, and some that were written by hand, are in `shared/fuzz/corpus/`; the tests below check
//! all of them.

mod client;
mod connection;
mod greeting;
mod outcome;
mod tls;

pub use connection::connection;
pub use greeting::greeting;
pub use tls::tls;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Checks `invariant` for every file of the corpus called `name`.
    fn check(name: &str, invariant: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for file in files {
            // The output is shown only when the test fails: the last file broke the invariant.
            println!("{}", file.display());
            invariant(&fs::read(&file).unwrap());
        }
    }

    #[test]
    fn the_corpus_keeps_the_invariants_of_connections() {
        check("connection", super::connection);
    }

    #[test]
    fn the_corpus_keeps_the_invariants_of_the_greeting() {
        check("greeting", super::greeting);
    }

    #[test]
    fn the_corpus_keeps_the_invariants_of_tls() {
        check("tls", super::tls);
    }
}
