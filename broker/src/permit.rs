//! The abstract permission (§ 7 Abs. 2 IDNrG): may this consumer ask this provider for this evidence, for this purpose?

use record::Timestamp;
use registerlandkarte::{Denied, Permission, Query, Snapshot};

use crate::authenticate::Authenticated;

/// A request that a rule of the Registerlandkarte permits. Made by [`permit`] alone.
#[derive(Debug, Clone)]
pub struct Permitted {
    authenticated: Authenticated,
    permission: Permission,
}

/// Decides on the Registerlandkarte as it is known now, for now.
///
/// # Errors
/// The request back, with the reason: it goes into the `denial`'s record and to nobody else.
pub fn permit(
    authenticated: Authenticated,
    map: &Snapshot,
    now: Timestamp,
) -> Result<Permitted, Box<(Authenticated, Denied)>> {
    let metadata = &authenticated.request().metadata;
    let query = Query {
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        evidence_type: metadata.evidence_type.clone(),
        purpose: metadata.purpose.clone(),
        idnr: metadata.idnr_used,
    };
    match map.decide(&query, now, now) {
        Ok(permission) => Ok(Permitted {
            permission,
            authenticated,
        }),
        Err(denied) => Err(Box::new((authenticated, denied))),
    }
}

impl Permitted {
    /// The request that is permitted.
    pub fn authenticated(&self) -> &Authenticated {
        &self.authenticated
    }

    /// By which rule of which Registerlandkarte.
    pub fn permission(&self) -> &Permission {
        &self.permission
    }
}
