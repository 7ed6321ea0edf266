//! Machines for tests, from `bench/tests/topologies/`: the files of `/sys` that the harness reads,
//! as they are on such machines.

use std::fs;
use std::path::Path;

use super::{Topology, cpu_list};

/// Reads a recorded machine. Each line of its file is a path below `/sys/devices` and the text of
/// the file there. A path with `{0-3,8}` stands for one file per number, and `*` in the text for
/// that number.
pub(in crate::machine) fn recorded(machine: &str, usable: &str) -> Topology {
    let file = format!("{}/tests/topologies/{machine}.txt", env!("CARGO_MANIFEST_DIR"));
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = Path::new("sys/devices").join(path);
        fs::create_dir_all(root.path().join(&path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), format!("{text}\n")).unwrap();
    };
    for line in fs::read_to_string(&file).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let (path, text) = line.split_once(' ').unwrap();
        let Some((start, rest)) = path.split_once('{') else {
            write(path, text);
            continue;
        };
        let (numbers, end) = rest.split_once('}').unwrap();
        for number in cpu_list(numbers).unwrap() {
            write(&format!("{start}{number}{end}"), &text.replace('*', &number.to_string()));
        }
    }
    Topology::read(root.path(), &cpu_list(usable).unwrap())
}

/// A machine of which only the number of CPUs is known.
pub(in crate::machine) fn bare(cpus: usize) -> Topology {
    let root = tempfile::tempdir().unwrap();
    Topology::read(root.path(), &(0..cpus).collect::<Vec<_>>())
}
