//! See [`fuzz::page_proof`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::page_proof(bytes);
});
