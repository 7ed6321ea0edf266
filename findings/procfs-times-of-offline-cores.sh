#!/usr/bin/env bash
# If a core is offline, the crate procfs gives the times of the next core under the number of the offline core.
#
# A program reads index N of `KernelStats::cpu_time` as the time of core N. /proc/stat has a line `cpuN` for each core that is
# online, with its number; the crate keeps the order of the lines and drops the numbers. With core 2 of 4 offline, index 2 is
# core 3, and index 3 does not exist. Cores are offline on many machines, where simultaneous multithreading is switched off. The
# type has no number, so the program cannot detect this.
#
# Seen with procfs 0.18.0: the script passes the text of such a /proc/stat to its reader. Needs cargo, and no root. Exits with 1
# when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CARGO_TARGET_DIR=$folder/target

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "offline"
edition = "2024"

[dependencies]
procfs = { version = "=0.18.0", default-features = false }

[workspace]
TOML
cat >src/main.rs <<'RUST'
use procfs::{FromBufReadSI, KernelStats, LocalSystemInfo};

// Core N has been busy for (N + 1) × 100 hundredths of a second. Core 2 is offline.
const STAT: &str = "\
cpu  700 0 0 0 0 0 0 0 0 0
cpu0 100 0 0 0 0 0 0 0 0 0
cpu1 200 0 0 0 0 0 0 0 0 0
cpu3 400 0 0 0 0 0 0 0 0 0
ctxt 1
btime 1
processes 1
procs_running 1
procs_blocked 0
";

fn main() {
    let stats = KernelStats::from_buf_read(STAT.as_bytes(), &LocalSystemInfo).unwrap();
    for core in 0..4 {
        match stats.cpu_time.get(core) {
            Some(time) => println!("core {core}: {} hundredths", time.user),
            None => println!("core {core}: none"),
        }
    }
}
RUST
cargo run --quiet >seen
cat seen
expected='core 0: 100 hundredths
core 1: 200 hundredths
core 2: 400 hundredths
core 3: none'
if [ "$(cat seen)" != "$expected" ]; then
    echo "this has changed"
    exit 1
fi
echo "as described"
