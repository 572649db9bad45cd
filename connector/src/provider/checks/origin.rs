//! Where the forward comes from and when: P1, P2, P3, P8.

use ledger_client::recorded::{self, Intent};
use messages::request::verify_consumer;
use messages::{CheckName, Forward, ProviderContext, ProviderPart};
use record::{Body, LabelledKind};

use super::{Addressed, Case, Checked, Fault, Permitted, Proved, Signed};

/// An intent may be this old, by its own time, when it is served.
const MAX_AGE: u64 = 60;

/// P1: the receipt proves the intent in the anchored log, written by who may, at most 60 s ago.
pub(super) fn p1_receipt(case: &Case<'_>) -> Result<Proved, Fault> {
    let fault = Fault::of(CheckName::P1);
    let judge = case.judge;
    let intent = recorded::check::<Intent>(&case.forward.intent_receipt, &judge.trust, &judge.directory)
        .map_err(|_| fault("the receipt does not prove an intent"))?;
    if !judge.of_our_log(&intent) {
        return Err(fault("the receipt is of another log"));
    }
    if intent.entry().time.distance(case.now) > MAX_AGE {
        return Err(fault("the intent is older than 60 s, or from the future"));
    }
    match intent.entry().body {
        Body::Labelled {
            kind: LabelledKind::Intent,
            period,
            label,
            ..
        } => Ok(Proved { intent, label, period }),
        _ => Err(fault("the entry has no label")),
    }
}

/// P2: the consumer, as the directory knows it, signed S1 and S2 over what was forwarded, for this provider.
pub(super) fn p2_signatures(case: &Case<'_>, proved: Proved) -> Result<Signed, Fault> {
    let fault = Fault::of(CheckName::P2);
    let forward = case.forward;
    let consumer = case
        .judge
        .directory
        .consumer(&forward.metadata.consumer)
        .ok_or_else(|| fault("the consumer is not in the directory"))?;
    let key = consumer.signing_key;
    let Forward {
        metadata,
        s1,
        s2,
        answer_key,
        sealed_request,
        ..
    } = forward;
    verify_consumer(&key, metadata, s1, s2, *answer_key, sealed_request)
        .map_err(|_| fault("the consumer's signatures do not cover what was forwarded"))?;
    if metadata.provider != case.judge.me.party.id {
        return Err(fault("the request is for another provider"));
    }
    Ok(Signed { proved })
}

/// P3: identity sealed and signed its part for this label, this provider and this S1.
pub(super) fn p3_identity(case: &Case<'_>, signed: Signed) -> Result<Addressed, Fault> {
    let fault = Fault::of(CheckName::P3);
    let context = ProviderContext {
        label: signed.proved.label,
        provider: case.judge.me.party.id.clone(),
        s1: case.forward.s1.digest(),
    };
    let part = ProviderPart::open(&case.forward.for_provider, case.sealing, &context)
        .map_err(|_| fault("identity's part is not sealed for this label, provider and S1"))?;
    part.verify(&context, &case.judge.directory.identity.signing)
        .map_err(|_| fault("identity did not sign its part for this label, provider and S1"))?;
    Ok(Addressed {
        signed,
        content: part.content,
    })
}

/// P8: the consumer still waits.
pub(super) fn p8_deadline(case: &Case<'_>, permitted: Permitted) -> Result<Checked, Fault> {
    if case.now > case.forward.metadata.deadline {
        return Err(Fault::of(CheckName::P8)("the deadline has passed"));
    }
    Ok(Checked { permitted })
}
