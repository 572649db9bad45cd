//! Why a proof is refused.

/// Why a proof does not hold. None of these is retryable: the proof or the statement that it should prove is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf, subtree or older tree is outside the tree.
    #[error("the proof is about leaves that the tree does not have")]
    Beyond,
    /// The bounds are not those of a subtree.
    #[error("the range is not a subtree")]
    InvalidSubtree,
    /// The leaves of a batch are not in strictly ascending order.
    #[error("the leaves are not in ascending order, each once")]
    Order,
    /// The proof has too few or too many hashes.
    #[error("the proof has a wrong number of hashes")]
    Length,
    /// The proof does not lead to the hash of the subtree or the older tree.
    #[error("the proof does not lead to the older root")]
    OldRootMismatch,
    /// The proof does not lead to the root.
    #[error("the proof does not lead to the root")]
    RootMismatch,
}
