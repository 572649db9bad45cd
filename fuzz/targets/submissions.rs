//! See [`fuzz::submissions`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::submissions(bytes);
});
