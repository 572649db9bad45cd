//! Rules that openings and bundles share.

use record::{ExchangeRecord, ExpiryDay, LabelledKind, Phase, Series, SharedPart, Timestamp};

/// The most seconds by which a `map` entry that is not the last of its tree may be older than the witnesses' time
/// (design §5.3).
pub const MAX_MAP_AGE: u64 = 60;

/// Reports whether a record has expired. A record is kept until the end of its day. Identity's clock may be ahead of
/// the witnesses' by up to [`MAX_MAP_AGE`] seconds.
pub(crate) fn has_expired(expiry: ExpiryDay, witnessed: Timestamp) -> bool {
    witnessed.after(MAX_MAP_AGE).day() > expiry.0
}

/// Reports whether the content fits the kind: an intent must not have a result, an outcome must have one.
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
