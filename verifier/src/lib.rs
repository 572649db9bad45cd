//! The independent verifier. It shares formats (`tlog`, `record`) with the ledger, and no code of it.
//!
//! | module | what it proves | needs |
//! | --- | --- | --- |
//! | [`opening`] | one disclosed entry: in the log, of this person, with this content | nothing: pure, also in the browser |
//! | [`bundle`] | all entries of one person, and that these are all | the same |
//! | [`audit`] | a whole log: every byte accounted for | feature `cli` |
//! | [`witness`] | serves the C2SP witness protocol: no fork is cosigned | feature `cli` |
//!
//! The trust comes from outside of every server: a policy file (log key, witnesses, quorum) and the genesis hash. What a
//! server says about itself is never a reason to believe it.
//!
//! Without default features the crate has no I/O, no clock and no randomness, and compiles to `wasm32-unknown-unknown`;
//! the portal's page, the portal's server and the command line run the same [`opening::Opening::verify`] and
//! [`bundle::Bundle::verify`].

pub mod bundle;
pub mod opening;

#[cfg(feature = "cli")]
pub mod audit;
#[cfg(feature = "cli")]
pub mod witness;
