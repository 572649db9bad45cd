//! The abstract permission (§ 7 Abs. 2 IDNrG): may this consumer request this evidence from this provider for this
//! purpose?

use record::Timestamp;
use registerlandkarte::Permission;
use trust::{History, PermitError};

use crate::authenticate::Authenticated;

/// A request that a rule of the Registerlandkarte permits. Only [`permit`] makes one.
#[derive(Debug, Clone)]
pub struct Permitted {
    authenticated: Authenticated,
    permission: Permission,
}

/// Decides by the newest versions of directory and Registerlandkarte, for the time `now`.
///
/// # Errors
/// The request with the reason. The reason goes into the record of the `denial` only, never to the requester.
pub fn permit(
    authenticated: Authenticated,
    history: &History,
    now: Timestamp,
) -> Result<Permitted, Box<(Authenticated, PermitError)>> {
    let transmission = authenticated.request().metadata.transmission();
    match history.permit(history.newest_versions(), &transmission, now) {
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
