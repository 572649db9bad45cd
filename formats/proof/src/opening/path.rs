//! Verifies an [`Anchor`], step by step from the genesis hash.
//!
//! 1. **Genesis**: entry 0 with the expected hash, its document, and the operator's signature.
//! 2. **Versions**, in ascending order: the entry names the header; the header is of this log's directory and signed by
//!    enough authorities of those in force; each value is proved under its root.
//! 3. **Newest**: a `map` entry names the last version's entry as the newest.
//! 4. **Rights**: an interval of indices for each writer whose begin and end are proved.
//! 5. **Writers**: the entries of the versions and the `map` entry were themselves written by writers with the right
//!    to.

use std::collections::BTreeMap;

use record::{Body, DocumentKind, GenesisDocument, Kind, VerifiedReceipt, WriterGrant};
use tlog::Hash;
use tlog::checkpoint::Origin;
use tlog::merkle::Index;
use tlog::policy::Policy;
use trust::{
    Authorities, Authority, ProvedValue, Section, SignedHeader, Threshold, TrustKind, Value, ValueProof, Version,
};

use super::anchor::{Anchor, AnchorVersion, MAX_VALUES, MAX_VERSIONS};
use super::error::{AnchorProblem, VerifyError};
use super::receipt::read_receipt;
use super::rights::{PreparedKeys, ProvedAnchor, Right};

/// The entry with the directory's first change set.
const FIRST_INDEX: u32 = 1;

impl Anchor {
    /// Verifies all receipts, headers and values. `genesis` is the genesis hash, if the caller knows it from elsewhere.
    ///
    /// A missing quorum is not an error: see [`ProvedAnchor::quorum`].
    ///
    /// # Errors
    /// [`VerifyError`] for the first check that fails.
    pub fn verify(&self, policy: &Policy, genesis: Option<&Hash>) -> Result<ProvedAnchor, VerifyError> {
        self.check_size()?;
        let first = read_receipt(&self.genesis_receipt, policy)?;
        let document = self.open_genesis(&first, genesis)?;
        let mut log = LogReader {
            policy,
            origin: &first.checkpoint().origin,
            quorum: first.quorum(),
        };
        let mut path = Path::begin(&document, log.origin)?;
        for version in &self.versions {
            path.add(version, log.read(&version.receipt)?)?;
        }
        let map = log.read(&self.map_receipt)?;
        let mut rights = path.rights(&map)?;
        rights.push(operator(&document, map.index()));
        let proved = ProvedAnchor {
            origin: log.origin.clone(),
            genesis: first.entry().leaf_hash(),
            rights,
            map: map.index(),
            quorum: log.quorum,
            prepared: PreparedKeys::new(),
        };
        let sets = path.versions.values().map(|version| &version.receipt);
        for receipt in sets.chain([&map]) {
            proved.check_writer(receipt.entry(), receipt.index())?;
        }
        Ok(proved)
    }

    fn check_size(&self) -> Result<(), AnchorProblem> {
        let values: usize = self.versions.iter().map(|version| version.values.len()).sum();
        if self.versions.len() > MAX_VERSIONS || values > MAX_VALUES {
            return Err(AnchorProblem::TooMany);
        }
        Ok(())
    }

    /// Checks that the receipt is of entry 0, that the entry has the expected hash and origin, and that the operator
    /// that its document names has signed it.
    fn open_genesis(&self, first: &VerifiedReceipt, genesis: Option<&Hash>) -> Result<GenesisDocument, VerifyError> {
        if first.index().get() != 0 || genesis.is_some_and(|hash| *hash != first.entry().leaf_hash()) {
            return Err(VerifyError::Genesis);
        }
        match &first.entry().entry().body {
            Body::Document { kind, digest }
                if *kind == DocumentKind::Genesis && *digest == Hash::of(&self.genesis_document) => {}
            _ => return Err(VerifyError::Genesis),
        }
        let document = GenesisDocument::parse(&self.genesis_document).map_err(AnchorProblem::Genesis)?;
        let of_this_log = document.origin == first.checkpoint().origin.as_str();
        if of_this_log && first.entry().verify(&document.operator).is_ok() {
            Ok(document)
        } else {
            Err(VerifyError::Genesis)
        }
    }
}

/// The operator's right to write change sets, which no directory can end.
fn operator(genesis: &GenesisDocument, until: Index) -> Right {
    Right {
        grant: WriterGrant {
            name: "operator".into(),
            key: genesis.operator,
            kinds: vec![Kind::Directory, Kind::Registry],
        },
        after: Index::from(0),
        until,
    }
}

/// Reads receipts of one log and notes whether all of them have the quorum.
struct LogReader<'a> {
    policy: &'a Policy,
    origin: &'a Origin,
    quorum: bool,
}

impl LogReader<'_> {
    fn read(&mut self, bytes: &[u8]) -> Result<VerifiedReceipt, VerifyError> {
        let receipt = read_receipt(bytes, self.policy)?;
        if receipt.checkpoint().origin != *self.origin {
            return Err(VerifyError::OtherLog);
        }
        self.quorum &= receipt.quorum();
        Ok(receipt)
    }
}

/// The versions that are verified so far.
struct Path<'a> {
    genesis: &'a GenesisDocument,
    origin: &'a Origin,
    /// The authorities that must have signed the next header.
    authorities: Authorities,
    versions: BTreeMap<Version, LoggedVersion>,
}

/// A version whose header is verified.
struct LoggedVersion {
    receipt: VerifiedReceipt,
    values: Vec<ProvedValue>,
}

impl<'a> Path<'a> {
    fn begin(genesis: &'a GenesisDocument, origin: &'a Origin) -> Result<Self, AnchorProblem> {
        let threshold = Threshold::new(genesis.threshold)?;
        Ok(Self {
            genesis,
            origin,
            authorities: Authorities::genesis(&genesis.authorities, threshold)?,
            versions: BTreeMap::new(),
        })
    }

    /// Verifies the next version: its entry, its header's signatures, and its values.
    fn add(&mut self, version: &AnchorVersion, receipt: VerifiedReceipt) -> Result<(), AnchorProblem> {
        let signed = SignedHeader::parse(&version.header)?;
        self.check_place(&signed, &receipt)?;
        self.authorities.verify(&signed)?;
        let header = signed.header();
        let values = prove(&version.values, &header.root)?;
        if let Some(authorities) = authorities(&values)? {
            self.authorities = authorities;
        }
        let logged = LoggedVersion { receipt, values };
        self.versions.insert(header.version, logged);
        Ok(())
    }

    /// Checks that the entry names the header, that the header is of this log's directory, and that version and entry
    /// come after those before. The first version is the one that the genesis document names.
    fn check_place(&self, signed: &SignedHeader, receipt: &VerifiedReceipt) -> Result<(), AnchorProblem> {
        let (header, digest, index) = (signed.header(), signed.digest(), receipt.index());
        match receipt.entry().entry().body {
            Body::Document { kind, digest: named } if kind == DocumentKind::Directory && named == digest => {}
            _ => return Err(AnchorProblem::OtherHeader),
        }
        if header.kind != TrustKind::Directory || header.origin != *self.origin {
            return Err(AnchorProblem::OtherDirectory);
        }
        match self.versions.last_key_value() {
            None if index != Index::from(FIRST_INDEX) || digest != self.genesis.directory => Err(AnchorProblem::First),
            Some((last, logged)) if *last >= header.version || logged.receipt.index() >= index => {
                Err(AnchorProblem::Order)
            }
            _ => Ok(()),
        }
    }

    /// The writers' rights whose intervals are proved, up to the `map` entry, which must name the last version.
    fn rights(&self, map: &VerifiedReceipt) -> Result<Vec<Right>, AnchorProblem> {
        let Body::Map { newest, .. } = map.entry().entry().body else {
            return Err(AnchorProblem::NoMap);
        };
        let last = self.versions.last_key_value();
        let last = last.filter(|(_, logged)| logged.receipt.index() == newest.directory);
        let (last, _) = last
            .filter(|_| newest.directory < map.index())
            .ok_or(AnchorProblem::NotNewest)?;
        let mut rights = Vec::new();
        for (number, logged) in &self.versions {
            let next = number.next().and_then(|next| self.index_of(next));
            let until = if number == last { Some(map.index()) } else { next };
            for proved in &logged.values {
                let bounds = self.index_of(proved.version).zip(until);
                if let (Value::Writer(grant), Some((after, until))) = (&proved.value, bounds) {
                    let grant = grant.clone();
                    rights.push(Right { grant, after, until });
                }
            }
        }
        Ok(rights)
    }

    fn index_of(&self, version: Version) -> Option<Index> {
        Some(self.versions.get(&version)?.receipt.index())
    }
}

/// Verifies values under the root of their version.
fn prove(values: &[ValueProof], root: &Hash) -> Result<Vec<ProvedValue>, AnchorProblem> {
    if !values.windows(2).all(|pair| pair[0].key() < pair[1].key()) {
        return Err(AnchorProblem::Order);
    }
    let proved = values.iter().map(|proof| {
        let key = proof.key();
        if !matches!(key.section(), Section::Authority | Section::Threshold | Section::Writer) {
            return Err(AnchorProblem::Section(key.clone()));
        }
        let proved = proof.verify_right(key, root)?;
        proved.ok_or_else(|| AnchorProblem::NoValue(key.clone()))
    });
    proved.collect()
}

/// The authorities among the values of a version. A server that left some of them out would only make its later sets
/// unverifiable.
fn authorities(values: &[ProvedValue]) -> Result<Option<Authorities>, AnchorProblem> {
    let mut authorities: Vec<Authority> = Vec::new();
    let mut threshold = None;
    for proved in values {
        match &proved.value {
            Value::Authority(authority) => authorities.push(authority.clone()),
            Value::Threshold(found) => threshold = Some(*found),
            _ => {}
        }
    }
    match threshold {
        Some(threshold) => Ok(Some(Authorities::in_force(&authorities, threshold)?)),
        None if authorities.is_empty() => Ok(None),
        None => Err(AnchorProblem::NoThreshold),
    }
}
