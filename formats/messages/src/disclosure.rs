//! Cockpit ↔ identity: a citizen's own labels and keys, for one session.
//!
//! Identity verifies the ID token itself, writes the `inspection` entry, and only then answers. Nothing of the answer may
//! be stored or logged; `Debug` shows nothing of it.

use proof::bundle::CompletenessProof;
use record::{Idnr, Kind, PartKey, Period, Phase, Series};
use serde::{Deserialize, Serialize};

/// Portal → identity, `POST /disclosures` with a bearer credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureRequest {
    /// The OpenID Connect ID token of this login (compact JWS).
    pub id_token: String,
    /// The nonce the portal gave for this login.
    pub nonce: String,
}

impl std::fmt::Debug for DisclosureRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisclosureRequest(redacted)")
    }
}

/// Identity → portal: everything recorded about the person that logged in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The person's IDNr.
    pub idnr: Idnr,
    /// The person's name, to greet with.
    pub display_name: String,
    /// Receipt of the `inspection` entry of this look.
    #[serde(with = "record::bytes")]
    pub inspection_receipt: Vec<u8>,
    /// Log-signed checkpoint as of which the list is made.
    #[serde(with = "record::bytes")]
    pub checkpoint: Vec<u8>,
    /// The periods the entries belong to.
    pub periods: Vec<PeriodInfo>,
    /// The entries, newest last.
    pub entries: Vec<DisclosedEntry>,
    /// The proof that these are all, but for those after its `map` entry; none while the witnesses have not cosigned any.
    /// What the entries say is not in it: identity knows no records.
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
    /// Receipt of its begin.
    #[serde(with = "record::bytes")]
    pub begin_receipt: Vec<u8>,
}

/// One entry about the person, with what is needed to open and to prove it.
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
    /// Which of the number's labels it bears.
    pub phase: Phase,
    /// VRF proof of the label.
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
    /// The keys of its record: one pair, or some of which one opens it when identity does not know the record's day any more. None
    /// when its expiry day has passed: they are destroyed.
    pub keys: Vec<EntryKeys>,
}

/// The keys of the two parts of a record that a citizen may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryKeys {
    /// Of the part for both parties, citizen and supervision.
    pub shared: PartKey,
    /// Of the citizen's part.
    pub citizen: PartKey,
}

impl std::fmt::Debug for DisclosedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisclosedEntry(redacted)")
    }
}
