//! See [`fuzz::registerlandkarte`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::registerlandkarte(bytes);
});
