//! The person's login: the first half of P10. The second half, that it was not used before, needs the durable table of
//! [`crate::provider::logins`].

use messages::{CheckName, LoginProof, LoginRefused};
use record::{ExchangeRecord, Timestamp};
use registerlandkarte::Permission;

use super::failed::CheckFailed;

/// P10: where the permission demands a preview, or a representative acts, the person who acts must be present, and
/// the request has the proof of their login. A proof counts only if it is recent enough, of a sufficient level, and of
/// the level that the record names. One that nothing demands must be valid, too.
pub(super) fn p10_login(
    permission: &Permission,
    record: &ExchangeRecord,
    proof: Option<LoginProof>,
    now: Timestamp,
) -> Result<Option<LoginProof>, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P10);
    let Some(proof) = proof else {
        return if permission.rule.preview {
            Err(failed(
                "the permission demands a person's presence, and no login is proved",
            ))
        } else if record.representation.is_some() {
            Err(failed("a representative acts, and no login is proved"))
        } else {
            Ok(None)
        };
    };
    if proof.assurance != record.assurance {
        return Err(failed("the login has another level of assurance than the request"));
    }
    proof.check(now).map_err(|refused| {
        failed(match refused {
            LoginRefused::Old => "the login was too long ago",
            LoginRefused::Future => "the login is in the future",
            LoginRefused::Low => "the login's level of assurance is too low",
        })
    })?;
    Ok(Some(proof))
}
