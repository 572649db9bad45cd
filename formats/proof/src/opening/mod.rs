//! The opening: everything that proves one disclosed entry to somebody who trusts no server.
//!
//! ```text
//! file = deterministic CBOR ["einsicht/opening/v1", Opening]
//! ```
//!
//! What [`Opening::verify`] proves, in this order:
//!
//! 1. **Receipt**: the entry stands at its index in a tree whose root the log has signed, and (quorum) the policy's
//!    witnesses have cosigned.
//! 2. **Record**: the sealed record is the one that the entry committed to when it was written.
//! 3. **Content**: the part keys open exactly this record (each part commits to its key), and what it says is of the
//!    entry's kind. Without keys the record must have expired before the witnesses' time: then its keys are destroyed.
//! 4. **Person** (if a [`LabelProof`] is there): the entry's label is the one that the person with this IDNr has for this
//!    period, series and number; nobody, not even identity, could have given it to another person.
//! 5. **Writer** (if an [`Anchor`] is there): the directory, signed by an authority that the log's genesis entry names,
//!    allows this writer to write this kind, and the entry is signed by it. Without an anchor the writer is *not* checked
//!    and [`Proved::anchored`] is `None`: say so. The directory is one that was logged; that no newer one has taken the
//!    right away since is not proved.
//!
//! What it does not prove: that nothing else was recorded ([`crate::bundle`] does), and what happened outside.

mod anchor;
mod verify;

pub use anchor::{Anchor, ProvedAnchor};
pub use verify::{Proved, ProvedPerson, VerifyError};
pub(crate) use verify::{belongs, fits, has_expired};

use record::cbor::{self, CborError};
use record::{Idnr, PartKey, Period, Phase, Series};
use serde::{Deserialize, Serialize};

/// Type string at the head of an opening file.
pub const FORMAT: &str = "einsicht/opening/v1";

/// How much older than the witnesses' time a `map` entry may be that is not the last of its tree, in seconds (design §5.3).
pub const FRESH: u64 = 60;

/// One disclosed entry with its proofs. `Debug` shows no key and no person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The entry's receipt (tlog-proof with the leaf in `extra`).
    #[serde(with = "record::bytes")]
    pub receipt: Vec<u8>,
    /// The sealed record as the ledger stores it.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Opens the part for both parties, citizen and supervision; none once the record has expired.
    pub shared_key: Option<PartKey>,
    /// Opens the citizen's part.
    pub citizen_key: Option<PartKey>,
    /// Proves whose entry it is.
    pub label_proof: Option<LabelProof>,
    /// Proves the writer's right.
    pub anchor: Option<Anchor>,
}

/// Why the entry's label is that of one person. Contains the IDNr: for the person's own eyes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelProof {
    /// Whose label it is.
    pub idnr: Idnr,
    /// Receipt of the period's `begin` entry: its VRF public key.
    #[serde(with = "record::bytes")]
    pub period_begin_receipt: Vec<u8>,
    /// The period of the label.
    pub period: Period,
    /// The row of labels.
    pub series: Series,
    /// The running number in it, from 0.
    pub number: u32,
    /// Intent, outcome or preview.
    pub phase: Phase,
    /// VRF proof (c2sp.org/vrf-r255), 80 bytes.
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
}

impl Opening {
    /// The file form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(&(FORMAT, self))
    }

    /// Reads the file form.
    ///
    /// # Errors
    /// [`VerifyError::Format`] unless the bytes are the canonical encoding of an opening.
    pub fn parse(bytes: &[u8]) -> Result<Opening, VerifyError> {
        let (format, opening): (String, Opening) =
            cbor::from_slice(bytes).map_err(|error: CborError| VerifyError::Format(error.to_string()))?;
        if format == FORMAT {
            Ok(opening)
        } else {
            Err(VerifyError::Format("another type of file".to_owned()))
        }
    }
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening")
            .field("receipt", &self.receipt.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for LabelProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabelProof")
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
