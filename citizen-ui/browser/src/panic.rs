//! A program that has panicked shows nothing any more. The boot script sees the trap and says so on the page.

use std::sync::atomic::{AtomicBool, Ordering};

static PANICKED: AtomicBool = AtomicBool::new(false);

/// Notes panics and reports their place in the console. The message could contain a record, so it is left out.
pub(crate) fn watch() {
    std::panic::set_hook(Box::new(|panic| {
        PANICKED.store(true, Ordering::Relaxed);
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        web_sys::console::error_1(&format!("the program has stopped at {place}").into());
    }));
}

/// Whether the program has panicked.
pub(crate) fn has_panicked() -> bool {
    PANICKED.load(Ordering::Relaxed)
}
