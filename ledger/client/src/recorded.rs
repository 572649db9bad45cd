//! [`Recorded<K>`]: the proof, as a type, that the log has an entry of kind `K`. Only [`check`] makes one; the
//! writer's answers pass through the same checks.
//!
//! Checked are the log's signature under the policy, the inclusion proof of the exact bytes, the entry's form, its
//! kind, its writer's signature, and the writer's right to this kind in the directory in force at its index. *Not*
//! checked are the witnesses' quorum ([`Recorded::quorum`] returns it; see [`crate::checkpoints`]) and that this log is
//! the one of the genesis hash. For the latter the policy's log key vouches, and [`crate::anchor`] has checked entry 0
//! under the same key.

use std::marker::PhantomData;

use record::{Entry, Kind, Receipt, SignedEntry, WriterId};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use trust::History;

use crate::trust::Trust;

mod sealed {
    pub trait Sealed {}
}

/// A kind of entry, as a type.
pub trait EntryKind: sealed::Sealed + Send + Sync + 'static {
    /// The kind as a value.
    const KIND: Kind;
}

macro_rules! kinds {
    ($($name:ident)*) => {$(
        #[doc = concat!("Entries of kind [`Kind::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl sealed::Sealed for $name {}

        impl EntryKind for $name {
            const KIND: Kind = Kind::$name;
        }
    )*};
}

kinds! {
    Genesis Directory Registry Period Map Intent Outcome Denial Preview Void Lost Inspection Hold HoldRelease Rectification
    Erasure
}

/// Why a receipt is not accepted. None is retryable with the same bytes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReceiptError {
    /// The bytes are not a receipt, or the proof is not valid.
    #[error("the receipt is not valid: {0}")]
    Unproved(String),
    /// The writer's signature is not valid, or the writer has no right to this kind.
    #[error("the entry's writer: {0}")]
    Writer(String),
    /// The entry is of another kind.
    #[error("the receipt is for an entry of kind {found:?}, not {expected:?}")]
    Kind {
        /// The expected kind.
        expected: Kind,
        /// The entry's kind.
        found: Kind,
    },
    /// The entry is by another writer than the expected one.
    #[error("the entry was not written by the expected writer")]
    OtherWriter,
}

/// An entry of any kind with the proof that it is in the log.
#[derive(Debug, Clone)]
pub(crate) struct Proved {
    pub(crate) entry: SignedEntry,
    pub(crate) index: Index,
    checkpoint: Checkpoint,
    quorum: bool,
    receipt: Vec<u8>,
}

/// Checks a receipt for an entry of any kind.
pub(crate) fn prove(receipt: Vec<u8>, trust: &Trust, history: &History) -> Result<Proved, ReceiptError> {
    let unproved = |error: &dyn std::fmt::Display| ReceiptError::Unproved(error.to_string());
    let parsed = Receipt::parse(&receipt).map_err(|error| unproved(&error))?;
    let verified = parsed.verify(&trust.policy).map_err(|error| unproved(&error))?;
    history
        .check_writer_at(verified.entry(), verified.index())
        .map_err(|error| ReceiptError::Writer(error.to_string()))?;
    Ok(Proved {
        entry: verified.entry().clone(),
        index: verified.index(),
        checkpoint: verified.checkpoint().clone(),
        quorum: verified.quorum(),
        receipt,
    })
}

/// The proof that the log has an entry of kind `K`.
///
/// Other modules cannot make one, so that code that needs one cannot be reached without a receipt:
///
/// ```compile_fail
/// use ledger_client::recorded::{Intent, Recorded};
///
/// fn forward(_: &Recorded<Intent>) {}
///
/// // There is no constructor, no public field and no default to write here.
/// forward(&Recorded { ..Default::default() });
/// ```
///
/// A proof of one kind is not a proof of another kind:
///
/// ```compile_fail,E0308
/// use ledger_client::recorded::{Intent, Outcome, Recorded};
///
/// fn release(_: &Recorded<Outcome>) {}
///
/// fn closed(intent: &Recorded<Intent>) {
///     release(intent);
/// }
/// ```
pub struct Recorded<K> {
    proved: Proved,
    kind: PhantomData<fn() -> K>,
}

/// Checks a receipt. The only way to make a [`Recorded`].
///
/// # Errors
/// [`ReceiptError`]; checking the same bytes again gives the same error.
pub fn check<K: EntryKind>(receipt: &[u8], trust: &Trust, history: &History) -> Result<Recorded<K>, ReceiptError> {
    Recorded::of(prove(receipt.to_vec(), trust, history)?)
}

/// As [`check`], for an entry that must be by `writer`.
///
/// # Errors
/// [`ReceiptError`]; checking the same bytes again gives the same error.
pub fn check_written_by<K: EntryKind>(
    receipt: &[u8],
    trust: &Trust,
    history: &History,
    writer: &WriterId,
) -> Result<Recorded<K>, ReceiptError> {
    let recorded = check::<K>(receipt, trust, history)?;
    if recorded.entry().writer == *writer {
        Ok(recorded)
    } else {
        Err(ReceiptError::OtherWriter)
    }
}

impl<K: EntryKind> Recorded<K> {
    pub(crate) fn of(proved: Proved) -> Result<Self, ReceiptError> {
        let found = proved.entry.entry().body.kind();
        if found == K::KIND {
            Ok(Self {
                proved,
                kind: PhantomData,
            })
        } else {
            Err(ReceiptError::Kind {
                expected: K::KIND,
                found,
            })
        }
    }
}

impl<K> Recorded<K> {
    /// The entry.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        self.proved.entry.entry()
    }

    /// The entry with its signature and its bytes.
    #[must_use]
    pub const fn signed_entry(&self) -> &SignedEntry {
        &self.proved.entry
    }

    /// The entry's index in the log.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.proved.index
    }

    /// The bytes of the receipt.
    #[must_use]
    pub fn receipt_bytes(&self) -> &[u8] {
        &self.proved.receipt
    }

    /// The tree head of the receipt's proof, which the caller relies upon ([`crate::CheckpointWatch::rely`]).
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.proved.checkpoint
    }

    /// Whether the policy's quorum has cosigned that tree head.
    #[must_use]
    pub const fn quorum(&self) -> bool {
        self.proved.quorum
    }
}

impl<K> Clone for Recorded<K> {
    fn clone(&self) -> Self {
        Self {
            proved: self.proved.clone(),
            kind: PhantomData,
        }
    }
}

impl<K: EntryKind> std::fmt::Debug for Recorded<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorded({:?} at {})", K::KIND, self.proved.index)
    }
}
