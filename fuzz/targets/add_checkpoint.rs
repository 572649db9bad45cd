//! See [`fuzz::add_checkpoint`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::add_checkpoint(bytes);
});
