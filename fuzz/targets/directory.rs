//! See [`fuzz::directory`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::directory(bytes);
});
