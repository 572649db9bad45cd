//! See [`fuzz::tile_path`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz::tile_path(bytes);
});
