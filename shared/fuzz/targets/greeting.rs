//! The invariants of the greeting, whatever a request's target.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::testing::invariants::greeting(bytes));
