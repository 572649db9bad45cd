//! What the portal's page does with a bundle, as a WebAssembly program of its own that `cargo xtask bench completeness` times in a
//! browser: the same function, built with the same profile as the portal's program, without fetching and showing.

use citizen_ui::proof::complete;
use citizen_ui::proof::verify::TrustText;
use wasm_bindgen::prelude::wasm_bindgen;

/// Checks a bundle file against the first entries of the accesses that are listed, a policy's text and the genesis entry's leaf
/// hash (64 hexadecimal digits). Returns how many exchanges are proved to be all; 0 if it does not fit.
#[wasm_bindgen]
pub fn check_bundle(file: &[u8], listed: &[u64], policy: &str, genesis: &str) -> usize {
    let trust = TrustText {
        policy: policy.to_owned(),
        genesis: genesis.to_owned(),
    };
    let claim = trust.parse().and_then(|trust| complete::check(file, listed, &trust));
    claim.map_or(0, |claim| claim.exchanges)
}
