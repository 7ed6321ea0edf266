//! Computes a digest of the sources, which `visit --version` prints. A program that was built with
//! this crate compares the digests, and so detects a `visit` that was built from other sources.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders whose sources determine what `visit` accepts, does and prints: this crate, `visit`,
/// and the crate `answers`, which reads answers.
const SOURCES: [&str; 3] = ["src", "../src", "../../answers/src"];

/// The offset basis and the prime of 64-bit FNV-1a. The digest need not be secure.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        list(Path::new(folder), &mut files)?;
    }
    // `read_dir` returns the entries in no particular order.
    files.sort();
    let mut digest = BASIS;
    for file in files {
        // Two different lists of files never give the same bytes, as neither names nor sources have
        // a zero.
        let bytes = [file.as_os_str().as_encoded_bytes(), b"\0", &fs::read(&file)?, b"\0"].concat();
        digest = bytes.iter().fold(digest, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(PRIME));
    }
    println!("cargo::rustc-env=VISIT_SOURCES={digest:016x}");
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
