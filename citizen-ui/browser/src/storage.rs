//! What the device remembers, in the browser's storage for this address. A browser that stores nothing is a device that
//! sees the log for the first time, each time.

use citizen_ui::proof::device::Memory;

use crate::dom::window;

const KEY: &str = "einsicht";
/// The size of the log in it, for the script, which asks for the proof before the program is there.
const SIZE_KEY: &str = "einsicht-groesse";

/// What the device remembers.
pub(crate) fn load() -> Option<Memory> {
    Memory::parse(&storage()?.get_item(KEY).ok()??)
}

/// Remembers.
pub(crate) fn store(memory: &Memory) {
    if let Some(storage) = storage() {
        // A full or locked storage is like none.
        let _ = storage.set_item(KEY, &memory.to_text());
        let _ = storage.set_item(SIZE_KEY, &memory.size.to_string());
    }
}

/// Forgets everything.
pub(crate) fn forget() {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(KEY);
        let _ = storage.remove_item(SIZE_KEY);
    }
}

fn storage() -> Option<web_sys::Storage> {
    window()?.local_storage().ok()?
}
