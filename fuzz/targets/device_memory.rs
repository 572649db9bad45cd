//! See [`fuzz::device_memory`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::device_memory(bytes);
});
