//! The abstract permission (§ 7 Abs. 2 IDNrG): may this consumer request this evidence from this provider for this
//! purpose?

use record::Timestamp;
use registerlandkarte::{Denied, Permission, Query};
use trust::TrustMap;

use crate::authenticate::Authenticated;

/// A request that a rule of the Registerlandkarte permits. Only [`permit`] makes one.
#[derive(Debug, Clone)]
pub struct Permitted {
    authenticated: Authenticated,
    permission: Permission,
}

/// Decides by this version of the Registerlandkarte, for the time `now`.
///
/// # Errors
/// The request with the reason. The reason goes into the record of the `denial` only, never to the requester.
pub fn permit(
    authenticated: Authenticated,
    registerlandkarte: &TrustMap,
    now: Timestamp,
) -> Result<Permitted, Box<(Authenticated, Denied)>> {
    let metadata = &authenticated.request().metadata;
    let query = Query {
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        evidence_type: metadata.evidence_type.to_string(),
        purpose: metadata.purpose.to_string(),
        idnr: metadata.idnr_used,
    };
    match registerlandkarte.permit(&query, now, now) {
        Ok(permission) => Ok(Permitted {
            permission,
            authenticated,
        }),
        Err(denied) => Err(Box::new((authenticated, denied))),
    }
}

impl Permitted {
    /// The permitted request.
    pub fn authenticated(&self) -> &Authenticated {
        &self.authenticated
    }

    /// The rule that permits it, and the version of the Registerlandkarte with that rule.
    pub fn permission(&self) -> &Permission {
        &self.permission
    }
}
