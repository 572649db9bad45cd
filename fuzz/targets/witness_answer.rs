//! See [`fuzz::witness_answer`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::witness_answer(bytes);
});
