//! The portal's check of a bundle as a separate WebAssembly program, which `cargo xtask bench completeness` measures in
//! a browser. It calls the same function as the portal's program and is built with the same profile, but fetches and
//! renders nothing.

use citizen_ui::proof::complete;
use citizen_ui::proof::verify::TrustText;
use wasm_bindgen::prelude::wasm_bindgen;

/// Verifies a bundle file and compares it with `listed`, the entries of each listed access: log indices separated by
/// commas, and accesses by spaces.
///
/// `policy` is the text of the policy file, and `genesis` the leaf hash of entry 0 in 64 hexadecimal digits. Returns
/// how many exchanges the bundle proves to be all; 0 if it does not verify or the list differs.
#[wasm_bindgen]
pub fn check_bundle(file: &[u8], listed: &str, policy: &str, genesis: &str) -> usize {
    let trust = TrustText {
        policy: policy.to_owned(),
        genesis: genesis.to_owned(),
    };
    let access = |text: &str| text.split(',').filter_map(|index| index.parse().ok()).collect();
    let listed: Vec<Vec<u64>> = listed.split_whitespace().map(access).collect();
    let claim = trust.parse().and_then(|trust| complete::check(file, &listed, &trust));
    claim.map_or(0, |claim| claim.exchanges)
}
