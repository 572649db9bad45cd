//! See [`fuzz::certificate_request`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::certificate_request(bytes);
});
