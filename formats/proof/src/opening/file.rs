//! The file form.

use record::cbor::{self, CborError};
use record::{Idnr, PartKey, Period, Phase, Series};
use serde::{Deserialize, Serialize};

use super::anchor::Anchor;
use super::error::VerifyError;

/// Type string at the head of an opening file.
pub const FORMAT: &str = "einsicht/opening/v1";

/// One disclosed entry with its proofs. `Debug` shows neither keys nor the person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The entry's receipt (tlog-proof with the leaf in `extra`).
    #[serde(with = "record::bytes")]
    pub receipt: Vec<u8>,
    /// The sealed record as the ledger stores it.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of the part for both parties, citizen and supervision; `None` after the record has expired.
    pub shared_key: Option<PartKey>,
    /// Key of the citizen's part.
    pub citizen_key: Option<PartKey>,
    /// Proves that the entry is about a person.
    pub label_proof: Option<LabelProof>,
    /// Proves the writer's right.
    pub anchor: Option<Anchor>,
}

/// Proof that the entry's label belongs to one person. It contains the IDNr, so it is for that person only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelProof {
    /// The person whose label it is.
    pub idnr: Idnr,
    /// Receipt of the period's `begin` entry, which contains the VRF public key.
    #[serde(with = "record::bytes")]
    pub period_begin_receipt: Vec<u8>,
    /// The period of the label.
    pub period: Period,
    /// The series of the label.
    pub series: Series,
    /// The number within the series, from 0.
    pub number: u32,
    /// The phase of the label: intent, outcome or preview.
    pub phase: Phase,
    /// VRF proof (c2sp.org/vrf-r255), 80 bytes.
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
}

impl Opening {
    /// Encodes the file form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(&(FORMAT, self))
    }

    /// Parses the file form.
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
