//! The browser's program: the islands of [`citizen_ui`], with the code that verifies proofs, as WebAssembly.
//!
//! `cargo xtask` builds it for `wasm32-unknown-unknown`. The boot script (`citizen-ui/assets/islands.js`) calls
//! [`hydrate`] and passes each `<leptos-island>` element to the function that the element names. If the program fails,
//! the page stays as the server rendered it, which never shows "checked in your browser".

// Without this re-export, the linker would drop the functions that `#[island]` exports.
pub use citizen_ui::islands::*;

use wasm_bindgen::prelude::wasm_bindgen;

/// Sets up the reactive system for the islands. Must be called before the function of any island.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
