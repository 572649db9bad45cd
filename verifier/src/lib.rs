//! The independent verifier. It shares formats (`formats/*`) with the ledger, and no code of it.
//!
//! | Module | What it proves |
//! | --- | --- |
//! | [`audit`] | a whole log: every byte is accounted for |
//! | [`witness`] | that no fork is cosigned: it serves the C2SP witness protocol |
//!
//! Single receipts, openings and bundles are verified by `proof` and `record`; the command line (`cli`) calls them.
//!
//! The trust comes from outside of every server: a policy file (log key, witnesses, quorum) and the genesis hash. What a
//! server says about itself is never a reason to believe it.

pub mod audit;
pub mod witness;
