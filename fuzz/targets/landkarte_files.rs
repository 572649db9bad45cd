//! See [`fuzz::landkarte_files`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::landkarte_files(bytes);
});
