//! See [`fuzz::log_list`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::log_list(bytes);
});
