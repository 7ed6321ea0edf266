//! The invariants of the frames that `visit` reads, whatever a server sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| visit::invariants::frames(bytes));
