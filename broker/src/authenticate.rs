//! Who asks: S1 and S2 verified with the key that the directory names for the consumer.

use messages::{ExchangeRequest, MessageError};
use record::content::Party;
use record::{Directory, Timestamp};

/// A request whose two signatures are the consumer's, addressed to a provider that the directory knows.
#[derive(Debug, Clone)]
pub struct Authenticated {
    request: ExchangeRequest,
    consumer: Party,
    provider: Party,
}

/// Why a request is not the consumer's.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The directory has no consumer of that name.
    #[error("the consumer is not in the directory")]
    UnknownConsumer,
    /// The directory has no provider of that name.
    #[error("the provider is not in the directory")]
    UnknownProvider,
    /// A key of the directory cannot be used.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// Checks both signatures of the consumer, the time of S1, and that all parts belong together.
///
/// # Errors
/// [`AuthenticationError`]; nothing of such a request may be recorded, since nobody stands for it.
pub fn authenticate(
    request: ExchangeRequest,
    directory: &Directory,
    now: Timestamp,
) -> Result<Authenticated, AuthenticationError> {
    let consumer = directory
        .consumer(&request.metadata.consumer)
        .ok_or(AuthenticationError::UnknownConsumer)?;
    let provider = directory
        .provider(&request.metadata.provider)
        .ok_or(AuthenticationError::UnknownProvider)?;
    request.verify(&consumer.signing_key, now)?;
    Ok(Authenticated {
        consumer: consumer.party.clone(),
        provider: provider.party.clone(),
        request,
    })
}

impl Authenticated {
    /// What was asked.
    pub fn request(&self) -> &ExchangeRequest {
        &self.request
    }

    /// Who asks.
    pub fn consumer(&self) -> &Party {
        &self.consumer
    }

    /// Who is asked.
    pub fn provider(&self) -> &Party {
        &self.provider
    }
}
