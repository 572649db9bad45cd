//! See [`fuzz::evidence_document`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::evidence_document(bytes);
});
