//! Who must have signed a change set, judged by the audit's own code.
//!
//! Every signature must be by an authority in force before the set that may sign its kind, and be valid over the
//! header; and as many distinct authorities as the threshold in force says must have signed.

use std::collections::{BTreeMap, BTreeSet};

use record::{GenesisDocument, VerifyingKey, WriterId};
use trust::{CONTEXT, Section, SignedHeader, Threshold, TrustKind, TrustMap, Value};

/// The authorities in force, and how many of them must sign.
#[derive(Clone, Debug)]
pub(crate) struct Authorities {
    keys: BTreeMap<WriterId, (VerifyingKey, BTreeSet<TrustKind>)>,
    threshold: usize,
}

impl Authorities {
    /// The authorities of the genesis document, who may sign both kinds.
    ///
    /// # Errors
    /// A sentence, if not as many can sign as must.
    pub(crate) fn of_genesis(document: &GenesisDocument) -> Result<Self, String> {
        let signs = BTreeSet::from(TrustKind::ALL);
        let keys = document.authorities.iter();
        let keys: BTreeMap<_, _> = keys.map(|key| (key.id(), (*key, signs.clone()))).collect();
        let threshold = Threshold::new(document.threshold).map_err(|error| error.to_string())?;
        if keys.len() < threshold.get() {
            return Err(format!(
                "{} authorities are named, of which {} must sign",
                keys.len(),
                threshold.get()
            ));
        }
        Ok(Self {
            keys,
            threshold: threshold.get(),
        })
    }

    /// The authorities of a version of the directory; `None` if it says not how many must sign.
    pub(crate) fn of_directory(directory: &TrustMap) -> Option<Self> {
        let threshold = directory.section(Section::Threshold).find_map(|value| match value {
            Value::Threshold(threshold) => Some(threshold.get()),
            _ => None,
        })?;
        let authorities = directory.section(Section::Authority).filter_map(|value| match value {
            Value::Authority(authority) => Some((authority.key.id(), (authority.key, authority.signs.clone()))),
            _ => None,
        });
        Some(Self {
            keys: authorities.collect(),
            threshold,
        })
    }

    /// Checks the signatures of a set.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn check(&self, signed: &SignedHeader) -> Result<(), String> {
        let (kind, message) = (signed.header().kind, signed.header().to_bytes());
        let mut signers = BTreeSet::new();
        for signature in signed.signatures() {
            let id = signature.authority;
            let key = match self.keys.get(&id) {
                Some((key, signs)) if signs.contains(&kind) => key,
                _ => return Err(format!("its signer {id} is no authority for the {kind} before it")),
            };
            if key.verify_context(CONTEXT, &message, &signature.signature).is_err() {
                return Err(format!("the signature of the authority {id} is wrong"));
            }
            signers.insert(id);
        }
        if signers.len() < self.threshold {
            return Err(format!(
                "{} authorities have signed it, and {} must",
                signers.len(),
                self.threshold
            ));
        }
        Ok(())
    }
}
