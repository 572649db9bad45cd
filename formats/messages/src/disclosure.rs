//! Citizen portal ↔ identity: a citizen's own labels and keys, for one session.
//!
//! Identity verifies the ID token itself and writes the `inspection` entry before it answers. The portal must neither
//! store nor log any part of the answer; its `Debug` shows nothing.

use proof::bundle::CompletenessProof;
use record::{Idnr, Kind, PartKey, Period, Phase, Series};
use serde::{Deserialize, Serialize};
use text::PartialDate;

/// Portal → identity, `POST /disclosures`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureRequest {
    /// The OpenID Connect ID token of this login (compact JWS).
    pub id_token: String,
    /// The nonce that the portal created for this login.
    pub nonce: String,
}

impl std::fmt::Debug for DisclosureRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisclosureRequest(redacted)")
    }
}

/// Identity → portal: everything that is recorded about the person who logged in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The person's IDNr.
    pub idnr: Idnr,
    /// The person's name, for display.
    pub display_name: String,
    /// The person's date of birth, which a request in their own name needs. `None` for a person who is protected by an
    /// Auskunftssperre: such a request would find nobody.
    pub date_of_birth: Option<PartialDate>,
    /// Receipt of the `inspection` entry of this disclosure.
    #[serde(with = "record::bytes")]
    pub inspection_receipt: Vec<u8>,
    /// Log-signed checkpoint; the list of entries is as of it.
    #[serde(with = "record::bytes")]
    pub checkpoint: Vec<u8>,
    /// The periods the entries belong to.
    pub periods: Vec<PeriodInfo>,
    /// The entries; the newest is last.
    pub entries: Vec<DisclosedEntry>,
    /// The proof that these entries are all up to its `map` entry. `None` while the witnesses have cosigned no
    /// checkpoint with a `map` entry. The content of entries is not in it, because identity has no records.
    pub complete: Option<CompletenessProof<()>>,
}

impl std::fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disclosure(redacted)")
    }
}

/// A period and the proof of its VRF key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodInfo {
    /// The period.
    pub period: Period,
    /// Receipt of its `begin` entry.
    #[serde(with = "record::bytes")]
    pub begin_receipt: Vec<u8>,
}

/// One entry about the person, with what is needed to open and prove it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosedEntry {
    /// Index in the log.
    pub index: u64,
    /// Its kind.
    pub kind: Kind,
    /// Its period.
    pub period: Period,
    /// Its series.
    pub series: Series,
    /// The person's number in this period and series.
    pub number: u32,
    /// The phase that its label is of.
    pub phase: Phase,
    /// VRF proof of the label.
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
    /// The keys of its record. More than one pair, of which one opens the record, when identity has no note of the
    /// record's expiry day any more. Empty when the expiry day has passed, because the keys are destroyed.
    pub keys: Vec<EntryKeys>,
}

/// The keys of the two parts of a record that a citizen may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryKeys {
    /// Key of the part for both parties, citizen and supervision.
    pub shared: PartKey,
    /// Key of the citizen's part.
    pub citizen: PartKey,
}

impl std::fmt::Debug for DisclosedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisclosedEntry(redacted)")
    }
}
