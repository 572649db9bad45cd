//! The relying party: OpenID Connect authorization code flow with PKCE.
//!
//! The portal checks `state` and `iss` of the authorization response (RFC 9207), the ID token (signature, issuer,
//! audience, expiry, nonce, `at_hash`), and the token's level of assurance. The request's `acr_values` is only a
//! preference, so the claim `acr` decides. Identity verifies the same token again. The portal fetches the provider's
//! metadata and keys at every login, so that a key rotation needs no restart.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreClient, CoreIdTokenVerifier, CoreProviderMetadata, CoreResponseType};
use openidconnect::{
    AccessTokenHash, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse,
};
use service::secret::read_private;
use subtle::ConstantTimeEq;

use citizen_ui::language::lang::Lang;

use crate::config::Config;
use crate::error::Error;

/// How long a call to the provider may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest body that the portal reads from the provider, in bytes.
const MAX_RESPONSE_SIZE: usize = 1 << 20;

/// The portal as a client of the OpenID provider.
pub(crate) struct RelyingParty {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    acr: String,
    http: reqwest::Client,
}

/// A login that has begun, with everything that the provider's response must match.
pub(crate) struct PendingLogin {
    /// The language of the page after the login.
    pub(crate) lang: Lang,
    metadata: CoreProviderMetadata,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// A verified login, with what identity needs to verify it again.
pub(crate) struct VerifiedLogin {
    /// The ID token as received.
    pub(crate) id_token: String,
    /// The nonce of the authorization request.
    pub(crate) nonce: String,
}

/// The authorization response, as query parameters of the callback.
#[derive(serde::Deserialize)]
pub(crate) struct CallbackParameters {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

/// Why a login fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// The provider does not respond, or sends an unusable response. Retryable.
    #[error("the OpenID provider is unavailable: {0}")]
    Unreachable(String),
    /// The authorization response or the token is not acceptable; the text names the part.
    #[error("the login is refused: {0}")]
    Refused(&'static str),
    /// The token's level of assurance is not the required one.
    #[error("the level of assurance is too low")]
    Assurance,
}

impl RelyingParty {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let invalid = |error: &dyn std::fmt::Display| Error::Login(error.to_string());
        let client_secret = match &config.login.client_secret {
            Some(path) => Some(ClientSecret::new(read_private(path)?.trim().to_owned())),
            None => None,
        };
        Ok(Self {
            issuer: IssuerUrl::new(config.login.issuer.clone()).map_err(|error| invalid(&error))?,
            client_id: ClientId::new(config.login.client_id.clone()),
            client_secret,
            redirect: RedirectUrl::new(config.redirect_uri()).map_err(|error| invalid(&error))?,
            acr: config.login.acr.clone(),
            http: service::http::client(|builder| builder.timeout(REQUEST_TIMEOUT)).map_err(|error| invalid(&error))?,
        })
    }

    /// Begins a login. Returns the authorization URL to which the browser is redirected, and the pending login.
    pub(crate) async fn begin(&self, lang: Lang) -> Result<(String, PendingLogin), LoginError> {
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.client())
            .await
            .map_err(|error| LoginError::Unreachable(error.to_string()))?;
        let client =
            CoreClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), self.client_secret.clone())
                .set_redirect_uri(self.redirect.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("profile".to_owned()))
            .add_auth_context_value(AuthenticationContextClass::new(self.acr.clone()))
            .add_prompt(CoreAuthPrompt::Login)
            .set_pkce_challenge(challenge)
            .url();
        let pending = PendingLogin {
            lang,
            metadata,
            state,
            nonce,
            verifier,
        };
        Ok((url.into(), pending))
    }

    /// Redeems the code of the authorization response and verifies the ID token.
    pub(crate) async fn finish(
        &self,
        pending: PendingLogin,
        answer: CallbackParameters,
    ) -> Result<VerifiedLogin, LoginError> {
        let state = answer.state.unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(pending.state.secret().as_bytes())) {
            return Err(LoginError::Refused("state"));
        }
        // SPEC: RFC 9207 §2.4: an `iss`, if present, must be the provider's issuer.
        if answer.iss.is_some_and(|issuer| issuer != self.issuer.as_str()) {
            return Err(LoginError::Refused("issuer of the response"));
        }
        let code = answer.code.ok_or(LoginError::Refused("the response has no code"))?;
        let client =
            CoreClient::from_provider_metadata(pending.metadata, self.client_id.clone(), self.client_secret.clone())
                .set_redirect_uri(self.redirect.clone());
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| LoginError::Unreachable("the metadata have no token endpoint".to_owned()))?
            .set_pkce_verifier(pending.verifier)
            .request_async(&self.client())
            .await
            .map_err(|_| LoginError::Refused("the code was not redeemed"))?;
        let id_token = tokens.id_token().ok_or(LoginError::Refused("no ID token"))?;
        let verifier: CoreIdTokenVerifier<'_> = client.id_token_verifier();
        let claims = id_token
            .claims(&verifier, &pending.nonce)
            .map_err(|_| LoginError::Refused("the ID token does not verify"))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|_| LoginError::Refused("algorithm"))?;
            let key = id_token
                .signing_key(&verifier)
                .map_err(|_| LoginError::Refused("key"))?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(|_| LoginError::Refused("at_hash"))?;
            if actual != *expected {
                return Err(LoginError::Refused("at_hash"));
            }
        }
        if claims.auth_context_ref().map(|acr| acr.as_str()) != Some(self.acr.as_str()) {
            return Err(LoginError::Assurance);
        }
        Ok(VerifiedLogin {
            id_token: id_token.to_string(),
            nonce: pending.nonce.secret().clone(),
        })
    }

    /// The HTTP client as a closure, which is the form that `openidconnect` calls. The returned futures own their
    /// client, so that they are `Send`.
    fn client(&self) -> impl Fn(HttpRequest) -> HttpCall + use<> {
        let http = self.http.clone();
        move |request| Box::pin(call(http.clone(), request))
    }
}

type HttpCall = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpCallError>> + Send>>;

async fn call(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpCallError> {
    let mut response = http.execute(request.try_into()?).await?;
    let mut answer = axum::http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_RESPONSE_SIZE {
            return Err(HttpCallError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(answer.body(body)?)
}

/// Why a call to the provider fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpCallError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Form(#[from] axum::http::Error),
    #[error("the response is too long")]
    TooLong,
}
