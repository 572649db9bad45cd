//! Metadata and keys of a provider (OpenID Connect Discovery 1.0 §4).

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::CoreJsonWebKeySet;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::metadata::{Metadata, ProviderError};
use super::token::{Expected, IdToken, IdTokenError};
use crate::cached::{CacheError, Cached};
use crate::http::{client, read_body};

/// How long metadata and keys are kept.
const LIFETIME: Duration = Duration::from_secs(600);
/// The least time between two fetches that tokens under unknown keys cause.
const MIN_REFETCH_INTERVAL: Duration = Duration::from_secs(10);
/// The least time between a failed fetch and the next one.
const RETRY_DELAY: Duration = Duration::from_secs(3);
/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest metadata or key set that is read, in bytes.
const MAX_DOCUMENT: usize = 256 << 10;
/// The most keys of a key set. A token without a key id is tried under each of them.
const MAX_KEYS: usize = 64;

/// A provider with its cached metadata.
#[derive(Debug)]
pub struct Provider {
    issuer: String,
    http: reqwest::Client,
    metadata: Cached<Metadata>,
}

/// The published document, reduced to the members that are used.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    end_session_endpoint: Option<String>,
    jwks_uri: String,
}

impl Provider {
    /// A provider by its issuer URL. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`ProviderError::Client`].
    pub fn new(issuer: &str) -> Result<Self, ProviderError> {
        // The client follows no redirect, because a redirect could send the request for the keys to another host.
        let http = client(|builder| builder.timeout(CALL_TIMEOUT)).map_err(ProviderError::Client)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            http,
            metadata: Cached::new(LIFETIME, RETRY_DELAY),
        })
    }

    /// The metadata. They are fetched if the cached ones have expired.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`].
    pub async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        self.younger_than(LIFETIME).await
    }

    /// Verifies an ID token. A token under an unknown key causes a new fetch of the keys, at most every ten seconds.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub async fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<IdToken, IdTokenError> {
        match IdToken::verify(token, &*self.metadata().await?, expected) {
            Err(IdTokenError::Signature) => {
                let newer = self.younger_than(MIN_REFETCH_INTERVAL).await?;
                IdToken::verify(token, &newer, expected)
            }
            verified => verified,
        }
    }

    async fn younger_than(&self, age: Duration) -> Result<Arc<Metadata>, ProviderError> {
        let fetch = fetch(self.http.clone(), self.issuer.clone());
        self.metadata
            .younger_than(age, fetch)
            .await
            .map_err(|error| match error {
                CacheError::Fetch(error) => error,
                CacheError::RecentFailure => ProviderError::Unavailable(error.to_string()),
            })
    }
}

async fn fetch(http: reqwest::Client, issuer: String) -> Result<Metadata, ProviderError> {
    let base = issuer.trim_end_matches('/');
    let document: Document = get(&http, &format!("{base}/.well-known/openid-configuration")).await?;
    // SPEC: OpenID Connect Discovery 1.0 §4.3: the issuer must be the one whose metadata were requested.
    if document.issuer != issuer {
        return Err(ProviderError::Unavailable("its metadata name another issuer".into()));
    }
    let keys: CoreJsonWebKeySet = get(&http, &document.jwks_uri).await?;
    if keys.keys().len() > MAX_KEYS {
        return Err(ProviderError::Unavailable(format!(
            "it publishes more than {MAX_KEYS} keys"
        )));
    }
    Ok(Metadata {
        issuer,
        authorization_endpoint: document.authorization_endpoint,
        token_endpoint: document.token_endpoint,
        end_session_endpoint: document.end_session_endpoint,
        keys,
    })
}

async fn get<T: DeserializeOwned>(http: &reqwest::Client, url: &str) -> Result<T, ProviderError> {
    let unavailable = |reason: &dyn std::fmt::Display| ProviderError::Unavailable(reason.to_string());
    let response = http.get(url).send().await.map_err(|error| unavailable(&error))?;
    let response = response.error_for_status().map_err(|error| unavailable(&error))?;
    let body = read_body(response, MAX_DOCUMENT)
        .await
        .map_err(|error| unavailable(&error))?;
    text::json::from_slice(&body).map_err(|error| unavailable(&error))
}
