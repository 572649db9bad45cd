//! What a provider publishes, as far as it is used.

use openidconnect::core::CoreJsonWebKeySet;

use crate::http::CallError;

/// The metadata that are used, and the keys, fetched together.
#[derive(Debug)]
pub struct Metadata {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// The URL to which the browser is sent.
    pub authorization_endpoint: String,
    /// The URL at which a code is redeemed.
    pub token_endpoint: String,
    /// The URL at which a person ends their session with the provider, if it has one.
    pub end_session_endpoint: Option<String>,
    /// The keys that sign tokens.
    pub keys: CoreJsonWebKeySet,
}

/// Why there are no metadata.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The HTTP client cannot be built. The process cannot start.
    #[error("the HTTP client for the OpenID provider cannot be built: {0}")]
    Client(CallError),
    /// The provider does not respond, or what it publishes is not usable. Retryable.
    #[error("the OpenID provider is unavailable: {0}")]
    Unavailable(String),
}
