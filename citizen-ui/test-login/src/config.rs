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
    /// The registered clients.
    pub clients: Vec<Client>,
    /// The level of assurance (`acr`) that tokens claim.
    #[serde(default = "acr_high")]
    pub acr: String,
}

fn acr_high() -> String {
    ACR_HIGH.to_owned()
}

/// A registered client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The client id.
    pub client_id: String,
    /// The registered redirect URIs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// Whether its tokens say who the person is ([`Person`]), as an online service needs.
    #[serde(default)]
    pub person: bool,
}

/// Who a person is: the claims of the scopes `profile` and `address`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Given names.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birthdate: String,
    /// Postal code.
    pub postal_code: String,
    /// Place.
    pub locality: String,
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
    /// Who the citizen is, for clients that need it.
    #[serde(default)]
    pub person: Option<Person>,
}

impl Config {
    /// The client with this id.
    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.client_id == id)
    }
}
