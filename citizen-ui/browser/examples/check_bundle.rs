//! The portal's check of a bundle as a separate WebAssembly program, which `cargo xtask bench completeness` measures in
//! a browser. It calls the same function as the portal's program and is built with the same profile, but fetches and
//! shows nothing.

use citizen_ui::proof::statement;
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
    let mut listed: Vec<Vec<u64>> = listed.split_whitespace().map(access).collect();
    listed.sort_unstable_by(|one, other| other.cmp(one));
    let proved = trust.parse().and_then(|trust| statement::prove(file, &[], &trust));
    proved.map_or(0, |proved| {
        let same = proved.accesses.iter().map(|access| access.indices()).eq(listed);
        if same { proved.claim.exchanges } else { 0 }
    })
}
