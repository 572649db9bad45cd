//! Both sides of the witness protocol (c2sp.org/tlog-witness): `POST <submission prefix>/add-checkpoint`.
//!
//! ```text
//! body = "old " size LF *63( base64(hash) LF ) LF checkpoint
//! ```
//!
//! The server's steps, in the order of the specification:
//!
//! 1. malformed, over 63 hashes, a bad number → 400 ([`AddCheckpoint::parse`])
//! 2. unknown origin → 404
//! 3. no signature of a known key of that log, or one that fails → 403; unknown keys are ignored
//! 4. old > size → 400
//! 5. old ≠ the size cosigned last (0 at first) → 409 with that size as `text/x.tlog.size`
//! 6. size 0 with another root than SHA-256("") → 422
//! 7. old = 0: empty proof; old = size: the same root; otherwise a consistency proof; failing → 422
//! 8. compare and store atomically, *then* answer 200 with cosignature lines
//!
//! [`decide`] performs steps 2 to 7. The caller performs step 8: it must compare the stored size again in the
//! transaction that stores the new one (WI-1). Otherwise two concurrent requests could roll the witness back.
//!
//! A client classifies answers as *cosigned*, *resync*, *retry*, *refused* and *alarm* ([`WitnessAnswer`]), because the
//! status codes differ between generations of witnesses. It sends only the log's own signature lines: with collected
//! cosignatures the body would become too long.

use core::fmt;

use crate::Hash;
use crate::checkpoint::{Checkpoint, CheckpointError, Origin, SignedCheckpoint};
use crate::encoding;
use crate::merkle::{self, EMPTY_ROOT, MAX_PROOF, Size};
use crate::note::{Note, SignatureLine, VerifierKey};

/// The most bytes of a request that a server needs to read: the largest limit among known witnesses.
pub const MAX_REQUEST: usize = 128 * 1024;

/// Content type of a 409 answer.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that, as far as the log knows, the witness has cosigned last.
    pub old: Size,
    /// Consistency proof from `old` to the checkpoint.
    pub proof: Vec<Hash>,
    /// The log's signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// Parses a request, including the checkpoint's form (step 1). `Display` writes the same bytes.
    ///
    /// # Errors
    /// [`WitnessRefusal::Malformed`] when the bytes are not a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessRefusal> {
        Self::try_parse(bytes).ok_or(WitnessRefusal::Malformed)
    }

    fn try_parse(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = encoding::from_decimal(lines.next()?.strip_prefix("old ")?).ok()?;
        let proof: Result<Vec<Hash>, _> = lines.take(MAX_PROOF + 1).map(Hash::from_base64).collect();
        let request = Self {
            old: Size::new(old).ok()?,
            proof: proof.ok()?,
            checkpoint: checkpoint.to_owned(),
        };
        request.head().ok()?;
        (request.proof.len() <= MAX_PROOF).then_some(request)
    }

    /// Parses the checkpoint without verifying it, so that the caller can find the log by its origin.
    ///
    /// # Errors
    /// [`CheckpointError`] when the text is not a checkpoint.
    pub fn head(&self) -> Result<Checkpoint, CheckpointError> {
        Note::parse(self.checkpoint.as_bytes())?.text.parse()
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A log that a witness knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLog {
    /// The log's origin.
    pub origin: Origin,
    /// The log's keys; a signature by one of them is enough.
    pub keys: Vec<VerifierKey>,
}

/// Why a witness refuses to cosign. The numbers are those of the steps in the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// Step 1: the bytes are not a request.
    #[error("the request is malformed")]
    Malformed,
    /// Step 2: the witness does not know the origin.
    #[error("the log is not known to this witness")]
    UnknownLog,
    /// Step 3: no known key of the log has signed, or a signature does not verify.
    #[error("the checkpoint is not signed by the log: {0}")]
    NotSigned(CheckpointError),
    /// Step 4: the old size is larger than the checkpoint's.
    #[error("the old size is larger than the checkpoint's")]
    OldBeyondSize,
    /// Step 5: the witness has cosigned another size last.
    #[error("the witness has cosigned the size {0} last")]
    OtherSize(Size),
    /// Steps 6 and 7: the trees are not consistent. When the log has signed both checkpoints, this is evidence of a
    /// fork, and the witness must keep both (WI-2).
    #[error("the checkpoint is not consistent with the one cosigned last")]
    Inconsistent,
}

impl WitnessRefusal {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed | Self::OldBeyondSize => 400,
            Self::NotSigned(_) => 403,
            Self::UnknownLog => 404,
            Self::OtherSize(_) => 409,
            Self::Inconsistent => 422,
        }
    }

    /// The body, of type [`SIZE_CONTENT_TYPE`] for 409 and plain text for the others.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::OtherSize(size) => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }
}

/// The result of [`decide`]: the checkpoint to store and then to cosign, or the reason for refusing.
pub type Decision = Result<SignedCheckpoint, WitnessRefusal>;

/// Decides on a request (steps 2 to 7). `log` is the witness's entry for the request's origin, `stored` the size and
/// root that it has cosigned last.
///
/// # Errors
/// [`WitnessRefusal`] when the witness must not cosign.
pub fn decide(log: Option<&KnownLog>, stored: Option<(Size, Hash)>, request: &AddCheckpoint) -> Decision {
    let head = request.head().map_err(|_| WitnessRefusal::Malformed)?;
    // Step 2: a log with the same key but another origin is another log.
    let log = log
        .filter(|log| log.origin == head.origin)
        .ok_or(WitnessRefusal::UnknownLog)?;
    // Step 3.
    let signed = SignedCheckpoint::open(request.checkpoint.as_bytes(), &log.origin, &log.keys);
    let signed = signed.map_err(WitnessRefusal::NotSigned)?;
    // Step 4.
    if request.old > head.size {
        return Err(WitnessRefusal::OldBeyondSize);
    }
    // Step 5.
    let (stored_size, stored_root) = stored.unwrap_or((Size::ZERO, EMPTY_ROOT));
    if request.old != stored_size {
        return Err(WitnessRefusal::OtherSize(stored_size));
    }
    // Step 6.
    if head.size == Size::ZERO && head.root != EMPTY_ROOT {
        return Err(WitnessRefusal::Inconsistent);
    }
    // Step 7.
    merkle::verify_consistency(request.old, &stored_root, head.size, &head.root, &request.proof)
        .map_err(|_| WitnessRefusal::Inconsistent)?;
    Ok(signed)
}

/// A witness's answer, classified by what the log has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// 200: unverified cosignature lines. The caller ignores lines of unknown cosigners.
    Cosigned(Vec<SignatureLine>),
    /// 409 with a size: send the request again with a proof from this size.
    Resync(Size),
    /// 429 and 5xx: try again later.
    Retry,
    /// Any other status, or 200 without cosignature lines: the witness refuses the request or does not know the log. An
    /// operator must investigate, but this is no sign of a fork.
    Refused(u16),
    /// 422, or 409 without a size: the witness claims to have seen another tree. Stop; an operator must investigate.
    Alarm(u16),
}

impl WitnessAnswer {
    /// Classifies an HTTP answer.
    #[must_use]
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let text = str::from_utf8(body).unwrap_or_default();
        match status {
            200 => SignatureLine::parse_block(text).map_or(Self::Refused(status), Self::Cosigned),
            409 => parse_size(text).map_or(Self::Alarm(status), Self::Resync),
            422 => Self::Alarm(status),
            429 | 500..=599 => Self::Retry,
            other => Self::Refused(other),
        }
    }
}

fn parse_size(text: &str) -> Option<Size> {
    let size = encoding::from_decimal(text.strip_suffix('\n').unwrap_or(text)).ok()?;
    Size::new(size).ok()
}

/// Path, below a witness's monitoring prefix, of the latest checkpoint of a log that the witness has cosigned.
#[must_use]
pub fn monitoring_path(origin: &Origin) -> String {
    format!("{}/checkpoint", origin.hash())
}
