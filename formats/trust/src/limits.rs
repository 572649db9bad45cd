//! The limits of the formats.
//!
//! A set of [`MAX_OPERATIONS`] values of a thousand bytes, which is a large component or rule, also reaches
//! [`MAX_OPERATION_BYTES`]. A larger change is published as several sets.

/// The most operations of one set.
pub const MAX_OPERATIONS: usize = 1024;
/// The longest document of operations, in bytes.
pub const MAX_OPERATION_BYTES: usize = 1024 * 1024;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = 16 * 1024;
/// The longest certificate of a certificate authority, in bytes.
pub const MAX_CERTIFICATE: usize = 2048;
/// The most certificate authorities that are accepted and do not issue.
pub const MAX_ACCEPTED: usize = 2;
/// The most signatures of a set.
pub const MAX_SIGNATURES: usize = 16;
/// The longest signed header, in bytes. Reason and origin have their own bounds, so every header fits.
pub const MAX_HEADER: usize = 8 * 1024;
/// The longest file with a signed set, in bytes.
pub const MAX_SET: usize = MAX_HEADER + MAX_OPERATION_BYTES;
/// The longest proof of a value, in bytes. The path of a key has at most 256 steps of 34 bytes.
pub const MAX_PROOF: usize = 32 * 1024;
/// The most sets of a page.
pub const MAX_PAGE_SETS: usize = 512;
/// How many bytes of entries and documents a page has at most, unless its first set has more.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// The longest page, in bytes: its sets, and a proof with at most 63 hashes for each.
pub const MAX_PAGE: usize = PAGE_BYTES + MAX_SET + 2 * 1024 * 1024;
/// The longest snapshot, in bytes.
pub const MAX_SNAPSHOT: usize = 64 * 1024 * 1024;
