//! The invariants of a connection, whatever a client sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::testing::invariants::connection(bytes));
