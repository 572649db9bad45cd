//! Rules that openings and bundles share.

use record::{ExpiryDay, LabelledKind, Phase, Series, SharedPart, Timestamp};

/// The most seconds by which a `map` entry that is not the last of its tree may be older than the witnesses' time
/// (design §5.3).
pub const MAX_MAP_AGE: u64 = 60;

/// The most seconds by which a `map` entry that is not the last of its tree may be ahead of the witnesses' time. The
/// ledger dates its `map` entries itself; without this bound one with a fast clock would make an old map look fresh.
pub const MAX_MAP_LEAD: u64 = 10;

/// Reports whether a record has expired by the time that a quorum of witnesses states. A record is kept until the end
/// of its day. Identity's clock may be ahead of the witnesses' by up to [`MAX_MAP_AGE`] seconds. Without a quorum's
/// time nothing has expired: the log and a single witness could state any time.
pub(crate) fn has_expired(expiry: ExpiryDay, witnessed: Option<Timestamp>) -> bool {
    witnessed.is_some_and(|time| time.after(MAX_MAP_AGE) >= expiry.end())
}

/// Reports whether the content fits the kind: an intent must not have a result, an outcome must have one, and only a
/// preview has a decision.
pub(crate) fn fits(kind: LabelledKind, shared: &SharedPart) -> bool {
    match (kind, shared) {
        (LabelledKind::Intent | LabelledKind::Outcome | LabelledKind::Preview, SharedPart::Exchange(exchange)) => {
            exchange.fits(kind)
        }
        (LabelledKind::Inspection, SharedPart::Inspection(_) | SharedPart::Release(_))
        | (LabelledKind::Void, SharedPart::Void(_)) => true,
        _ => false,
    }
}

/// Reports whether an entry of this kind may have a label of this series and phase.
pub(crate) fn belongs(kind: LabelledKind, series: Series, phase: Phase) -> bool {
    let exchange = matches!(series, Series::Exchanges | Series::DelayedExchanges);
    match kind {
        LabelledKind::Intent => exchange && phase == Phase::Intent,
        LabelledKind::Void => phase == Phase::Intent,
        LabelledKind::Outcome => exchange && phase == Phase::Outcome,
        LabelledKind::Preview => exchange && phase == Phase::Preview,
        LabelledKind::Inspection => !exchange && phase == Phase::Intent,
    }
}
