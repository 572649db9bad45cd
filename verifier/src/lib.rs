//! The independent verifier. It shares formats (`formats/*`) with the ledger, and no other code.
//!
//! | Module | What it proves |
//! | --- | --- |
//! | [`audit`] | that a whole log is sound: every byte is accounted for |
//! | [`witness`] | that a log has one history: the C2SP witness protocol cosigns no fork |
//!
//! `proof` and `record` verify single receipts, openings and bundles; the command line (`cli`) calls them.
//!
//! Trust comes from outside of every server: from a policy file (log key, witnesses, quorum) and from the genesis hash.
//! Nothing that a server claims about itself is taken as evidence.

pub mod audit;
pub mod witness;
