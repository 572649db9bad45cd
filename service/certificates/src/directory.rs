//! The directory that a process follows.

use std::sync::Arc;

use trust::History;

/// Where a process finds the newest directory. Most follow the log; the ledger has it in its own store.
pub trait FollowedDirectory: Send + Sync + 'static {
    /// The newest version that the process knows, with all earlier ones. `None` while the log has no directory.
    fn newest(&self) -> Option<Arc<History>>;

    /// The same, if it is certain that no newer version has been in force for long.
    ///
    /// # Errors
    /// Why it is not certain, for the operator.
    fn confirmed(&self) -> Result<Arc<History>, String>;
}
