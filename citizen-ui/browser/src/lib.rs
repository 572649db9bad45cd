//! The browser's program: it proves the page that the browser shows ([`citizen_ui::pages::proved`]), as WebAssembly.
//!
//! `cargo xtask` builds it for `wasm32-unknown-unknown`. The boot script (`citizen-ui/assets/boot.js`) loads it, checks
//! that it is the program of this build, and calls [`prove_page`]. The script also says so on the page when the program
//! is missing, stops or does not finish; then the page keeps a verdict that is not green.
//!
//! | Module | |
//! | --- | --- |
//! | [`dom`] | reads the document as elements, and builds a document of elements |
//! | [`run`] | the course: read, ask, check, show, watch |
//! | [`storage`] | what the device remembers |

mod dom;
mod run;
mod storage;

use std::sync::atomic::{AtomicBool, Ordering};

use wasm_bindgen::prelude::wasm_bindgen;

/// Set by a panic. A program that has panicked shows nothing any more.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Proves the page and shows the verdict. Ends when the verdict is shown; the page is watched after that.
#[wasm_bindgen]
pub async fn prove_page() {
    std::panic::set_hook(Box::new(|panic| {
        PANICKED.store(true, Ordering::Relaxed);
        // The message could contain a record, so only the place is reported.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        web_sys::console::error_1(&format!("the program has stopped at {place}").into());
    }));
    run::run().await;
}

/// Whether the program has panicked.
pub(crate) fn has_panicked() -> bool {
    PANICKED.load(Ordering::Relaxed)
}
