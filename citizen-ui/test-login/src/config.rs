//! The configuration of the test login.

use serde::{Deserialize, Serialize};

/// The level of assurance that identity demands: eIDAS "high".
pub const ACR_HIGH: &str = "http://eidas.europa.eu/LoA/high";

/// The configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Base URL of the test login, without a trailing slash; the `iss` of every token.
    pub issuer: String,
    /// The invented citizens.
    pub users: Vec<User>,
    /// Id of the only client.
    pub client_id: String,
    /// The registered redirect URIs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// The level of assurance (`acr`) that tokens claim.
    #[serde(default = "acr_high")]
    pub acr: String,
}

fn acr_high() -> String {
    ACR_HIGH.to_owned()
}

/// An invented citizen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The `sub` of the tokens, by which identity finds the person.
    pub sub: String,
    /// Short name; the value of `user` in the form.
    pub user: String,
    /// Display name.
    pub name: String,
}
