//! See [`fuzz::change_set`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::change_set(bytes);
});
