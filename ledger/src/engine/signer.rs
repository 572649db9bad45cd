//! Signs checkpoints with one or more keys of the log, each valid for a time.
//!
//! A checkpoint carries one signature line for every key that is valid when it is signed. All keys have the origin as
//! their name (CP-5). A key can therefore be changed without a gap, from A to A and B to B, and a reader who knows
//! either key accepts the checkpoints that both have signed. While no key is valid, nothing is signed and the log
//! stops.
//!
//! A [`NoteKey`] is a key file ([`SignerKey`]) or a key in a hardware security module ([`crate::pkcs11`]). Ed25519 is
//! deterministic, so signing the same head again with the same keys gives the same bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use service::{Clock, SystemClock};
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::merkle::{RangeError, Size};
use tlog::note::{self, KeyError, Note, NoteError, SignatureLine, SignerKey, VerifierKey};

use super::rows::TreeHead;

/// The largest allowed number of keys of one log.
pub const MAX_KEYS: usize = 16;

/// Why a checkpoint cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A key has no valid public key.
    #[error("the log's key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// A key does not sign notes.
    #[error("the log's key does not sign: {0}")]
    Note(#[from] NoteError),
    /// The tree is too large.
    #[error("the tree is too large: {0}")]
    Size(#[from] RangeError),
    /// There is no key, or too many, or two equal ones, or the keys belong to different logs.
    #[error("a log must have 1 to {MAX_KEYS} different keys, all named like its origin")]
    Keys,
    /// Every key is either not yet valid or has expired.
    #[error("no log key is valid now: see `not_before` and `not_after` of `log_keys`")]
    NoneValid,
    /// The module that holds the key failed.
    #[error("the key {key} cannot be used in its module: {reason}")]
    Module {
        /// Name or label of the key.
        key: String,
        /// The error of the module.
        reason: String,
    },
}

/// Signs note texts for one verifier key (Ed25519, type 0x01).
pub trait NoteKey: Send + Sync {
    /// The public key that verifies the signatures.
    fn verifier(&self) -> &VerifierKey;

    /// The signature line for a note text.
    fn sign(&self, text: &str) -> Result<SignatureLine, SignerError>;
}

/// A private key in memory.
struct SoftwareKey {
    key: SignerKey,
    verifier: VerifierKey,
}

impl NoteKey for SoftwareKey {
    fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &str) -> Result<SignatureLine, SignerError> {
        let note = note::sign(text, &[&self.key])?;
        note.signatures.into_iter().next().ok_or(SignerError::NoneValid)
    }
}

/// When a key signs: from `not_before` until before `not_after`, POSIX seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The first second after the validity.
    pub not_after: u64,
}

impl Validity {
    /// Valid at any time.
    pub const ALWAYS: Self = Self {
        not_before: 0,
        not_after: u64::MAX,
    };

    fn holds(self, now: u64) -> bool {
        (self.not_before..self.not_after).contains(&now)
    }
}

/// A key of the log with its validity.
pub struct LogKey {
    key: Box<dyn NoteKey>,
    validity: Validity,
}

impl LogKey {
    /// A key of any kind.
    pub fn new(key: Box<dyn NoteKey>, validity: Validity) -> Self {
        Self { key, validity }
    }

    /// A private key in memory.
    pub fn software(key: SignerKey, validity: Validity) -> Result<Self, SignerError> {
        let verifier = key.verifier_key()?;
        Ok(Self::new(Box::new(SoftwareKey { key, verifier }), validity))
    }
}

/// Signs the checkpoints of one log.
pub struct Signer {
    origin: Origin,
    keys: Vec<LogKey>,
    verifiers: Vec<VerifierKey>,
    clock: Arc<dyn Clock>,
    /// Which keys made the last signatures, one bit each.
    signed: AtomicU64,
}

impl Signer {
    /// A signer with one key that is always valid, for the log whose origin is the key's name.
    pub fn new(key: SignerKey) -> Result<Self, SignerError> {
        Self::of(vec![LogKey::software(key, Validity::ALWAYS)?], SystemClock::shared())
    }

    /// A signer with these keys.
    pub fn of(keys: Vec<LogKey>, clock: Arc<dyn Clock>) -> Result<Self, SignerError> {
        let verifiers: Vec<VerifierKey> = keys.iter().map(|key| key.key.verifier().clone()).collect();
        let first = verifiers.first().ok_or(SignerError::Keys)?;
        let different = |at: usize, key: &VerifierKey| verifiers[..at].iter().all(|other| other.id() != key.id());
        let fit = verifiers
            .iter()
            .enumerate()
            .all(|(at, key)| key.name() == first.name() && different(at, key));
        if !fit || keys.len() > MAX_KEYS {
            return Err(SignerError::Keys);
        }
        Ok(Self {
            origin: Origin::from(first.name()),
            keys,
            verifiers,
            clock,
            signed: AtomicU64::new(0),
        })
    }

    /// The log's origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The public keys of all keys, whether they are valid now or not.
    pub fn verifiers(&self) -> &[VerifierKey] {
        &self.verifiers
    }

    /// Whether the head must be signed again, because the valid keys differ from those that signed last.
    pub fn is_due(&self) -> bool {
        self.signed.load(Ordering::Relaxed) != self.valid()
    }

    /// The keys that are valid now, one bit each.
    fn valid(&self) -> u64 {
        let now = self.clock.now();
        let bits = self.keys.iter().enumerate();
        bits.filter(|(_, key)| key.validity.holds(now))
            .fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// The checkpoint of a durable head, signed by every key that is valid now.
    pub fn sign(&self, head: &TreeHead) -> Result<String, SignerError> {
        let text = Checkpoint::new(self.origin.clone(), Size::new(head.size)?, head.root).to_string();
        let valid = self.valid();
        let signing = self.keys.iter().enumerate().filter(|(at, _)| valid >> at & 1 == 1);
        let signatures: Vec<SignatureLine> = signing.map(|(_, key)| key.key.sign(&text)).collect::<Result<_, _>>()?;
        if signatures.is_empty() {
            return Err(SignerError::NoneValid);
        }
        self.signed.store(valid, Ordering::Relaxed);
        Ok(Note { text, signatures }.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use service::ManualClock;
    use tlog::checkpoint::SignedCheckpoint;
    use tlog::merkle::EMPTY_ROOT;

    const HEAD: TreeHead = TreeHead {
        size: 0,
        root: EMPTY_ROOT,
    };

    fn key(name: &str, seed: u8, not_before: u64, not_after: u64) -> LogKey {
        let key = SignerKey::for_notes(name.parse().unwrap(), &[seed; 32]);
        LogKey::software(key, Validity { not_before, not_after }).unwrap()
    }

    #[test]
    fn cp_5_every_valid_key_signs_and_each_signature_suffices() {
        let clock = ManualClock::new(5);
        let keys = vec![key("log.example", 1, 0, 20), key("log.example", 2, 10, 99)];
        let signer = Signer::of(keys, clock.clone()).unwrap();
        let who = |note: &str| -> Vec<bool> {
            let opened = |key: &VerifierKey| {
                SignedCheckpoint::open(note.as_bytes(), signer.origin(), std::slice::from_ref(key)).is_ok()
            };
            signer.verifiers().iter().map(opened).collect()
        };
        for (now, expected) in [(5, [true, false]), (10, [true, true]), (20, [false, true])] {
            clock.set(now);
            assert!(signer.is_due(), "at {now}");
            assert_eq!(who(&signer.sign(&HEAD).unwrap()), expected, "at {now}");
            assert!(!signer.is_due(), "at {now}");
        }
        clock.set(99);
        assert!(matches!(signer.sign(&HEAD), Err(SignerError::NoneValid)));
    }

    #[test]
    fn sn_9_keys_of_one_log_must_differ_and_share_one_name() {
        let of = |keys| Signer::of(keys, SystemClock::shared()).map(|_| ());
        let cases = [
            vec![],
            vec![key("a.example", 1, 0, 9), key("b.example", 2, 0, 9)],
            vec![key("a.example", 1, 0, 9), key("a.example", 1, 9, 20)],
        ];
        for keys in cases {
            assert!(matches!(of(keys), Err(SignerError::Keys)));
        }
    }
}
