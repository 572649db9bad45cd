//! See [`fuzz::map_proof`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::map_proof(bytes);
});
