//! The browser's program: it proves the page that the browser shows ([`citizen_ui::pages::proved`]), as WebAssembly.
//!
//! `cargo xtask` builds it for `wasm32-unknown-unknown`. The boot script (`citizen-ui/assets/boot.js`) loads it, checks
//! that it is the program of this build, and calls [`prove_page`]. The script also says so on the page when the program
//! is missing, stops or does not finish; then the page keeps a verdict that is not green.
//!
//! | Module | |
//! | --- | --- |
//! | [`island`] | what public pages prove: a file, the device's memory, an invented list |
//! | [`dom`] | reads the document as elements, and builds a document of elements |
//! | [`panic`] | what a panic leaves |
//! | [`run`] | the course: read, ask, check, show, watch |
//! | [`storage`] | what the device remembers |

mod dom;
mod island;
mod panic;
mod run;
mod storage;

use wasm_bindgen::prelude::wasm_bindgen;

/// Proves the page and shows the verdict. `answer` is the portal's response with the proof, or undefined, for which the
/// script has asked. Ends when the verdict is shown; the page is watched after that.
#[wasm_bindgen]
pub async fn prove_page(answer: js_sys::Promise) {
    panic::watch();
    run::run(answer).await;
}

/// Makes the islands of a public page.
#[wasm_bindgen]
pub async fn build_islands() {
    panic::watch();
    island::build().await;
}
