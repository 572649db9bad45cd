//! See [`fuzz::xdatenfelder`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::xdatenfelder(bytes);
});
