//! The invariants of the headers that `visit` reads, whatever a server sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| visit::invariants::blocks(bytes));
