//! The program of the citizen's browser: the islands of [`citizen_ui`] and with them the verifier, as WebAssembly.
//!
//! Built for `wasm32-unknown-unknown` only, by `cargo xtask`. The page's boot script (`citizen-ui/assets/islands.js`) starts
//! [`hydrate`] and hands each `<leptos-island>` to the function named in it. A fault here leaves the page as the server
//! rendered it: nothing ever turns to "in your browser" by accident.

// Links the islands' exported functions into the program.
pub use citizen_ui::islands::*;

use wasm_bindgen::prelude::wasm_bindgen;

/// Prepares the islands' reactive system.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
