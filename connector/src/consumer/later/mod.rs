//! Asynchronous exchanges: the register may take up to 30 days.
//!
//! ```text
//! POST   /evidence              202 pending: recorded, and the provider has named a time; later, with the same
//!                               Idempotency-Key and body, the answer
//! GET    /evidence/{exchange}   202 pending, or 200 available: the answer is here
//! DELETE /evidence/{exchange}   200 withdrawn: the authority wants no answer any more
//! ```
//!
//! The caller need not wait. A [`sweep`] asks the broker for the completion, checks it, keeps it and acknowledges it.
//! It cannot open it: the answer key is sealed with the idempotency key ([`table`]). The caller [`collect`]s it with
//! the key; then it is checked once more and opened. If the authority has named a URL, it is called when the answer is
//! here.
//!
//! What was withdrawn is never handed out: what could open it is destroyed before the broker gets the withdrawal. What
//! no caller has collected in a week is destroyed, too. Its key has a 409 `closed`.
//!
//! A permission that demands a preview permits no asynchronous exchange, because a person's login does not last so
//! long.

mod collect;
mod sweep;
pub(crate) mod table;
#[cfg(test)]
mod tests;
