//! The proof of one access: its opening files checked, put together and compared with what was asked for.
//!
//! The same steps on the server and in the browser: (1) parse each file, (2) [`proof::opening`] proves inclusion under the
//! policy, the log's beginning, the writer's right, the commitment, the record and whose it is, (3) the entries are those that
//! the row names, (4) they fit together ([`Access::of`]), (5) the text made from them is the one shown ([`compare`]).

use proof::opening::{Anchor, Opening, Proved, ProvedAnchor};
use record::{Body, Receipt};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::policy::Policy;

use crate::proof::access::{Access, EntryStamp, OpenedEntry};

/// What a proof is checked against: it comes from outside the server where that matters (`verifier verify`), and from the page
/// where the browser checks on its own.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Log key, witnesses, quorum.
    pub policy: Policy,
    /// Leaf hash of entry 0.
    pub genesis: Hash,
}

/// The text form of a [`Trust`], as islands and configuration carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustText {
    /// The policy file's text (c2sp.org/tlog-policy).
    pub policy: String,
    /// 64 hexadecimal digits.
    pub genesis: String,
}

impl TrustText {
    /// Parses both parts.
    ///
    /// # Errors
    /// [`Failure::Form`] if one is not of its form.
    pub fn parse(&self) -> Result<Trust, Failure> {
        Ok(Trust {
            policy: Policy::parse(self.policy.as_bytes()).map_err(|_| Failure::Form)?,
            genesis: self.genesis.parse().map_err(|_| Failure::Form)?,
        })
    }
}

/// Why an access is not proved. Each variant has words of its own for the citizen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// The proof could not be loaded.
    #[error("the proof could not be loaded")]
    Load,
    /// The proof is not of its form.
    #[error("the proof is not of its form")]
    Form,
    /// A signature, hash, key or proof does not fit.
    #[error("the proof does not fit the log")]
    Proof,
    /// It proves other entries, or entries that do not belong together.
    #[error("the proof belongs to another entry")]
    Entry,
    /// The witnesses' quorum has not confirmed it.
    #[error("the witnesses have not confirmed it")]
    Witnesses,
    /// The page shows something else.
    #[error("what is shown is not what is proved")]
    Shown,
    /// Something is left out that stands in the log.
    #[error("an entry that stands in the log is left out")]
    Hidden,
}

/// An access whose entries are proved.
#[derive(Clone, Debug)]
pub struct VerifiedAccess {
    /// The access.
    pub access: Access,
    /// Whether the policy's quorum of witnesses has cosigned every checkpoint used.
    pub quorum: bool,
}

/// Proves accesses of one log. Every opening carries the log's beginning (genesis, directory); it is verified once.
#[derive(Debug)]
pub struct AccessVerifier {
    trust: Trust,
    beginning: Option<(Anchor, ProvedAnchor)>,
}

impl AccessVerifier {
    /// Nothing is verified yet.
    pub fn new(trust: Trust) -> Self {
        Self { trust, beginning: None }
    }

    /// Proves the access that consists of the entries `expected`, one opening file each, in the same order.
    ///
    /// # Errors
    /// The first [`Failure`].
    pub fn verify(&mut self, files: &[Vec<u8>], expected: &[u64]) -> Result<VerifiedAccess, Failure> {
        if files.len() != expected.len() {
            return Err(Failure::Entry);
        }
        let mut quorum = true;
        let mut persons = Vec::with_capacity(files.len());
        let mut opened = Vec::with_capacity(files.len());
        for (file, index) in files.iter().zip(expected) {
            let opening = Opening::parse(file).map_err(|_| Failure::Form)?;
            let proved = self.verify_entry(&opening)?;
            if proved.index.get() != *index {
                return Err(Failure::Entry);
            }
            quorum &= proved.quorum;
            // Whose entry it is must be proved, and intent and outcome must bear the same number of the same person.
            persons.push(proved.person.ok_or(Failure::Proof)?);
            opened.push(opened_entry(&opening, proved)?);
        }
        if persons.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(Failure::Entry);
        }
        let access = Access::of(opened).map_err(|_| Failure::Entry)?;
        Ok(VerifiedAccess { access, quorum })
    }

    fn verify_entry(&mut self, opening: &Opening) -> Result<Proved, Failure> {
        // Without the log's beginning neither the genesis hash nor the writer's right would be checked.
        let anchor = opening.anchor.as_ref().ok_or(Failure::Proof)?;
        let beginning = match self.beginning.take() {
            Some((known, proved)) if known == *anchor => (known, proved),
            _ => {
                let proved = anchor.verify(&self.trust.policy, Some(&self.trust.genesis));
                (anchor.clone(), proved.map_err(|_| Failure::Proof)?)
            }
        };
        let proved = opening.verify_under(&self.trust.policy, Some(&beginning.1));
        self.beginning = Some(beginning);
        proved.map_err(|_| Failure::Proof)
    }
}

/// What the page shows against what is proved: the same text, apart from how it is broken into lines.
///
/// # Errors
/// [`Failure::Shown`] at the first difference.
pub fn compare<'a>(
    shown: impl IntoIterator<Item = &'a str>,
    proved: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    let mut shown = shown.into_iter();
    for text in proved {
        if !shown.next().is_some_and(|seen| words(seen).eq(words(text))) {
            return Err(Failure::Shown);
        }
    }
    if shown.next().is_some() {
        Err(Failure::Shown)
    } else {
        Ok(())
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn opened_entry(opening: &Opening, proved: Proved) -> Result<OpenedEntry, Failure> {
    // The receipt has just been verified; what its entry refers to is read from the same bytes.
    let receipt = Receipt::parse(&opening.receipt).map_err(|_| Failure::Form)?;
    let refers = match &receipt.entry().entry().body {
        Body::Labelled { refers, .. } => refers.map(|index| index.get()),
        _ => None,
    };
    Ok(OpenedEntry {
        stamp: EntryStamp {
            index: proved.index.get(),
            time: proved.time.seconds(),
        },
        kind: proved.kind,
        refers,
        shared: proved.shared,
        citizen: proved.citizen,
        expiry: proved.expiry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_do_not_matter_words_do() {
        assert_eq!(compare(["a  b\n c", "d"], ["a b c", "d"]), Ok(()));
        for shown in [
            vec!["a b c"],
            vec!["a b c", "d", "e"],
            vec!["a b", "d"],
            vec!["ab c", "d"],
        ] {
            assert_eq!(compare(shown, ["a b c", "d"]), Err(Failure::Shown));
        }
    }

    #[test]
    fn trust_is_parsed_strictly() {
        let trust = |policy: &str, genesis: &str| {
            TrustText {
                policy: policy.into(),
                genesis: genesis.into(),
            }
            .parse()
        };
        assert_eq!(trust("nonsense", &"0".repeat(64)).err(), Some(Failure::Form));
    }
}
