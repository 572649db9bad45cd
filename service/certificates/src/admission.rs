//! Checks a request for a certificate.
//!
//! | Check | Against |
//! | --- | --- |
//! | the directory lists the subject, as an active component or as a writer | suspended, retired and invented parties |
//! | the subject's key in the newest directory has signed the request | someone who only knows the subject's name |
//! | it was signed less than [`MAX_SKEW`] seconds ago | recorded requests |
//! | the CSR is signed with the key that it names, a key on P-256 | certifying the key of another party |
//! | the CSR asks for exactly the names that the directory gives to the subject | certificates of others |
//! | its nonce is new | a request that is sent twice |
//!
//! Nonces are kept until their request is too old, at most [`MAX_NONCES`] of them; while there are more, further
//! requests get a retryable refusal. Only requests with a valid signature are kept, so outsiders cannot fill the list.
//! It is lost in a restart. A request that is repeated then gets another certificate for the same key, which is of use
//! to the owner of that key alone.

use record::Timestamp;
use service::nonces::{NonceRefused, Nonces};
use trust::{TrustMap, Version};

use crate::csr::{Csr, CsrError};
use crate::names::{Host, Names};
use crate::request::{CONTEXT, CertificateRequest};
use crate::{BACKDATED, LIFETIME};

/// How far the clocks of requester and issuer may differ, in seconds.
pub const MAX_SKEW: u64 = 60;
/// The most nonces that are kept: two minutes of 500 requests a second.
pub const MAX_NONCES: usize = 1 << 16;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// The requester knows a newer directory. Retryable.
    #[error("the request relies on version {0} of the directory, which is not known here yet: try again")]
    NotYet(Version),
    /// Too many requests at once. Retryable.
    #[error("too many requests at once: try again in a minute")]
    Busy,
    /// The directory does not list the subject as an active component or as a writer, or the signature is not made with
    /// its key. One answer, so that outsiders do not learn which.
    #[error("the directory lists no active component or writer with the key that signed the request")]
    Signer,
    /// It was signed too long ago, or in the future.
    #[error("the request was signed at {sent}, and it is {now} here: set the clock, and sign again")]
    Time {
        /// When it was signed.
        sent: Timestamp,
        /// The issuer's time.
        now: Timestamp,
    },
    /// The CSR is refused.
    #[error(transparent)]
    Csr(#[from] CsrError),
    /// The CSR asks for other names than the directory gives to the subject.
    #[error(
        "the CSR must name the subject, and the host of its endpoint in the directory, if it has one; nothing else"
    )]
    OtherNames,
    /// The request was accepted before.
    #[error("the request was used before: sign a new one")]
    Used,
}

/// A checked request: what an engine issues. Only [`Admission::check`] makes one.
#[derive(Debug, Clone)]
pub struct Order {
    csr: Csr,
    from: Timestamp,
    until: Timestamp,
}

impl Order {
    /// What is certified: the names and the key of this CSR.
    #[must_use]
    pub fn csr(&self) -> &Csr {
        &self.csr
    }

    /// From when to when the certificate is valid.
    #[must_use]
    pub fn validity(&self) -> (Timestamp, Timestamp) {
        (self.from, self.until)
    }
}

/// Checks requests, and remembers those that it has accepted.
#[derive(Debug)]
pub struct Admission {
    used: Nonces,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            used: Nonces::new(MAX_NONCES),
        }
    }
}

impl Admission {
    /// Checks a request against the newest directory. `writer_hosts`: where the subject is reached, if it is a writer.
    ///
    /// # Errors
    /// [`RequestRefused`].
    pub fn check(
        &self,
        request: &CertificateRequest,
        directory: &TrustMap,
        writer_hosts: &[Host],
        now: Timestamp,
    ) -> Result<Order, RequestRefused> {
        let statement = &request.statement;
        if statement.directory > directory.version() {
            return Err(RequestRefused::NotYet(statement.directory));
        }
        let signed = record::cbor::to_vec(statement);
        let mut keys = statement.subject.keys(directory);
        if !keys.any(|key| key.verify_context(CONTEXT, &signed, &request.signature).is_ok()) {
            return Err(RequestRefused::Signer);
        }
        if statement.sent.distance(now) > MAX_SKEW {
            let sent = statement.sent;
            return Err(RequestRefused::Time { sent, now });
        }
        let csr = Csr::read(&statement.csr)?;
        if Names::listed(&statement.subject, directory, writer_hosts).as_ref() != Some(csr.names()) {
            return Err(RequestRefused::OtherNames);
        }
        self.use_once(statement.nonce, statement.sent, now)?;
        Ok(Order {
            csr,
            from: now.before(BACKDATED),
            until: now.after(LIFETIME),
        })
    }

    fn use_once(&self, nonce: [u8; 16], sent: Timestamp, now: Timestamp) -> Result<(), RequestRefused> {
        let expires = sent.after(MAX_SKEW).seconds();
        self.used
            .use_once(nonce, expires, now.seconds())
            .map_err(|error| match error {
                NonceRefused::Used => RequestRefused::Used,
                NonceRefused::Full => RequestRefused::Busy,
            })
    }
}

#[cfg(test)]
mod tests;
