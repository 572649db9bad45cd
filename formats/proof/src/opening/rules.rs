//! Rules that openings and bundles share.

use record::{ExchangeRecord, ExpiryDay, LabelledKind, Phase, Series, SharedPart, Timestamp};

/// How much older than the witnesses' time a `map` entry may be that is not the last of its tree, in seconds (design §5.3).
pub const FRESH: u64 = 60;

/// A record is kept up to the end of its day. Identity's clock may be a little ahead of the witnesses'.
pub(crate) fn has_expired(expiry: ExpiryDay, witnessed: Timestamp) -> bool {
    witnessed.after(FRESH).day() > expiry.0
}

/// An intent says nothing of the result, an outcome must.
pub(crate) fn fits(kind: LabelledKind, shared: &SharedPart) -> bool {
    let result = |exchange: &ExchangeRecord| exchange.result.is_some();
    match (kind, shared) {
        (LabelledKind::Intent, SharedPart::Exchange(exchange)) => !result(exchange),
        (LabelledKind::Outcome, SharedPart::Exchange(exchange)) => result(exchange),
        (LabelledKind::Preview, SharedPart::Exchange(_)) => true,
        (LabelledKind::Inspection, SharedPart::Inspection(_)) | (LabelledKind::Void, SharedPart::Void(_)) => true,
        _ => false,
    }
}

/// Which kinds a label of this series and phase may carry.
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
