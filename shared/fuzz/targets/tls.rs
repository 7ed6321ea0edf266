//! The invariants of an encrypted connection, whatever a client sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::testing::invariants::tls(bytes));
