//! The relying party: OpenID Connect authorization code flow with PKCE.
//!
//! It checks `iss` of the authorization response (RFC 9207), the ID token (signature, issuer, audience, expiry,
//! nonce, `at_hash`), and the token's level of assurance. The request's `acr_values` is only a preference, so the claim
//! `acr` decides. Provider metadata and keys are cached ([`Provider`]); a key rotation needs no restart.
//!
//! A login that has begun is the caller's to keep ([`PendingLogin`]), best in the browser ([`crate::sealed`]): then a
//! request without a login costs neither memory nor a call. Redeeming a code is a call to the provider, and
//! [`MAX_REDEMPTIONS`] limits how many there are at a time.

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::metadata::{Metadata, ProviderError};
use super::provider::Provider;
use super::token::{Expected, IdToken, IdTokenError};
use crate::http::{BodyError, read_body};
use crate::secret::read_private;

/// How long a call to the provider may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest token response that is read, in bytes.
const MAX_RESPONSE_SIZE: usize = 256 << 10;
/// The most codes that are redeemed at a time.
const MAX_REDEMPTIONS: usize = 64;

/// A client of an OpenID provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// The provider's issuer URL.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// Private file with the client secret; absent for a public client.
    #[serde(default)]
    pub client_secret: Option<PathBuf>,
    /// The level of assurance that is required, the value of `acr`.
    pub acr: String,
}

/// The configuration of a login is not usable.
#[derive(Debug, thiserror::Error)]
#[error("login: {0}")]
pub struct LoginConfigError(String);

/// A client of an OpenID provider, with the provider's metadata.
pub struct RelyingParty {
    provider: Provider,
    client_id: String,
    client_secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    acr: String,
    http: HttpClient,
    redemptions: Semaphore,
}

/// A login that has begun, with everything that finishing it needs. Its `state` is beside it.
#[derive(Serialize, Deserialize)]
pub struct PendingLogin {
    nonce: String,
    verifier: String,
}

/// An authorization request for the browser.
pub struct BegunLogin {
    /// The URL at the provider.
    pub url: String,
    /// The parameter `state`, which the provider sends back.
    pub state: String,
    /// What finishing the login needs.
    pub pending: PendingLogin,
}

/// A verified login, with what identity needs to verify it again.
pub struct VerifiedLogin {
    /// The ID token as received.
    pub id_token: String,
    /// The nonce of the authorization request.
    pub nonce: String,
    /// What the token says.
    pub token: IdToken,
}

/// The authorization response, as query parameters of the callback.
#[derive(Deserialize)]
pub struct CallbackParameters {
    /// The parameter `state` of the request.
    pub state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Why a login fails.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The provider does not respond, or sends an unusable response. Retryable.
    #[error("the OpenID provider is unavailable: {0}")]
    Unreachable(String),
    /// The person cancelled the login at the provider.
    #[error("the login was cancelled at the provider")]
    Cancelled,
    /// The authorization response or the token is not acceptable; the text names the part.
    #[error("the login is refused: {0}")]
    Refused(String),
    /// The clock of this machine and that of the provider differ. An operator has to correct one of them.
    #[error("the ID token was issued just now, but not by the clock of this machine; check its time synchronisation")]
    Clock,
    /// The token's level of assurance is not the required one.
    #[error("the level of assurance is too low")]
    Assurance,
}

impl From<ProviderError> for LoginError {
    fn from(error: ProviderError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<IdTokenError> for LoginError {
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::Provider(error) => error.into(),
            IdTokenError::Time => Self::Clock,
            IdTokenError::Assurance => Self::Assurance,
            IdTokenError::Signature | IdTokenError::Refused(_) => Self::Refused(error.to_string()),
        }
    }
}

/// The token response's member that OpenID Connect adds.
#[derive(Serialize, Deserialize)]
struct IdTokenField {
    id_token: String,
}

impl std::fmt::Debug for IdTokenField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdTokenField(redacted)")
    }
}

impl ExtraTokenFields for IdTokenField {}

type TokenClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<IdTokenField, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl RelyingParty {
    /// A client that the provider sends back to `redirect_uri`.
    ///
    /// # Errors
    /// [`LoginConfigError`] when a URL is invalid or the client secret cannot be read.
    pub fn new(config: &LoginConfig, redirect_uri: String) -> Result<Self, LoginConfigError> {
        let invalid = |error: &dyn std::fmt::Display| LoginConfigError(error.to_string());
        let client_secret = match &config.client_secret {
            Some(path) => {
                let secret = read_private(path).map_err(|error| invalid(&error))?;
                Some(ClientSecret::new(secret.trim().to_owned()))
            }
            None => None,
        };
        url::Url::parse(&config.issuer).map_err(|error| invalid(&error))?;
        let http = crate::http::client(|builder| builder.timeout(REQUEST_TIMEOUT));
        Ok(Self {
            provider: Provider::new(&config.issuer).map_err(|error| invalid(&error))?,
            client_id: config.client_id.clone(),
            client_secret,
            redirect: RedirectUrl::new(redirect_uri).map_err(|error| invalid(&error))?,
            acr: config.acr.clone(),
            http: HttpClient(http.map_err(|error| invalid(&error))?),
            redemptions: Semaphore::new(MAX_REDEMPTIONS),
        })
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`LoginError::Unreachable`].
    pub async fn begin(&self) -> Result<BegunLogin, LoginError> {
        let client = self.client(&*self.provider.metadata().await?)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random().into_secret();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("openid".to_owned()))
            .add_extra_param("nonce", &nonce)
            .add_extra_param("acr_values", &self.acr)
            .add_extra_param("prompt", "login")
            .set_pkce_challenge(challenge)
            .url();
        Ok(BegunLogin {
            url: url.into(),
            state: state.into_secret(),
            pending: PendingLogin {
                nonce,
                verifier: verifier.into_secret(),
            },
        })
    }

    /// Where a person ends the session with the provider (OpenID Connect RP-Initiated Logout), if the provider has
    /// such a page. The ID token, which could make it ask no question, is about the person and does not go into an
    /// address.
    pub async fn end_session(&self) -> Option<String> {
        let metadata = self.provider.metadata().await.ok()?;
        let mut url = url::Url::parse(metadata.end_session_endpoint.as_deref()?).ok()?;
        if !["http", "https"].contains(&url.scheme()) {
            return None;
        }
        url.query_pairs_mut().append_pair("client_id", &self.client_id);
        Some(url.into())
    }

    /// Redeems the code of the authorization response and verifies the ID token. `now` is in POSIX seconds, read after
    /// the token was received.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn finish(
        &self,
        pending: PendingLogin,
        answer: CallbackParameters,
        now: impl FnOnce() -> u64,
    ) -> Result<VerifiedLogin, LoginError> {
        let metadata = self.provider.metadata().await?;
        // SPEC: RFC 9207 §2.4: an `iss`, if present, must be the provider's issuer, in an error response too.
        if answer.iss.is_some_and(|issuer| issuer != metadata.issuer) {
            return Err(LoginError::Refused("issuer of the response".to_owned()));
        }
        if let Some(error) = answer.error {
            return Err(refusal(&error));
        }
        let code = answer
            .code
            .ok_or_else(|| LoginError::Refused("the response has no code".to_owned()))?;
        let tokens = self.redeem(&metadata, code, pending.verifier).await?;
        let id_token = &tokens.extra_fields().id_token;
        let expected = Expected {
            client_id: &self.client_id,
            nonce: &pending.nonce,
            acr: &self.acr,
            access_token: Some(tokens.access_token().secret()),
            now: now(),
        };
        let token = self.provider.verify(id_token, &expected).await?;
        Ok(VerifiedLogin {
            token,
            id_token: id_token.clone(),
            nonce: pending.nonce,
        })
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: String,
        verifier: String,
    ) -> Result<StandardTokenResponse<IdTokenField, BasicTokenType>, LoginError> {
        let client = self.client(metadata)?;
        let permit = tokio::time::timeout(REQUEST_TIMEOUT, self.redemptions.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(LoginError::Unreachable("too many codes are being redeemed".to_owned()));
        };
        client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(error) => LoginError::Unreachable(error.to_string()),
                _ => LoginError::Refused("the code was not redeemed".to_owned()),
            })
    }

    fn client(&self, metadata: &Metadata) -> Result<TokenClient, LoginError> {
        let invalid = |error: &dyn std::fmt::Display| LoginError::Unreachable(error.to_string());
        let client = Client::new(ClientId::new(self.client_id.clone()))
            .set_redirect_uri(self.redirect.clone())
            .set_auth_uri(AuthUrl::new(metadata.authorization_endpoint.clone()).map_err(|error| invalid(&error))?)
            .set_token_uri(TokenUrl::new(metadata.token_endpoint.clone()).map_err(|error| invalid(&error))?);
        Ok(match &self.client_secret {
            Some(secret) => client.set_client_secret(secret.clone()),
            None => client,
        })
    }
}

/// What an error response means (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
fn refusal(error: &str) -> LoginError {
    match error {
        "access_denied" => LoginError::Cancelled,
        "server_error" | "temporarily_unavailable" => {
            LoginError::Unreachable("the provider reports an error of its own".to_owned())
        }
        "unmet_authentication_requirements" => LoginError::Assurance,
        // The value is the browser's, so it is not repeated.
        _ => LoginError::Refused("the provider refused the request".to_owned()),
    }
}

/// The HTTP client, in the form that the crate `oauth2` calls.
struct HttpClient(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpCallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpCallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(call(&self.0, request))
    }
}

async fn call(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpCallError> {
    let response = http
        .execute(request.try_into()?)
        .await
        .map_err(reqwest::Error::without_url)?;
    let mut answer = axum::http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    Ok(answer.body(read_body(response, MAX_RESPONSE_SIZE).await?)?)
}

/// Why a call to the provider fails.
#[derive(Debug, thiserror::Error)]
enum HttpCallError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Form(#[from] axum::http::Error),
    #[error(transparent)]
    Body(#[from] BodyError),
}
