//! Writes the versions of all crates and of the compiler, for the `--version` of servers.
#![allow(clippy::expect_used, reason = "a build fails by its panic")]

use std::{env, fs, path::Path, process::Command};

fn main() {
    let manifest = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let lock = Path::new(&manifest).join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    println!("cargo::rerun-if-changed=build.rs");

    let text = fs::read_to_string(&lock).expect("Cargo.lock lies beside the workspace's Cargo.toml");
    let mut versions = vec![("std", compiler())];
    // For each package, `Cargo.lock` has a line with its name, followed by a line with its version.
    let value = |line, key| str::strip_prefix(line, key)?.strip_prefix(" = \"")?.strip_suffix('"');
    let pairs = text.lines().zip(text.lines().skip(1));
    versions.extend(
        pairs.filter_map(|(line, next)| Some((value(line, "name")?, value(next, "version")?.to_owned()))),
    );

    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("versions.rs");
    fs::write(out, format!("&{versions:?}")).expect("OUT_DIR can be written");
}

/// The version, such as `1.95.0`, in `rustc 1.95.0 (59807616e 2026-04-14)`.
fn compiler() -> String {
    let rustc = env::var("RUSTC").expect("cargo sets RUSTC");
    let output =
        Command::new(rustc).arg("--version").output().expect("the compiler that cargo runs can be run");
    let text = String::from_utf8(output.stdout).expect("rustc prints text");
    text.split(' ').nth(1).expect("rustc prints its name, then its version").to_owned()
}
