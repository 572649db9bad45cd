//! What happens with a completion: the checks, the authority's protocol, the answer, and the acknowledgement.

use messages::xnachweis::Subject;
use messages::{Completion, ExchangeRequest, OutcomeNotice};
use record::{Outcome, Timestamp};
use service::Problem;
use store::TableError;
use uuid::Uuid;

use super::checks::{self, Accepted, Opened};
use super::idempotency::ExchangeKey;
use super::preview::Viewer;
use super::query::{EvidenceResult, ResultState};
use super::request::PendingRequest;
use super::{Consumer, refuse, state_failed};
use crate::alarm;
use crate::context::CheckContext;
use crate::protocol::entry::{Closing, ProtocolEntry};

impl Consumer {
    /// Runs C1 to C3, and relies on both checkpoints.
    pub(super) async fn prove(&self, request: &ExchangeRequest, completion: &Completion) -> Result<Accepted, Problem> {
        let exchange = request.metadata.exchange;
        let check = |context: &CheckContext| checks::check(context, request, completion);
        let (known, receipt) = (self.common.context.known(), completion.notice.last_receipt());
        let (_, accepted) = self.common.context.judge(known, receipt, check).await;
        let accepted = accepted.map_err(|error| refuse(exchange, error.check, error.why))?;
        self.common.rely(&accepted.checkpoints()).await?;
        Ok(accepted)
    }

    /// Runs C1 to C3, relies on both checkpoints, opens the answer, and acknowledges it, in this order. Evidence that
    /// awaits its preview is on disk before the broker may forget it.
    pub(super) async fn accept(
        &self,
        pending: &PendingRequest,
        completion: &Completion,
        viewer: Option<Viewer>,
    ) -> Result<EvidenceResult, Problem> {
        let accepted = self.prove(&pending.request, completion).await?;
        let entry = protocol_entry(pending, &accepted, &completion.notice, self.common.now());
        let logged = self.common.log(entry).await;
        logged.inspect_err(|_| self.ask_again(pending))?;
        let answer = self.answer(pending, &accepted, completion, viewer).await?;
        if !self.acknowledge(pending.exchange(), accepted.indices().1).await {
            self.ask_again(pending);
        } else if let Err(error) = self.forget(pending).await {
            alarm::raise("state", Some(pending.exchange()), &error.to_string());
        }
        answer
    }

    /// Opens the answer of an accepted completion and keeps it for its key. The outer error is that of the state.
    pub(super) async fn answer(
        &self,
        pending: &PendingRequest,
        accepted: &Accepted,
        completion: &Completion,
        viewer: Option<Viewer>,
    ) -> Result<Result<EvidenceResult, Problem>, Problem> {
        let exchange = pending.exchange();
        let refuse = |error: checks::CompletionError| refuse(exchange, error.check, error.why);
        let opened = match &pending.xnachweis {
            Some(xnachweis) => accepted.open(&pending.answer_key, xnachweis).map_err(refuse),
            None => Ok(Opened::Nothing),
        };
        let awaiting = if accepted.awaits_preview() {
            // Only an answer that is as it should be is shown to anyone.
            let viewer = viewer.filter(|_| matches!(opened, Ok(Opened::AwaitsPreview)));
            let viewer = viewer.map(|viewer| (viewer, &pending.answer_key));
            let closed = (accepted, completion.notice.intent_receipt.as_slice());
            let kept = self.previews.keep(&self.common, &pending.request, closed, viewer).await;
            Some(kept.inspect_err(|_| self.ask_again(pending))?)
        } else {
            None
        };
        let answer = match (opened, awaiting) {
            (Err(problem), _) => Err(problem),
            (Ok(_), Some(awaiting)) => Ok(awaiting),
            (Ok(opened), None) => answer_of(exchange, accepted, opened),
        };
        // With a key the answer is final: another attempt needs another key.
        let answer = answer.map_err(|problem| match pending.key {
            Some(_) => Problem {
                retry_after: None,
                ..problem
            },
            None => problem,
        });
        if let Err(error) = self.keep_answer(pending.key.as_ref(), exchange, &answer).await {
            self.ask_again(pending);
            return Err(state_failed(&error));
        }
        Ok(answer)
    }

    /// Keeps the answer of a request with a key. To be called before its exchange is forgotten.
    pub(super) async fn keep_answer(
        &self,
        key: Option<&ExchangeKey>,
        exchange: Uuid,
        answer: &Result<EvidenceResult, Problem>,
    ) -> Result<(), TableError> {
        self.answers.keep(key, exchange, answer, self.common.now()).await
    }

    /// Acknowledges the outcome, so that the broker may forget the answer. Returns whether the broker has it.
    pub(super) async fn acknowledge(&self, exchange: Uuid, outcome: u64) -> bool {
        self.broker
            .acknowledge(&self.common.keys.signing(), exchange, outcome)
            .await
    }

    /// Forgets an exchange that is closed and acknowledged, or was never begun.
    pub(super) async fn forget(&self, pending: &PendingRequest) -> Result<(), TableError> {
        if pending.request.metadata.synchronous {
            self.journal.forget(pending.exchange()).await
        } else {
            self.later.remove(pending.exchange()).await
        }
    }

    /// Asks the broker again later for an exchange whose end is not certain.
    pub(super) fn ask_again(&self, pending: &PendingRequest) {
        // One that may wait is in a table of its own, which is searched for what is due.
        if pending.request.metadata.synchronous {
            self.unresolved.add(pending.without_message());
        }
    }
}

/// The answer of an exchange that needs no preview.
fn answer_of(exchange: Uuid, accepted: &Accepted, opened: Opened) -> Result<EvidenceResult, Problem> {
    let (intent, outcome_entry) = accepted.indices();
    let outcome = match accepted.outcome() {
        Outcome::Delivered => ResultState::Delivered,
        Outcome::NothingFound => ResultState::NothingFound,
        Outcome::Refused => return Err(Problem::forbidden("refused", "")),
        Outcome::Failed => {
            return Err(Problem::unavailable(
                "provider-unavailable",
                30,
                "the provider could not answer",
            ));
        }
        Outcome::TimedOut => return Err(Problem::timeout("the provider did not answer in time")),
    };
    Ok(EvidenceResult {
        outcome_entry: Some(outcome_entry),
        evidence: opened.evidence(),
        ..EvidenceResult::new(exchange, outcome, intent)
    })
}

/// What the authority's protocol has of an accepted completion. After a restart the person of the request is known to
/// those alone to whom it is sealed.
pub(super) fn protocol_entry(
    pending: &PendingRequest,
    accepted: &Accepted,
    notice: &OutcomeNotice,
    now: Timestamp,
) -> ProtocolEntry {
    let subject = pending.xnachweis.as_ref().map(|message| &message.query.subject);
    let idnr = match subject {
        Some(Subject::Natural(person)) => person.idnr.as_ref().map(|idnr| idnr.expose().to_owned()),
        _ => None,
    };
    entry_of(pending.exchange(), idnr, accepted, notice, now)
}

/// The same without a caller.
pub(super) fn entry_of(
    exchange: Uuid,
    idnr: Option<String>,
    accepted: &Accepted,
    notice: &OutcomeNotice,
    now: Timestamp,
) -> ProtocolEntry {
    let (intent, outcome) = accepted.indices();
    ProtocolEntry {
        exchange,
        at: now,
        intent,
        intent_receipt: notice.intent_receipt.clone(),
        record: accepted.record().clone(),
        closing: Some(Closing {
            outcome,
            receipt: notice.outcome_receipt.clone(),
            sealed_record: notice.sealed_record.clone(),
            key: notice.shared_key.clone(),
        }),
        idnr,
    }
}
