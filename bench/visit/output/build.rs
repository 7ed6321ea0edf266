//! Gives the sources a digest, which `visit --version` prints: so a program that runs `visit`, and was built
//! with this crate, notices one that was built from other sources.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What decides what `visit` takes, does and prints: its own sources, and those that read answers.
const SOURCES: [&str; 3] = ["src", "../src", "../../answers/src"];

/// The basis and the prime of FNV-1a with 64 bits. A digest that anybody could forge is enough here.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        list(Path::new(folder), &mut files)?;
    }
    // A folder has no order of its own.
    files.sort();
    let mut digest = BASIS;
    for file in files {
        // No two lists of files give the same bytes: no name has a zero, and no source either.
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
