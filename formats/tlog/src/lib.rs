//! The wire formats of transparency logs: pure functions over bytes, one module per specification.
//!
//! | module | specification |
//! | --- | --- |
//! | [`merkle`] | RFC 6962 §2.1 (= RFC 9162 §2.1), draft-ietf-plants-merkle-tree-certs §4: tree, proofs, subtrees |
//! | [`note`] | c2sp.org/signed-note: text with signature lines, verifier keys, private key text |
//! | [`checkpoint`] | c2sp.org/tlog-checkpoint: origin, size, root |
//! | [`cosignature`] | c2sp.org/tlog-cosignature: Ed25519 `cosignature/v1`, ML-DSA-44 `subtree/v1` |
//! | [`policy`] | c2sp.org/tlog-policy: which logs and which quorum of witnesses are trusted |
//! | [`proof`] | c2sp.org/tlog-proof: the receipt file |
//! | [`tile`] | c2sp.org/tlog-tiles: paths, tiles, entry bundles, authenticated reading |
//! | [`witness`] | c2sp.org/tlog-witness: `add-checkpoint` |
//! | [`log_list`] | the witness network's `logs/v0` list |
//! | [`map`] | the Merkle prefix tree (MPT) of label → entry |
//! | [`vrf`] | c2sp.org/vrf-r255 |
//!
//! The crate has no I/O, no clock and no randomness: times and seeds are arguments, and storage is a trait
//! ([`merkle::HashReader`], [`tile::TileSource`]). It compiles to `wasm32-unknown-unknown`, so the browser runs the
//! same checks as the server.
//!
//! # Two rules
//!
//! * A parser accepts exactly what its emitter writes: no leading zeros, no upper-case hex, no stray bits in base64, no
//!   trailing bytes. Accepted input re-encodes to the same bytes.
//! * A type that means "verified" ([`checkpoint::SignedCheckpoint`], [`note::VerifiedNote`], [`policy::PolicyVerdict`],
//!   [`proof::Verified`]) has no constructor other than the function that verifies.

pub mod checkpoint;
pub mod cosignature;
pub mod encoding;
pub mod hash;
pub mod log_list;
pub mod map;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tile;
pub mod vrf;
pub mod witness;

pub use hash::Hash;
