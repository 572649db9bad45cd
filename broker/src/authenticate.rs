//! Authentication of the consumer: verifies S1 and S2 with the consumer's key in the directory.

use messages::{ExchangeRequest, MessageError};
use record::Timestamp;
use record::content::Party;
use trust::TrustMap;

/// A request with both signatures of its consumer, addressed to a provider in the directory.
#[derive(Debug, Clone)]
pub struct Authenticated {
    request: ExchangeRequest,
    consumer: Party,
    provider: Party,
}

/// Why a request is not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The directory has no consumer of that name.
    #[error("the consumer is not in the directory")]
    UnknownConsumer,
    /// The directory has no provider of that name.
    #[error("the provider is not in the directory")]
    UnknownProvider,
    /// A signature or the time of S1 is not valid, the parts do not belong together, or a key of the directory is
    /// unusable.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// Checks both signatures of the consumer, the time of S1, and that all parts belong together.
///
/// # Errors
/// [`AuthenticationError`]; such a request must not be recorded, because its sender is not known.
pub fn authenticate(
    request: ExchangeRequest,
    directory: &TrustMap,
    now: Timestamp,
) -> Result<Authenticated, AuthenticationError> {
    let consumer = directory
        .consumer(&request.metadata.consumer)
        .ok_or(AuthenticationError::UnknownConsumer)?;
    let provider = directory
        .provider(&request.metadata.provider)
        .ok_or(AuthenticationError::UnknownProvider)?;
    consumer.verified(|key| request.verify(key, now))?;
    Ok(Authenticated {
        consumer: directory.party(consumer).ok_or(AuthenticationError::UnknownConsumer)?,
        provider: directory.party(provider).ok_or(AuthenticationError::UnknownProvider)?,
        request,
    })
}

impl Authenticated {
    /// The request.
    pub fn request(&self) -> &ExchangeRequest {
        &self.request
    }

    /// The consumer, which sent the request.
    pub fn consumer(&self) -> &Party {
        &self.consumer
    }

    /// The provider, which the request is addressed to.
    pub fn provider(&self) -> &Party {
        &self.provider
    }
}
