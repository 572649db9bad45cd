//! Where tests kill the join service ([`service::failpoints`]).

/// A step is checked, and nothing of it is written.
pub(crate) const CHECKED: &str = "join-checked";
/// A step is durable, and not answered.
pub(crate) const KEPT: &str = "join-kept";
/// A certificate is issued, and not sent.
pub(crate) const ISSUED: &str = "join-issued";
