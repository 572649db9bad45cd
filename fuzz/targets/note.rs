//! See [`fuzz::note`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::note(bytes);
});
