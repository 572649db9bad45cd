//! See [`fuzz::value_proof`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::value_proof(bytes);
});
