//! See [`fuzz::tlog_proof`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::tlog_proof(bytes);
});
