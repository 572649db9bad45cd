//! ID tokens.
//!
//! SPEC: OpenID Connect Core 1.0 §3.1.3.7. The signature comes first, so that nothing is said about the claims of a
//! token that the provider did not sign. The times come last: a token that fails by them alone is genuine, and the
//! cause is a clock or a token that was kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{AccessToken, AccessTokenHash, JsonWebKey as _, JsonWebKeyAlgorithm, JsonWebKeyUse as _};
use openidconnect::{JsonWebKeyId, JwsSigningAlgorithm as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::metadata::{Metadata, ProviderError};

/// The longest token that is read, in bytes.
const MAX_TOKEN: usize = 16 << 10;
/// Maximum age of a token, in seconds.
const MAX_TOKEN_AGE: i64 = 300;
/// How far the provider's clock may be ahead, in seconds.
const MAX_CLOCK_SKEW: i64 = 30;
/// Asymmetric algorithms. With a symmetric one, everybody who can verify could also sign.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
];

/// What a token must say.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The only audience.
    pub client_id: &'a str,
    /// The nonce of the authorization request.
    pub nonce: &'a str,
    /// The required level of assurance.
    pub acr: &'a str,
    /// The access token that was received with it, if there was one; `at_hash` must fit.
    pub access_token: Option<&'a str>,
    /// POSIX seconds.
    pub now: u64,
}

/// A verified token.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    /// The subject, by which a person is found.
    pub subject: String,
    /// When the provider issued it, POSIX seconds.
    pub issued: u64,
    /// SHA-256 of the token as it was received.
    pub digest: [u8; 32],
    /// All claims, of which most readers need none.
    claims: serde_json::Value,
}

impl IdToken {
    /// The text of a claim, or of a member of it (`/address/locality`, RFC 6901). `None` if it is missing or no text:
    /// no login depends on it.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.claims.pointer(pointer)?.as_str()
    }
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken(redacted)")
    }
}

/// Why a token is not accepted. No text quotes a claim.
#[derive(Debug, thiserror::Error)]
pub enum IdTokenError {
    /// The keys are not available. Retryable.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// No key of the provider verifies it.
    #[error("the ID token is not accepted: its signature does not verify")]
    Signature,
    /// A genuine token that has expired, was issued more than five minutes ago, or was issued in the future. If it was
    /// received just now, a clock is wrong: that of this machine, or the provider's.
    #[error("the ID token is not accepted: by this machine's clock it was not issued in the last five minutes")]
    Time,
    /// A genuine token of another level of assurance.
    #[error("the ID token is not accepted: its level of assurance is not the required one")]
    Assurance,
    /// The token is not accepted, for this reason.
    #[error("the ID token is not accepted: {0}")]
    Refused(&'static str),
}

/// The header of a JWS, reduced to the members that are used.
#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<JsonWebKeyId>,
    typ: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

/// The claims that are used.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: NumericDate,
    iat: NumericDate,
    nonce: Option<String>,
    acr: Option<String>,
    at_hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// SPEC: RFC 7519 §2: seconds since 1970, possibly with a fraction.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    fn seconds(self) -> i64 {
        match self {
            Self::Whole(seconds) => seconds,
            // The conversion saturates.
            Self::Fraction(seconds) => seconds.floor() as i64,
        }
    }
}

impl IdToken {
    /// Verifies a token under the keys of `metadata`.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub fn verify(token: &str, metadata: &Metadata, expected: &Expected<'_>) -> Result<Self, IdTokenError> {
        let (claims, all, header, key) = verify_signature(token, &metadata.keys)?;
        if claims.iss != metadata.issuer {
            return Err(IdTokenError::Refused("another issuer issued it"));
        }
        let audience = match &claims.aud {
            Audience::One(one) => one == expected.client_id,
            Audience::Many(all) => matches!(all.as_slice(), [one] if one == expected.client_id),
        };
        if !audience || claims.azp.as_ref().is_some_and(|party| party != expected.client_id) {
            return Err(IdTokenError::Refused("its audience is another client"));
        }
        let nonce = claims.nonce.unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(IdTokenError::Refused("its nonce is not that of this login"));
        }
        if let (Some(hash), Some(token)) = (&claims.at_hash, expected.access_token) {
            let actual = AccessTokenHash::from_token(&AccessToken::new(token.to_owned()), &header.alg, key);
            if !actual.is_ok_and(|actual| actual.as_str() == hash) {
                return Err(IdTokenError::Refused("it came with another access token"));
            }
        }
        if claims.acr.as_deref() != Some(expected.acr) {
            return Err(IdTokenError::Assurance);
        }
        let now = i64::try_from(expected.now).unwrap_or(i64::MAX);
        let age = now.saturating_sub(claims.iat.seconds());
        if now >= claims.exp.seconds() || !(-MAX_CLOCK_SKEW..=MAX_TOKEN_AGE).contains(&age) {
            return Err(IdTokenError::Time);
        }
        Ok(Self {
            subject: claims.sub,
            issued: u64::try_from(claims.iat.seconds()).unwrap_or_default(),
            digest: Sha256::digest(token).into(),
            claims: all,
        })
    }
}

/// Verifies a compact JWS (RFC 7515 §5.2). Returns the key that verified it.
fn verify_signature<'a>(
    token: &str,
    keys: &'a CoreJsonWebKeySet,
) -> Result<(Claims, serde_json::Value, Header, &'a CoreJsonWebKey), IdTokenError> {
    const FORM: IdTokenError = IdTokenError::Refused("it is not a signed token");
    if token.len() > MAX_TOKEN {
        return Err(FORM);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
    let (header, claims) = signed.split_once('.').ok_or(FORM)?;
    let header: Header = json(header).ok_or(FORM)?;
    // SPEC: RFC 7515 §4.1.11: a header with `crit` must be refused by those who do not know its extensions.
    let jwt = header.typ.as_ref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    if header.crit.is_some() || !jwt || !ALGORITHMS.contains(&header.alg) {
        return Err(FORM);
    }
    let signature = BASE64.decode(signature).map_err(|_| FORM)?;
    let key = keys.keys().iter().find(|key| {
        let named = header.kid.is_none() || key.key_id() == header.kid.as_ref();
        named && fits(key, &header.alg) && key.verify_signature(&header.alg, signed.as_bytes(), &signature).is_ok()
    });
    let key = key.ok_or(IdTokenError::Signature)?;
    const CLAIMS: IdTokenError = IdTokenError::Refused("it lacks a claim, or a claim has another form");
    let all: serde_json::Value = json(claims).ok_or(CLAIMS)?;
    let claims = Claims::deserialize(&all).map_err(|_| CLAIMS)?;
    Ok((claims, all, header, key))
}

/// Whether a key may verify signatures of this algorithm.
fn fits(key: &CoreJsonWebKey, algorithm: &CoreJwsSigningAlgorithm) -> bool {
    let allowed = match key.signing_alg() {
        JsonWebKeyAlgorithm::Unspecified => true,
        JsonWebKeyAlgorithm::Algorithm(only) => only == algorithm,
        JsonWebKeyAlgorithm::Unsupported => false,
    };
    allowed
        && key.key_use().is_none_or(|purpose| purpose.allows_signature())
        && algorithm.key_type().as_ref() == Some(key.key_type())
}

fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    text::json::from_slice(&BASE64.decode(part).ok()?).ok()
}
