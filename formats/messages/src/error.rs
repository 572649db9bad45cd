//! The error of messages.

use record::random::RandomnessError;

use crate::seal::SealError;
use crate::xnachweis::XmlError;

/// Why a message is not accepted. No variant carries any content of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The bytes are not the message's deterministic CBOR.
    #[error("not a well-formed message: {0}")]
    Malformed(&'static str),
    /// A signature does not verify under the key given.
    #[error("the signature of {0} does not verify")]
    Signature(&'static str),
    /// The message is too old, or from the future.
    #[error("the message is outside its time of validity")]
    Expired,
    /// Two parts of the message contradict each other.
    #[error("the parts of the message do not belong together: {0}")]
    Mismatch(&'static str),
    /// A sealed part could not be opened or made.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The XNachweis message does not have the required form.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

impl From<RandomnessError> for MessageError {
    fn from(error: RandomnessError) -> Self {
        Self::Seal(error.into())
    }
}
