//! See [`fuzz::exchange`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::exchange(bytes);
});
