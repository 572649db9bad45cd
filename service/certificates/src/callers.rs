//! Who may call a route: [`only`] is a layer for it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use service::Problem;
use service::secret::CredentialDigest;

use crate::peer::Peers;

/// Who may call a route.
#[derive(Clone)]
pub enum Callers {
    /// Who presents one of these bearer credentials, where the process does not use TLS.
    Credentials(Vec<CredentialDigest>),
    /// Who has a certificate of one of these names.
    Peers(Peers),
}

/// Refuses requests of others, before their body is read: 401 to others without a credential, 403 to other peers.
///
/// # Errors
/// The refusal.
pub async fn only(State(callers): State<Callers>, request: Request, next: Next) -> Result<Response, Problem> {
    match callers {
        Callers::Credentials(digests) => CredentialDigest::require_any(&digests, request.headers())?,
        Callers::Peers(peers) => peers.require(request.extensions().get())?,
    }
    Ok(next.run(request).await)
}
