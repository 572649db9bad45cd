//! The OpenID provider, as portal and identity see it: its published metadata and keys, and its ID tokens.
//!
//! [`Provider`] fetches metadata and keys and keeps them ([`crate::cached`]), so that a request of a stranger causes no
//! call. [`IdToken::verify`] checks a token. Both parse only the members that are used: a provider may send
//! `email_verified` as a text or an address as a list, and a login does not depend on it.
//!
//! JWS and JWK are those of the crate `openidconnect`. Its own ID token is not used, because it refuses a token for the
//! form of a claim that nobody needs.

mod metadata;
mod provider;
mod token;

pub use metadata::{Metadata, ProviderError};
pub use provider::Provider;
pub use token::{Expected, IdToken, IdTokenError};
