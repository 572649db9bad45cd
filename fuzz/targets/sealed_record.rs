//! See [`fuzz::sealed_record`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::sealed_record(bytes);
});
