//! Keyed digests under a secret that never leaves identity: the broker's token, and the key under which a quota is
//! counted.
//!
//! ```text
//! token = HMAC-SHA256(k, CBOR ["einsicht/token/v1", outcome label, phase 1, class, S1 digest])
//!       ‖ HMAC-SHA256(k, CBOR ["einsicht/token/v1", preview label, phase 2, class, S1 digest])      64 bytes
//! ```
//!
//! Each half authorises the key of its own label on a later day, and nothing else. The token contains no reference to
//! the person, because identity's state maps the label to the person.

use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use record::{Label, Phase, RetentionClass};
use sha2::Sha256;
use tlog::Hash;
use zeroize::Zeroizing;

use crate::state::Labels;

const TOKEN_DOMAIN: &str = "einsicht/token/v1";

/// The MAC key.
#[derive(Clone)]
pub(crate) struct MacKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(…)")
    }
}

impl MacKey {
    pub(crate) fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// The token for the labels of a number.
    pub(crate) fn token(&self, labels: &Labels, class: RetentionClass, s1: &Hash) -> Vec<u8> {
        let half = |phase| {
            self.mac(&message(labels.of(phase), phase, class, s1))
                .finalize()
                .into_bytes()
        };
        [half(Phase::Outcome), half(Phase::Preview)].concat()
    }

    /// Whether `token` authorises the key of this label. Runs in constant time.
    pub(crate) fn verify(&self, token: &[u8], label: &Label, phase: Phase, class: RetentionClass, s1: &Hash) -> bool {
        let half = match (token.split_at_checked(32), phase) {
            (Some((outcome, preview)), Phase::Outcome) if preview.len() == 32 => outcome,
            (Some((_, preview)), Phase::Preview) => preview,
            _ => return false,
        };
        self.mac(&message(label, phase, class, s1)).verify_slice(half).is_ok()
    }

    /// The key under which a quota is counted. `kind` separates persons from queries that match no person.
    pub(crate) fn quota(&self, kind: &str, what: &[u8]) -> [u8; 32] {
        let mut message = kind.as_bytes().to_vec();
        message.push(0);
        message.extend_from_slice(what);
        self.mac(&message).finalize().into_bytes().into()
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        // RFC 2104: a key shorter than a block is padded with zeros.
        let mut block = Key::<Hmac<Sha256>>::default();
        for (place, byte) in block.iter_mut().zip(self.0.iter()) {
            *place = *byte;
        }
        let mut mac = Hmac::<Sha256>::new(&block);
        mac.update(message);
        mac
    }
}

fn message(label: &Label, phase: Phase, class: RetentionClass, s1: &Hash) -> Vec<u8> {
    record::cbor::to_vec(&(TOKEN_DOMAIN, label, phase, class, serde_bytes::Bytes::new(&s1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        Labels {
            intent: Label([1; 32]),
            outcome: Label([2; 32]),
            preview: Label([3; 32]),
        }
    }

    #[test]
    fn a_token_is_good_for_its_labels_only() {
        let key = MacKey::new(Zeroizing::new([7; 32]));
        let (class, s1) = (RetentionClass::IdnrG2y, Hash([9; 32]));
        let token = key.token(&labels(), class, &s1);
        let good = |token: &[u8], label: u8, phase, class, s1: u8| {
            key.verify(token, &Label([label; 32]), phase, class, &Hash([s1; 32]))
        };
        assert!(good(&token, 2, Phase::Outcome, class, 9));
        assert!(good(&token, 3, Phase::Preview, class, 9));
        assert!(!good(&token, 2, Phase::Preview, class, 9));
        assert!(!good(&token, 3, Phase::Outcome, class, 9));
        assert!(!good(&token, 1, Phase::Intent, class, 9));
        assert!(!good(&token, 2, Phase::Outcome, RetentionClass::Eu12m, 9));
        assert!(!good(&token, 2, Phase::Outcome, class, 8));
        for cut in [0, 31, 32, 63] {
            assert!(!good(token.get(..cut).unwrap_or_default(), 2, Phase::Outcome, class, 9));
        }
        let other = MacKey::new(Zeroizing::new([8; 32]));
        assert!(!other.verify(&token, &Label([2; 32]), Phase::Outcome, class, &s1));
    }

    #[test]
    fn quotas_of_persons_and_queries_do_not_meet() {
        let key = MacKey::new(Zeroizing::new([7; 32]));
        assert_ne!(key.quota("person", b"1"), key.quota("query", b"1"));
        assert_ne!(key.quota("person", b"1"), key.quota("person", b"2"));
        assert_eq!(key.quota("person", b"1"), key.quota("person", b"1"));
    }
}
