//! Tests of the server when the kernel refuses io_uring.
#![allow(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::thread;

use nix::libc::{EPERM, SYS_io_uring_setup};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

#[test]
fn a_server_without_a_ring_fails_with_one_line() {
    for flags in [["--check"].as_slice(), &["--port", "0"]] {
        let output = run_without_rings(flags);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{flags:?}: {said}");
        assert!(
            said.starts_with("error: no io_uring here (") && said.lines().count() == 1,
            "{flags:?}: {said}"
        );
        assert!(output.stdout.is_empty(), "{flags:?}");
    }
}

/// Returns the output of the program under a seccomp filter such as containers have.
fn run_without_rings(flags: &[&str]) -> Output {
    let rules = BTreeMap::from([(SYS_io_uring_setup, Vec::new())]);
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let refuse = SeccompAction::Errno(EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    let run = || {
        // The filter applies to this thread and the processes that it starts.
        seccompiler::apply_filter(&filter).unwrap();
        Command::new(env!("CARGO_BIN_EXE_server-compio")).args(flags).output().unwrap()
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}
