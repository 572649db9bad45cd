//! The configuration of the test login.

use serde::{Deserialize, Serialize};

/// The level of assurance that identity demands: eIDAS "high".
pub const ACR_HIGH: &str = "http://eidas.europa.eu/LoA/high";

/// The configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Own base URL without a trailing slash; the `iss` of every token.
    pub issuer: String,
    /// The invented citizens.
    pub users: Vec<User>,
    /// The one client.
    pub client_id: String,
    /// Where answers may go, compared character by character.
    pub redirect_uris: Vec<String>,
    /// What tokens claim as `acr`.
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
    /// `sub` of the tokens: what identity knows the person by.
    pub sub: String,
    /// Short name: what a script posts as `user`.
    pub user: String,
    /// Shown name.
    pub name: String,
}
