//! Compares the record of an exchange with what was sent and permitted. Both roles use it (P6, P7, C2).
//!
//! A record is accepted when it opens, when its bytes have the commitment of its entry, and when *every* field is known
//! to the comparing side from elsewhere: from the signed request, from the directory in force at the intent, or from
//! the version of the Registerlandkarte that it names, by replaying the decision. The broker can choose no field freely
//! except the told reason and the checks, which are its own statements. The provider's signature covers the result.

use ledger_client::recorded::{self, Intent, Outcome, Recorded};
use messages::{Metadata, OutcomeNotice, S1, SealingPublicKey, Signature};
use record::content::ConsumerSignatures;
use record::{
    Body, DisclosureClass, Entry, ExchangeRecord, ExchangeResult, Ids, Label, PartKey, Phase, SealedRecord, Series,
    SharedPart, SubjectRole, Timestamp, label,
};
use registerlandkarte::Permission;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use trust::{History, TrustKind, Version, Versions};

use crate::context::{CheckContext, DirectoryAt};

/// Longest time between sealing a record and the time of its entry, in seconds. The expiry day may be that of either.
const SEALED_BEFORE: u64 = 120;

/// What a consumer signed, to compare a record with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedParts<'a> {
    pub(crate) metadata: &'a Metadata,
    pub(crate) s1: &'a S1,
    pub(crate) s2: &'a Signature,
    pub(crate) answer_key: SealingPublicKey,
    pub(crate) sealed_request: &'a [u8],
}

/// Checks that the outcome closes the intent: it refers to it, is by the same writer, whose key may have been replaced
/// in between, and has the period and the label that follow from the intent. Under any other label the person would
/// never find the outcome. Returns the label.
///
/// # Errors
/// The reason.
pub(crate) fn closing_label(
    history: &History,
    intent: &Recorded<Intent>,
    outcome: &Recorded<Outcome>,
) -> Result<Label, &'static str> {
    later_label(history, intent, outcome, Phase::Outcome)
}

/// The same for an entry of any later phase of the exchange.
///
/// # Errors
/// The reason.
pub(crate) fn later_label<K>(
    history: &History,
    intent: &Recorded<Intent>,
    outcome: &Recorded<K>,
    phase: Phase,
) -> Result<Label, &'static str> {
    let (
        Body::Labelled {
            period: begun,
            label: asked,
            ..
        },
        Body::Labelled {
            period, label, refers, ..
        },
    ) = (&intent.entry().body, &outcome.entry().body)
    else {
        return Err("an entry has no label");
    };
    let begun_by = history.check_writer_at(intent.signed_entry(), intent.index());
    let closed_by = history.check_writer_at(outcome.signed_entry(), outcome.index());
    let one_writer = begun_by.is_ok_and(|begun| closed_by.is_ok_and(|closed| begun.name == closed.name));
    if *refers != Some(intent.index()) || begun != period || !one_writer {
        return Err("the outcome closes another intent");
    }
    if label::of_phase(asked, phase) != *label {
        return Err("the outcome's label does not follow from its intent's");
    }
    Ok(*label)
}

/// Opens the shared part of the record that belongs to a labelled `entry`.
///
/// # Errors
/// The reason, without any content of the record.
pub(crate) fn open(
    bytes: &[u8],
    entry: &Entry,
    label: &Label,
    key: &PartKey,
) -> Result<Box<ExchangeRecord>, &'static str> {
    let sealed = SealedRecord::parse(bytes).map_err(|_| "the sealed record is malformed")?;
    if entry.body.commitment() != Some(sealed.commitment()) {
        return Err("the sealed record is not the one that the entry commits to");
    }
    let shared = sealed
        .open_shared(key, Some(label))
        .map_err(|_| "the sealed record does not open")?;
    let SharedPart::Exchange(record) = shared else {
        return Err("the record is not that of an exchange");
    };
    let Body::Labelled { kind, .. } = entry.body else {
        return Err("the entry has no label");
    };
    if !record.fits(kind) {
        return Err("the record is of another kind of entry");
    }
    let header = sealed.header();
    if header.class != record.lifecycle.retention || header.expiry != record.lifecycle.expiry {
        return Err("the record's header and content differ");
    }
    Ok(record)
}

/// Compares the record with what the consumer sent and with the directory in force at the intent: P6 and C2.
///
/// # Errors
/// The first group of fields that differs, without their values.
pub(crate) fn check_content(
    record: &ExchangeRecord,
    sent: &SignedParts<'_>,
    directory: DirectoryAt<'_>,
) -> Result<(), &'static str> {
    let metadata = sent.metadata;
    let ids = Ids {
        exchange: metadata.exchange,
        message: metadata.message,
        request_reference: metadata.request_reference.to_string(),
        trace: metadata.trace.to_string(),
        test: metadata.test,
    };
    if record.ids != ids {
        return Err("the record's identifiers differ");
    }
    let consumer = directory
        .consumer(&metadata.consumer)
        .and_then(|consumer| directory.party(consumer));
    let provider = directory
        .provider(&metadata.provider)
        .and_then(|provider| directory.party(provider));
    if Some(&record.consumer) != consumer.as_ref() || Some(&record.provider) != provider.as_ref() {
        return Err("the record's parties differ");
    }
    if record.evidence.id != metadata.evidence_type || record.why.purpose != metadata.purpose {
        return Err("the record's evidence type or purpose differs");
    }
    if record.request_digest != metadata.request_digest {
        return Err("the record's request digest differs");
    }
    if record.subject != metadata.subject {
        return Err("the record's kind of subject differs");
    }
    let subject = (record.role, record.idnr_used, record.assurance, record.synchronous);
    if subject
        != (
            metadata.role,
            metadata.idnr_used,
            metadata.assurance,
            metadata.synchronous,
        )
    {
        return Err("the record's role, use of the IDNr, assurance or mode differs");
    }
    if record.representation != metadata.representation {
        return Err("the record's representation differs");
    }
    let signatures = ConsumerSignatures {
        s1: sent.s1.signature.0,
        s2: sent.s2.0,
        s1_digest: sent.s1.digest(),
        sealed_request: messages::sha256_of(&[sent.sealed_request]),
        answer_key: sent.answer_key.0,
    };
    if record.consumer_signatures != signatures {
        return Err("the record's signatures differ");
    }
    Ok(())
}

/// Compares the representative's record with the represented person's, which has been checked: it says the same, apart
/// from the role and the S1 of the person. The expiry days may be adjacent, because the two are sealed one after the
/// other.
///
/// # Errors
/// The reason.
pub(crate) fn check_representatives(
    record: &ExchangeRecord,
    subject: &ExchangeRecord,
    (s1, s1_digest): ([u8; 64], Hash),
) -> Result<(), &'static str> {
    let mut expected = subject.clone();
    expected.role = SubjectRole::Representative;
    (expected.consumer_signatures.s1, expected.consumer_signatures.s1_digest) = (s1, s1_digest);
    if record.lifecycle.expiry.0.abs_diff(subject.lifecycle.expiry.0) <= 1 {
        expected.lifecycle.expiry = record.lifecycle.expiry;
    }
    if *record == expected {
        Ok(())
    } else {
        Err("the representative's record differs from the represented person's")
    }
}

/// What a notice proves of the representative, if one acts.
pub(crate) struct RepresentativesOutcome {
    pub(crate) intent: Recorded<Intent>,
    pub(crate) outcome: Recorded<Outcome>,
}

/// The checkpoints of all receipts of a closed exchange.
pub(crate) fn checkpoints<'a>(
    intent: &'a Recorded<Intent>,
    outcome: &'a Recorded<Outcome>,
    representative: Option<&'a RepresentativesOutcome>,
) -> Vec<&'a Checkpoint> {
    let representative = representative.into_iter();
    let representative = representative.flat_map(|of| [of.intent.checkpoint(), of.outcome.checkpoint()]);
    [intent.checkpoint(), outcome.checkpoint()]
        .into_iter()
        .chain(representative)
        .collect()
}

/// Checks what a notice has of the representative: both receipts prove entries of the anchored log, the outcome closes
/// the intent under its label, and its record says what the represented person's record says. `s1` is what the
/// consumer signed, where it is known.
///
/// If the ledger did not take the representative's intent, nothing was forwarded, and the exchange has failed without
/// an answer: then alone the notice may lack the representative.
///
/// # Errors
/// The reason.
pub(crate) fn representatives_outcome(
    context: &CheckContext,
    notice: &OutcomeNotice,
    subject: &ExchangeRecord,
    s1: Option<&S1>,
) -> Result<Option<RepresentativesOutcome>, &'static str> {
    let Some(sent) = &notice.representative else {
        let failed =
            |result: &ExchangeResult| result.outcome == record::Outcome::Failed && result.answer_digest.is_none();
        return if subject.representation.is_none() || subject.result.as_ref().is_some_and(failed) {
            Ok(None)
        } else {
            Err("the exchange is not recorded for the representative")
        };
    };
    if subject.representation.is_none() {
        return Err("the notice has a representative, and none acts");
    }
    let intent = recorded::check::<Intent>(&sent.intent_receipt, &context.trust, &context.history)
        .map_err(|_| "the receipt of the representative's intent does not hold")?;
    let outcome = recorded::check::<Outcome>(&sent.outcome_receipt, &context.trust, &context.history)
        .map_err(|_| "the receipt of the representative's outcome does not hold")?;
    if !context.is_from_our_log(&intent) || !context.is_from_our_log(&outcome) {
        return Err("a receipt of the representative is of another log");
    }
    let label = closing_label(&context.history, &intent, &outcome)?;
    let record = open(&sent.sealed_record, outcome.entry(), &label, &sent.shared_key)?;
    let own = &record.consumer_signatures;
    let signed = s1.map_or((own.s1, own.s1_digest), |s1| (s1.signature.0, s1.digest()));
    check_representatives(&record, subject, signed)?;
    Ok(Some(RepresentativesOutcome { intent, outcome }))
}

/// Where and when the broker decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision {
    /// The index of the intent.
    pub(crate) intent: Index,
    /// The time of the intent.
    pub(crate) decided_at: Timestamp,
    /// The time of the entry that the record belongs to; the expiry day counts from there.
    pub(crate) closed_at: Timestamp,
    /// The time at which the exchange relies on the version.
    pub(crate) relied_at: Timestamp,
}

/// The version of the Registerlandkarte that a record names. It must not be later than the one in force at the intent.
/// It may be an earlier one, which the broker still had, until the grace has passed.
fn named_version(record: &ExchangeRecord, history: &History, decision: &Decision) -> Result<Version, &'static str> {
    const KIND: TrustKind = TrustKind::Registerlandkarte;
    let unknown = "the version of the Registerlandkarte is not known";
    let named = history
        .named(KIND, &record.allowed_by.registerlandkarte)
        .ok_or("the record names no version of the Registerlandkarte")?
        .version;
    if named > history.in_force(KIND, decision.intent).map_err(|_| unknown)? {
        return Err("the record names a version of the Registerlandkarte that was not in force yet");
    }
    history
        .may_rely_on(KIND, named, decision.relied_at)
        .map_err(|_| "the record names a version of the Registerlandkarte that was superseded too long ago")?;
    Ok(named)
}

/// Replays the decision on the directory in force at the intent and the version of the Registerlandkarte that the
/// record names, and compares the record with it: P7 and C2.
///
/// # Errors
/// When the version may not be relied on, no rule permits the exchange, or the record differs from the rule that does.
pub(crate) fn check_permission(
    record: &ExchangeRecord,
    metadata: &Metadata,
    history: &History,
    decision: &Decision,
) -> Result<Permission, &'static str> {
    let Decision {
        decided_at, closed_at, ..
    } = *decision;
    let directory = history.in_force(TrustKind::Directory, decision.intent);
    let versions = Versions {
        directory: directory.map_err(|_| "the directory in force at the intent is not known")?,
        registerlandkarte: named_version(record, history, decision)?,
    };
    let permission = history
        .permit(versions, &metadata.transmission(), decided_at)
        .map_err(|_| "no rule permits this exchange")?;
    let rule = &permission.rule;
    if record.allowed_by != permission.allowed_by() {
        return Err("the record names another permission");
    }
    if record.evidence != permission.evidence || record.why != permission.why {
        return Err("the record's evidence or reasons are not the permission's");
    }
    let lifecycle = &record.lifecycle;
    if lifecycle.retention != rule.retention || lifecycle.disclosure != rule.disclosure {
        return Err("the record's retention or disclosure class is not the permission's");
    }
    let days = [
        closed_at.before(SEALED_BEFORE),
        closed_at,
        closed_at.after(SEALED_BEFORE),
    ];
    if !days.iter().any(|time| rule.retention.expiry(*time) == lifecycle.expiry) {
        return Err("the record's expiry day is not the permission's");
    }
    Ok(permission)
}

/// The series of exchanges with this disclosure class.
pub(crate) fn series(disclosure: DisclosureClass) -> Series {
    match disclosure {
        DisclosureClass::Immediate => Series::Exchanges,
        DisclosureClass::Delayed => Series::DelayedExchanges,
    }
}
