//! Where the forward comes from and when: P1, P2, P3, P8.

use ledger_client::recorded::{self, Intent, Recorded};
use messages::limits::{MAX_INTENT_AGE, MAX_LATER_SECONDS};
use messages::request::verify_consumer;
use messages::{CheckName, Forward, ProviderContent, ProviderContext, ProviderPart, S1};
use record::{Body, Label, LabelledKind, Period, Timestamp};
use tlog::merkle::Index;

use super::failed::CheckFailed;
use crate::context::CheckContext;
use crate::keys::SealingKeys;

/// What P1 proves: the intent is in the log.
pub(super) struct ProvedIntent {
    pub(super) intent: Recorded<Intent>,
    pub(super) label: Label,
    pub(super) period: Period,
}

/// P2 has passed. Only [`p2_signatures`] makes one.
pub(super) struct ConsumerSigned(());

/// P1's age has passed. Only [`p1_age`] makes one.
pub(super) struct Recent(());

/// P8 has passed. Only [`p8_deadline`] makes one.
pub(super) struct BeforeDeadline(());

/// P1: the receipt proves an intent of the anchored log, written by a writer with the right to, by the directory in
/// force there. Its age is checked later, by [`p1_age`].
pub(super) fn p1_receipt(context: &CheckContext, receipt: &[u8]) -> Result<ProvedIntent, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P1);
    let intent = recorded::check::<Intent>(receipt, &context.trust, &context.history)
        .map_err(|_| failed("the receipt does not prove an intent"))?;
    if !context.is_from_our_log(&intent) {
        return Err(failed("the receipt is of another log"));
    }
    match intent.entry().body {
        Body::Labelled {
            kind: LabelledKind::Intent,
            period,
            label,
            ..
        } => Ok(ProvedIntent { intent, label, period }),
        _ => Err(failed("the entry has no label")),
    }
}

/// P1: the intent is at most 60 s old, by its own time.
pub(super) fn p1_age(intent: &Recorded<Intent>, now: Timestamp) -> Result<Recent, CheckFailed> {
    if intent.entry().time.distance(now) > MAX_INTENT_AGE {
        return Err(CheckFailed::of(CheckName::P1)(
            "the intent is older than 60 s, or from the future",
        ));
    }
    Ok(Recent(()))
}

/// P2: the consumer, as the directory in force at the intent knows it, signed S1 and S2 over what was forwarded, for
/// this provider.
pub(super) fn p2_signatures(
    context: &CheckContext,
    forward: &Forward,
    intent: Index,
) -> Result<ConsumerSigned, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P2);
    let consumer = context
        .at(intent)
        .consumer(&forward.metadata.consumer)
        .ok_or_else(|| failed("the consumer is not in the directory"))?;
    let Forward {
        metadata,
        s1,
        s2,
        answer_key,
        sealed_request,
        representative,
        ..
    } = forward;
    let both = (s1, representative.as_ref().map(|representative| &representative.s1));
    consumer
        .verified(|key| verify_consumer(key, metadata, both, s2, *answer_key, sealed_request))
        .map_err(|_| failed("the consumer's signatures do not cover what was forwarded"))?;
    if metadata.provider != context.me {
        return Err(failed("the request is for another provider"));
    }
    Ok(ConsumerSigned(()))
}

/// P3: identity, as the directory in force at the intent knows it, sealed and signed its part for this label, this
/// provider and this S1.
pub(super) fn p3_identity(
    context: &CheckContext,
    sealing: &SealingKeys,
    (s1, for_provider): (&S1, &[u8]),
    proved: &ProvedIntent,
) -> Result<ProviderContent, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P3);
    let binding = ProviderContext {
        label: proved.label,
        provider: context.me.clone(),
        s1: s1.digest(),
    };
    let part = sealing
        .open(|key| ProviderPart::open(for_provider, key, &binding))
        .map_err(|_| failed("identity's part is not sealed for this label, provider and S1"))?;
    let not_signed = || failed("identity did not sign its part for this label, provider and S1");
    let identity = context.at(proved.intent.index()).identity().ok_or_else(not_signed)?;
    part.verify(&binding, &identity.signing).map_err(|_| not_signed())?;
    Ok(part.content)
}

/// P8: the deadline, until which the consumer waits, has not passed.
pub(super) fn p8_deadline(forward: &Forward, now: Timestamp) -> Result<BeforeDeadline, CheckFailed> {
    if now > forward.metadata.deadline {
        return Err(CheckFailed::of(CheckName::P8)("the deadline has passed"));
    }
    Ok(BeforeDeadline(()))
}

/// P8 for a deferred answer: the evidence was to be available by now.
pub(super) fn p8_later(intent: &Recorded<Intent>, now: Timestamp) -> Result<(), CheckFailed> {
    if now > intent.entry().time.after(MAX_LATER_SECONDS) {
        return Err(CheckFailed::of(CheckName::P8)(
            "the time for a deferred answer has passed",
        ));
    }
    Ok(())
}
