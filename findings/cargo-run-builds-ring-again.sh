#!/usr/bin/env bash
# A `cargo build` by a program under `cargo run` builds ring again, and so does the next one by a shell.
#
# cargo sets variables of the package, such as CARGO_MANIFEST_DIR, for the programs that it runs. The build
# script of ring asks to run again when CARGO_MANIFEST_DIR, CARGO_PKG_NAME or another of these changes. It
# means the variables that cargo sets for the script itself, but cargo compares the values that cargo was
# started with. A shell has none, and a program under `cargo run` or `cargo test` has them: each change from
# one to the other compiles ring and all that depends on it, such as rustls, although no file has changed. If
# the program removes the variables, nothing is built.
#
# Seen with cargo 1.95.0 and ring 0.17.14. Needs cargo and a C compiler, and no root. Exits with 1 when this
# changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CARGO_TARGET_DIR=$folder/target CARGO_TERM_COLOR=never

# A program that starts cargo, as a task runner does, and a package that depends on ring.
mkdir -p runner/src signed/src
cat >runner/Cargo.toml <<'TOML'
[package]
name = "runner"
edition = "2024"

[workspace]
TOML
cat >runner/src/main.rs <<'RUST'
use std::process::{Command, exit};

fn main() {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--manifest-path", "signed/Cargo.toml"]);
    let clean = std::env::args().nth(1).is_some();
    for (name, _) in std::env::vars().filter(|(name, _)| clean && name.starts_with("CARGO_")) {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    exit(cargo.status().unwrap().code().unwrap());
}
RUST
cat >signed/Cargo.toml <<'TOML'
[package]
name = "signed"
edition = "2024"

[dependencies]
ring = "=0.17.14"

[workspace]
TOML
echo 'pub use ring::digest;' >signed/src/lib.rs

runner() { cargo run --quiet --manifest-path runner/Cargo.toml -- "$@"; }
shell() { cargo build --manifest-path signed/Cargo.toml; }
# Prints a name, and how many times a build compiles ring.
count() { # NAME COMMAND...
    local said
    said=$("${@:2}" 2>&1) || { echo "$said" >&2; exit 1; }
    echo "$1: $(grep -c 'Compiling ring' <<<"$said" || true)"
}
{
    count 'the first time' shell
    count 'a shell' shell
    count 'below cargo run' runner
    count 'below cargo run' runner
    count 'a shell' shell
    count 'below cargo run, without the variables' runner clean
} >seen
cat seen
expected='the first time: 1
a shell: 0
below cargo run: 1
below cargo run: 0
a shell: 1
below cargo run, without the variables: 0'
if [ "$(cat seen)" != "$expected" ]; then
    echo "this has changed"
    exit 1
fi
echo "as described"
