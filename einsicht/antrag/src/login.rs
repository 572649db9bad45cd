//! Who the person is, as the login says it.
//!
//! An authority's service needs the data by which a register finds a person: names, date of birth, postal code and
//! place (§ 6 IDNrG). A provider that does not send them is of no use here, and the page says which are missing.

use record::Timestamp;
use serde::{Deserialize, Serialize};
use service::openid::{IdToken, PendingLogin};

/// What proves the login to the provider of evidence. `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct ProvedLogin {
    /// SHA-256 of the ID token, in hexadecimal.
    pub(crate) token_digest: String,
    /// When it was issued, in RFC 3339.
    pub(crate) authenticated_at: String,
}

impl std::fmt::Debug for ProvedLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProvedLogin(redacted)")
    }
}

impl ProvedLogin {
    pub(crate) fn of_token(token: &IdToken) -> Self {
        Self {
            token_digest: hex::encode(token.digest),
            authenticated_at: Timestamp(token.issued).to_string(),
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            token_digest: "5a".repeat(32),
            authenticated_at: Timestamp(1_800_000_000).to_string(),
        }
    }
}

/// The person who is logged in. `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct Applicant {
    /// Whom the login's provider means, whatever name the person has. It is the same at each login.
    pub(crate) subject: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) date_of_birth: String,
    pub(crate) postal_code: String,
    pub(crate) place: String,
}

impl std::fmt::Debug for Applicant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Applicant(redacted)")
    }
}

/// The claims that a token lacks.
#[derive(Debug)]
pub(crate) struct MissingClaims(pub(crate) Vec<&'static str>);

impl Applicant {
    pub(crate) fn of_token(token: &IdToken) -> Result<Self, MissingClaims> {
        let mut missing = Vec::new();
        let mut claim = |pointer: &'static str| {
            let text = token.text(pointer).map(str::trim).filter(|text| !text.is_empty());
            if text.is_none() {
                missing.push(pointer.trim_start_matches('/'));
            }
            text.unwrap_or_default().to_owned()
        };
        let applicant = Self {
            subject: token.subject.clone(),
            given_name: claim("/given_name"),
            family_name: claim("/family_name"),
            date_of_birth: claim("/birthdate"),
            postal_code: claim("/address/postal_code"),
            place: claim("/address/locality"),
        };
        if missing.is_empty() {
            Ok(applicant)
        } else {
            Err(MissingClaims(missing))
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// Another person at each call.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let [given_name, family_name] = ["Emma", "Mustermann"].map(str::to_owned);
        Self {
            subject: uuid::Uuid::new_v4().to_string(),
            given_name,
            family_name,
            date_of_birth: "1964-08-12".to_owned(),
            postal_code: "73614".to_owned(),
            place: "Rheinfurt".to_owned(),
        }
    }
}

/// A login that has begun, and the service to which the person returns.
#[derive(Serialize, Deserialize)]
pub(crate) struct BegunHere {
    pub(crate) login: PendingLogin,
    pub(crate) service: String,
}
