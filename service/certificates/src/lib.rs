//! TLS certificates of components.
//!
//! Identity has two layers. The *identity* of a component is its signing key in the logged directory. Its *TLS
//! certificate* lives [`LIFETIME`] seconds. It is issued without a human to the component that signs its request with
//! the signing key. No one may do anything because of a certificate alone: what a peer may do follows from the newest
//! directory. A suspended component is therefore shut out at once, and there are no revocation lists.
//!
//! ```text
//! component   CertificateRequest::prepare -> key, request
//! issuer      Admission::check -> Order - Engine::issue -> Chain
//! component   TlsIdentity::present, for two thirds of the certificate's life
//! ```
//!
//! * [`subject`] – whom a certificate names, as the URI of its subject alternative name.
//! * [`names`] – all names of a certificate: the subject's URI, and the hosts of a server.
//! * [`request`] – the request: a [`csr`], signed with the key in the directory.
//! * [`admission`] – the check of a request. It makes an [`Order`], and nothing else does.
//! * [`engine`] – what issues certificates for orders, behind a trait.
//! * [`authority`] – the embedded engine: a certificate authority with its key in a file.
//! * [`renewal`] – the component's side: asks for certificates, and renews them while the process runs.
//! * [`callers`] – who may call a route.
//! * [`directory`] – the newest directory, as a process follows it.
//! * [`peer`] – what a peer may do, from its name and the newest directory.
//! * [`validity`] – from when to when a certificate is valid.

pub mod admission;
pub mod authority;
pub mod callers;
pub mod csr;
pub mod directory;
pub mod engine;
pub mod names;
pub mod peer;
pub mod renewal;
pub mod request;
pub mod subject;
#[cfg(test)]
mod testing;
pub mod validity;

pub use admission::{Admission, Order, RequestRefused};
pub use authority::{Authority, AuthorityError};
pub use callers::Callers;
pub use csr::{Csr, CsrError};
pub use directory::FollowedDirectory;
pub use engine::{Chain, Engine, EngineError};
pub use names::{Host, Names};
pub use peer::{Peer, Peers};
pub use renewal::{Renewal, TlsConfig};
pub use request::CertificateRequest;
pub use subject::Subject;

/// How long a certificate is valid, in seconds.
pub const LIFETIME: u64 = 24 * 60 * 60;
/// How long before it is issued a certificate becomes valid, in seconds, so that a peer whose clock is slow accepts it.
pub const BACKDATED: u64 = 60;
