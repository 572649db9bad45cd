//! The files that prove what was recorded, and their verification.
//!
//! | Module | What it proves | Normative form |
//! | --- | --- | --- |
//! | [`opening`] | one disclosed entry: it is in the log, about this person, with this content | `docs/opening.cddl` |
//! | [`bundle`] | all entries of one person, and that there are no others | `docs/bundle.cddl` |
//!
//! The trust root comes from outside of every server: a policy file (log key, witnesses, quorum) and the hash of the
//! genesis entry. No check relies on what a server claims about itself.
//!
//! The crate has no I/O, no clock and no randomness, and it compiles to `wasm32-unknown-unknown`. The portal's page,
//! the portal's server and the verifier's command line run the same [`opening::Opening::verify`] and
//! [`bundle::Bundle::verify`].

pub mod bundle;
pub mod opening;
