//! The authorization request.

use serde::Deserialize;

/// The parameters of an authorization request. Unknown parameters are ignored (RFC 6749 §3.1).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    #[serde(default)]
    pub(crate) response_type: String,
    #[serde(default)]
    pub(crate) scope: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) nonce: String,
    #[serde(default)]
    pub(crate) code_challenge: String,
    #[serde(default)]
    pub(crate) code_challenge_method: String,
}
