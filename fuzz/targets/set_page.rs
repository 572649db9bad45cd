//! See [`fuzz::set_page`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::set_page(bytes);
});
