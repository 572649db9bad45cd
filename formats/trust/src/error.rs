//! Why bytes are not a change set.

use record::cbor::CborError;
use thiserror::Error;

use crate::key::Key;
use crate::limits::{MAX_HEADER, MAX_OPERATION_BYTES, MAX_OPERATIONS, MAX_SIGNATURES};

/// Why bytes or parts are not a change set. None of these goes away on a retry: the set must be made again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetParseError {
    /// The bytes are not the deterministic CBOR of a change set.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The signed header is longer than [`MAX_HEADER`].
    #[error("the signed header is longer than {MAX_HEADER} bytes")]
    HeaderTooLong,
    /// The header names version 0, which has no set.
    #[error("version 0 is empty and has no change set")]
    EmptyVersion,
    /// There is no signature, or there are too many, or they are not ascending by key id, each key once.
    #[error("a set has 1 to {MAX_SIGNATURES} signatures by distinct authorities, in ascending order")]
    Signatures,
    /// The operations are longer than [`MAX_OPERATION_BYTES`].
    #[error("the operations of the set are longer than {MAX_OPERATION_BYTES} bytes")]
    OperationsTooLong,
    /// There are more operations than [`MAX_OPERATIONS`].
    #[error("the set has more than {MAX_OPERATIONS} operations")]
    TooManyOperations,
    /// The operations are not ascending by key, each key once.
    #[error("the operation on {0} is out of order, or there are two")]
    OperationOrder(Key),
    /// The operations are not those that the header names.
    #[error("the header names other operations")]
    OtherOperations,
}
