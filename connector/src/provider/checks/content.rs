//! What is asked, and by which permission: P6 and P7.

use ledger_client::recorded::{Intent, Recorded};
use messages::xnachweis::{Authority, EvidenceRequest0101, Subject};
use messages::{CheckName, Forward, LoginProof, PowerProof, ProviderContent, RequestContent};
use record::{ExchangeRecord, Label, Series, Timestamp};
use registerlandkarte::Permission;
use tlog::merkle::Index;
use trust::{RelianceError, TrustKind};

use super::failed::CheckFailed;
use crate::context::CheckContext;
use crate::keys::SealingKeys;
use crate::record_check::{self, Decision, SignedParts};

/// What P6 opens: the intent's record and the request, which say the same.
pub(super) struct MatchingRecord {
    pub(super) record: Box<ExchangeRecord>,
    pub(super) request: EvidenceRequest0101,
    pub(super) login: Option<LoginProof>,
    pub(super) power: Option<PowerProof>,
}

/// P6: the record opens with the key that identity gave, is the one the intent commits to, and says what the signed
/// request and its metadata say.
pub(super) fn p6_record(
    context: &CheckContext,
    sealing: &SealingKeys,
    forward: &Forward,
    intent: &Recorded<Intent>,
    label: &Label,
    content: &ProviderContent,
) -> Result<MatchingRecord, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P6);
    let (entry, index) = (intent.entry(), intent.index());
    let record = record_check::open(&forward.sealed_record, entry, label, &content.shared_key).map_err(&failed)?;
    let sent = SignedParts {
        metadata: &forward.metadata,
        s1: &forward.s1,
        s2: &forward.s2,
        answer_key: forward.answer_key,
        sealed_request: &forward.sealed_request,
    };
    record_check::check_content(&record, &sent, context.at(index)).map_err(&failed)?;
    if record.result.is_some() {
        return Err(failed("the intent's record has a result already"));
    }
    if forward.metadata.test != context.test {
        return Err(failed("test messages and others are not mixed"));
    }
    let (request, login, power) = open_request(context, sealing, forward, index).map_err(&failed)?;
    let named = request.query.natural_person().and_then(|person| person.idnr.as_ref());
    let idnr = &content.idnr;
    if !idnr.is_nobody() && named.is_some_and(|named| named != idnr) {
        return Err(failed("identity names another person than the consumer"));
    }
    // Nothing about a legal person is recorded under a person's label, and nothing about a person under nobody's.
    if !idnr.is_nobody() && record.subject == record::Subject::Legal {
        return Err(failed(
            "identity names a person, and the request is about a legal person",
        ));
    }
    Ok(MatchingRecord {
        record,
        request,
        login,
        power,
    })
}

/// Opens the XNachweis request, which must be the one that the metadata and the record digest.
fn open_request(
    context: &CheckContext,
    sealing: &SealingKeys,
    forward: &Forward,
    intent: Index,
) -> Result<(EvidenceRequest0101, Option<LoginProof>, Option<PowerProof>), &'static str> {
    let metadata = &forward.metadata;
    let sealed = sealing
        .open(|key| RequestContent::open(&forward.sealed_request, key, &forward.s1.digest()))
        .map_err(|_| "the request is not sealed to this provider under this S1")?;
    if sealed.digest() != metadata.request_digest {
        return Err("the request is not the one that was digested");
    }
    let request = EvidenceRequest0101::parse(&sealed.xml).map_err(|_| "the request is not XNachweis 0101")?;
    let head = &request.head;
    if head.message != metadata.message || head.test != metadata.test {
        return Err("the request and the metadata are of different messages");
    }
    let directory = context.at(intent);
    let consumer = directory.consumer(&metadata.consumer);
    let authority = |component| directory.party(component).map(|party| Authority::from(&party));
    let consumer = consumer.and_then(authority);
    let me = directory.provider(&context.me).and_then(authority);
    if Some(&head.consumer) != consumer.as_ref() || Some(&head.provider) != me.as_ref() {
        return Err("the request names other authorities");
    }
    let query = &request.query;
    if query.evidence_type.id != metadata.evidence_type {
        return Err("the request asks for other evidence");
    }
    if query.representative.is_some() != metadata.representation.is_some() {
        return Err("the request and the metadata differ in whether a representative acts");
    }
    let logged_in = query
        .representative
        .as_ref()
        .map(|representative| representative.assurance);
    if logged_in.is_some_and(|assurance| assurance != metadata.assurance) {
        return Err("the representative's level of assurance differs");
    }
    let (kind, assurance, names_idnr) = match &query.subject {
        Subject::Natural(person) => (record::Subject::Natural, person.assurance, person.idnr.is_some()),
        Subject::Legal(person) => (record::Subject::Legal, person.assurance, false),
    };
    if kind != metadata.subject {
        return Err("the request is about another kind of subject");
    }
    if assurance != metadata.assurance || names_idnr != metadata.idnr_used {
        return Err("the request's level of assurance or use of the IDNr differs");
    }
    Ok((request, sealed.login, sealed.power))
}

/// P7: the decision, replayed on the version of the Registerlandkarte that the record names, is the one the record
/// names; retention, expiry day, disclosure and with it the series are that permission's. The directory in force at the
/// intent and that version are the newest, or have been superseded for less than the grace.
pub(super) fn p7_permission(
    context: &CheckContext,
    forward: &Forward,
    intent: &Recorded<Intent>,
    record: &ExchangeRecord,
    series: Series,
    now: Timestamp,
) -> Result<Permission, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P7);
    let intended_at = intent.entry().time;
    may_rely_on_directory(context, intent.index(), now)
        .map_err(|_| failed("the directory of the intent was superseded too long ago"))?;
    let decision = Decision {
        intent: intent.index(),
        decided_at: intended_at,
        closed_at: intended_at,
        relied_at: now,
    };
    let permission = record_check::check_permission(record, &forward.metadata, &context.history, &decision);
    let permission = permission.map_err(&failed)?;
    if series != record_check::series(permission.rule.disclosure) {
        return Err(failed(
            "the label's series is not that of the permission's disclosure class",
        ));
    }
    Ok(permission)
}

/// P7 for a deferred answer: the newest directory and Registerlandkarte permit the exchange at `now`.
pub(super) fn p7_still_permitted(context: &CheckContext, forward: &Forward, now: Timestamp) -> Result<(), CheckFailed> {
    let history = &context.history;
    let permission = history.permit(history.newest_versions(), &forward.metadata.transmission(), now);
    permission.map(drop).map_err(|_| {
        CheckFailed::of(CheckName::P7)("the exchange was permitted when its answer was deferred, and is no more")
    })
}

fn may_rely_on_directory(context: &CheckContext, intent: Index, now: Timestamp) -> Result<(), RelianceError> {
    let in_force = context.history.in_force(TrustKind::Directory, intent)?;
    context.history.may_rely_on(TrustKind::Directory, in_force, now)
}
