//! See [`fuzz::trust_snapshot`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::trust_snapshot(bytes);
});
