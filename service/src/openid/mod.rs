//! The OpenID provider, as portal and identity see it: its published metadata and keys, and its ID tokens.
//!
//! [`Provider`] fetches metadata and keys and keeps them ([`crate::cached`]), so that a request of a stranger causes no
//! call. [`IdToken::verify`] checks a token. [`RelyingParty`] is a client that sends a browser to the provider and
//! redeems the code that comes back; [`PendingLogins`] keeps a login that has begun in the browser. Both parse only the
//! members that are used: a provider may send `email_verified` as a text or an address as a list, and a login does not
//! depend on it.
//!
//! JWS and JWK are those of the crate `openidconnect`. Its own ID token is not used, because it refuses a token for the
//! form of a claim that nobody needs.

pub mod cookies;
mod metadata;
mod pending;
mod provider;
mod relying_party;
mod token;

pub use cookies::Cookies;
pub use metadata::{Metadata, ProviderError};
pub use pending::PendingLogins;
pub use provider::Provider;
pub use relying_party::{
    BegunLogin, CallbackParameters, LoginConfig, LoginConfigError, LoginError, PendingLogin, RelyingParty,
    VerifiedLogin,
};
pub use token::{Expected, IdToken, IdTokenError};
