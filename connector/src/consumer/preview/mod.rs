//! The preview (Vorschau): evidence that the authority may use only when its person has accepted.
//!
//! ```text
//! POST /evidence                        202 awaiting_preview, without evidence
//! POST /evidence/{exchange}/preview     200 the evidence, for the person's eyes alone
//! POST /evidence/{exchange}/decision    200 delivered with the evidence, rejected or cancelled
//! GET  /evidence/{exchange}             200 or 202, how it stands, without evidence
//! ```
//!
//! The permission decides whether a preview is due; this connector reads it from the logged Registerlandkarte (C2). It
//! then keeps the answer sealed, locked with the login that the query named ([`super::login`]). Another login gets the
//! same 404 as an unknown exchange.
//!
//! A decision is certain when it is on disk, signed, before it is sent. Evidence that was not accepted is destroyed in
//! the same write. It is handed out only after [`checks::preview`] has proved that the log has the acceptance and this
//! connector relies on that checkpoint. A person who has not decided by `decide_until` has not accepted: the sweep
//! destroys the evidence and records that no decision was made. The same holds for evidence that arrives when its
//! caller has gone.

pub(crate) mod table;

use messages::{ExchangeRequest, PreviewStatement, SealingKey, SignedDecision};
use record::{PreviewDecision, Timestamp};
use service::Problem;
use store::{Store, TableError};
use uuid::Uuid;

use super::broker::BrokerClient;
use super::checks::preview::{self as check, AcceptedPreview, Expected, PreviewError, RecordedDecision};
use super::checks::{Accepted, read_checked};
use super::login::{LockedKey, Login};
use super::query::{AuthorityEvidence, EvidenceResult, PreviewShown, ResultState};
use super::request::{login_required, no_preview, too_late};
use crate::alarm;
use crate::common::Common;
use crate::context::CheckContext;
use table::{Place, PreviewRow, PreviewTable, RESULT_RETENTION, SealedAnswer, Stage};

/// A decision that the broker does not take is given up after this many seconds. The broker has recorded by then that
/// none was made.
const DECISION_RETENTION: u64 = 7 * 86_400;

/// Whose preview it may become: the login of the query, and the place it takes.
#[derive(Debug)]
pub(super) struct Viewer {
    login: Login,
    _place: Place,
}

/// The previews of a consumer's connector.
#[derive(Debug, Clone)]
pub(super) struct Previews {
    table: PreviewTable,
    broker: BrokerClient,
    /// How long a person may take.
    seconds: u64,
}

impl Previews {
    pub(super) fn open(store: &Store, broker: BrokerClient, seconds: u64) -> Result<Self, TableError> {
        Ok(Self {
            table: PreviewTable::open(store)?,
            broker,
            seconds,
        })
    }

    /// Reads what an earlier run has left.
    pub(super) async fn restore(&self) -> Result<(), TableError> {
        self.table.restore().await
    }

    /// Reserves a place for the preview of an exchange that is about to begin.
    pub(super) fn viewer(&self, login: Option<Login>) -> Result<Viewer, Problem> {
        let login = login.ok_or_else(login_required)?;
        Ok(Viewer {
            login,
            _place: self.table.reserve()?,
        })
    }

    /// Keeps the evidence of an accepted completion for its person; durable on return. Without a viewer, or when the
    /// answer was not as it should be, there is nothing to show, and the decision is that none was made.
    pub(super) async fn keep(
        &self,
        common: &Common,
        request: &ExchangeRequest,
        (accepted, intent_receipt): (&Accepted, &[u8]),
        viewer: Option<(Viewer, &SealingKey)>,
    ) -> Result<EvidenceResult, Problem> {
        let exchange = request.metadata.exchange;
        let _claim = self.table.claim(exchange)?;
        // An earlier run may have kept it, and its acknowledgement was lost.
        if let Some(row) = self.table.get(exchange).await.map_err(|error| state_failed(&error))? {
            return Ok(result_of(&row, None));
        }
        let now = common.now();
        let (intent, outcome) = accepted.indices();
        let mut row = PreviewRow {
            request: request.clone(),
            intent_receipt: intent_receipt.to_vec(),
            intent,
            outcome,
            result: accepted.result().clone(),
            key: None,
            sealed_answer: None,
            decide_until: now.after(self.seconds),
            stage: Stage::Awaiting,
        };
        match (&viewer, accepted.sealed_answer()) {
            (Some((viewer, answer_key)), Some(sealed)) => {
                let key = LockedKey::lock(answer_key, &viewer.login, exchange);
                row.key = Some(key.map_err(|_| Problem::internal())?);
                row.sealed_answer = Some(SealedAnswer(sealed.to_vec()));
            }
            _ => row.decide(sign(common, &row, PreviewDecision::NotMade)?, now),
        }
        self.table.put(&row).await.map_err(|error| state_failed(&error))?;
        tracing::info!(%exchange, intent, "awaits its preview");
        Ok(result_of(&row, None))
    }

    /// Shows the evidence to its person.
    pub(super) async fn show(&self, common: &Common, exchange: Uuid, login: &Login) -> Result<PreviewShown, Problem> {
        let (row, key) = self.row_of(exchange, login).await?;
        let (Stage::Awaiting, Some(sealed)) = (&row.stage, &row.sealed_answer) else {
            return Err(Problem::conflict("decided", "there is nothing to preview any more"));
        };
        if common.now() > row.decide_until {
            return Err(too_late());
        }
        Ok(PreviewShown {
            exchange,
            decide_until: row.decide_until.to_string(),
            evidence: read(&row, sealed, &key)?,
        })
    }

    /// Makes the person's decision certain, records it, and answers with what follows from it.
    pub(super) async fn decide(
        &self,
        common: &Common,
        exchange: Uuid,
        login: &Login,
        decision: PreviewDecision,
    ) -> Result<EvidenceResult, Problem> {
        let _claim = self.table.claim(exchange)?;
        let (mut row, key) = self.row_of(exchange, login).await?;
        let now = common.now();
        match row.stage {
            Stage::Awaiting if now > row.decide_until => return Err(too_late()),
            Stage::Awaiting => {
                row.decide(sign(common, &row, decision)?, now);
                self.table.put(&row).await.map_err(|error| state_failed(&error))?;
            }
            _ if row.decision() == Some(decision) => {}
            Stage::Decided { .. } | Stage::Recorded { .. } => {
                return Err(Problem::conflict("decided", "another decision was made before"));
            }
            Stage::Contradicted { .. } => return Err(Problem::forbidden("refused", "")),
        }
        let recorded = self.recorded(common, &mut row).await?;
        let evidence = match (recorded.accepted(), &row.sealed_answer) {
            (Some(accepted), Some(sealed)) => Some(release(&accepted, &row, sealed, &key)?),
            _ => None,
        };
        Ok(result_of(&row, evidence))
    }

    /// How an exchange with a preview stands.
    pub(super) async fn state(&self, exchange: Uuid) -> Result<EvidenceResult, Problem> {
        let row = self.table.get(exchange).await.map_err(|error| state_failed(&error))?;
        row.map(|row| result_of(&row, None)).ok_or_else(no_preview)
    }

    /// The row of an exchange with its answer key, for the login that it was locked with.
    async fn row_of(&self, exchange: Uuid, login: &Login) -> Result<(PreviewRow, SealingKey), Problem> {
        let row = self.table.get(exchange).await.map_err(|error| state_failed(&error))?;
        let opened = row.and_then(|row| {
            let key = row.key.as_ref()?.open(login, exchange)?;
            Some((row, key))
        });
        opened.ok_or_else(|| {
            service::coarse::count("connector_previews_refused_total", "reason", "login");
            no_preview()
        })
    }

    /// Brings a certain decision into the log, or proves again that it is there. The caller holds the claim.
    async fn recorded(&self, common: &Common, row: &mut PreviewRow) -> Result<RecordedDecision, Problem> {
        let (signed, before) = match &row.stage {
            Stage::Decided { signed, .. } => (signed.clone(), None),
            Stage::Recorded { signed, notice, .. } => (signed.clone(), Some(notice.clone())),
            Stage::Awaiting | Stage::Contradicted { .. } => return Err(Problem::internal()),
        };
        let exchange = row.request.metadata.exchange;
        let notice = match &before {
            Some(notice) => notice.clone(),
            None => self.broker.decide(&signed).await.map_err(|error| {
                tracing::warn!(%exchange, %error, "the broker has not recorded the preview");
                Problem::unavailable("broker-unavailable", 5, "the decision is not recorded yet")
            })?,
        };
        let expected = Expected {
            request: &row.request,
            intent_receipt: &row.intent_receipt,
            result: &row.result,
            decision: &signed,
        };
        let run = |context: &CheckContext| check::check(context, &expected, &notice);
        let (_, checked) = common.context.judge(common.context.known(), &notice.receipt, run).await;
        let recorded = match checked {
            Ok(recorded) => recorded,
            Err(error) => {
                alarm::raise("preview", Some(exchange), &error.to_string());
                if matches!(error, PreviewError::Contradicted(_)) {
                    self.contradicted(common, row).await?;
                }
                return Err(Problem::forbidden("refused", ""));
            }
        };
        common.rely(&[&recorded.checkpoint]).await?;
        if before.is_none() {
            row.stage = Stage::Recorded {
                signed,
                notice,
                entry: recorded.entry,
                at: common.now(),
            };
            self.table.put(row).await.map_err(|error| state_failed(&error))?;
            self.acknowledge(common, exchange, recorded.entry, common.now()).await;
            tracing::info!(%exchange, entry = recorded.entry, "preview recorded");
        }
        Ok(recorded)
    }

    /// Acknowledges a recorded decision, which was recorded here at `at`. A lost acknowledgement is repeated by the
    /// sweep: the broker would keep the exchange in its journal.
    async fn acknowledge(&self, common: &Common, exchange: Uuid, entry: u64, at: Timestamp) {
        if self.broker.acknowledge(&common.keys.signing(), exchange, entry).await {
            self.table.rest(exchange, at.after(RESULT_RETENTION));
        } else {
            self.table.later(exchange, common.now());
        }
    }

    /// The log has another decision than this connector's. No other proof will come, so the evidence goes.
    async fn contradicted(&self, common: &Common, row: &mut PreviewRow) -> Result<(), Problem> {
        row.sealed_answer = None;
        row.stage = Stage::Contradicted { at: common.now() };
        self.table.put(row).await.map_err(|error| state_failed(&error))
    }

    /// Ends previews without a decision, brings decisions into the log, and forgets old ones.
    pub(super) async fn sweep(&self, common: &Common, now: Timestamp) {
        for exchange in self.table.due(now) {
            let Ok(_claim) = self.table.claim(exchange) else {
                continue;
            };
            if let Err(error) = self.step(common, exchange, now).await {
                alarm::raise("state", Some(exchange), &error.to_string());
            }
        }
    }

    /// Does what is due for one preview.
    async fn step(&self, common: &Common, exchange: Uuid, now: Timestamp) -> Result<(), TableError> {
        let Some(mut row) = self.table.get(exchange).await? else {
            return self.table.remove(exchange).await;
        };
        match row.stage {
            Stage::Recorded { entry, at, .. } if now.since(at) <= RESULT_RETENTION => {
                self.acknowledge(common, exchange, entry, at).await;
                return Ok(());
            }
            Stage::Recorded { .. } | Stage::Contradicted { .. } => return self.table.remove(exchange).await,
            Stage::Decided { at, .. } if now.since(at) > DECISION_RETENTION => {
                alarm::raise("preview", Some(exchange), "the broker does not record the decision");
                return self.table.remove(exchange).await;
            }
            Stage::Awaiting => {
                let Ok(signed) = sign(common, &row, PreviewDecision::NotMade) else {
                    return self.table.remove(exchange).await;
                };
                row.decide(signed, now);
                self.table.put(&row).await?;
            }
            Stage::Decided { .. } => {}
        }
        if self.recorded(common, &mut row).await.is_err() {
            self.table.later(exchange, now);
        }
        Ok(())
    }
}

fn sign(common: &Common, row: &PreviewRow, decision: PreviewDecision) -> Result<SignedDecision, Problem> {
    let statement = PreviewStatement {
        exchange: row.request.metadata.exchange,
        intent: row.intent,
        outcome: row.outcome,
        answer: row.result.answer_digest.ok_or_else(Problem::internal)?,
        decision,
    };
    Ok(SignedDecision::sign(&common.keys.signing(), statement))
}

/// Hands the evidence out. Takes the proof that the log has its person's acceptance.
fn release(
    _accepted: &AcceptedPreview,
    row: &PreviewRow,
    sealed: &SealedAnswer,
    key: &SealingKey,
) -> Result<AuthorityEvidence, Problem> {
    read(row, sealed, key)
}

fn read(row: &PreviewRow, sealed: &SealedAnswer, key: &SealingKey) -> Result<AuthorityEvidence, Problem> {
    let metadata = &row.request.metadata;
    read_checked(&sealed.0, key, metadata.message).map_err(|error| {
        alarm::raise(error.check, Some(metadata.exchange), error.why);
        Problem::forbidden("refused", "")
    })
}

fn result_of(row: &PreviewRow, evidence: Option<AuthorityEvidence>) -> EvidenceResult {
    let (outcome, preview_entry) = match &row.stage {
        Stage::Awaiting => (ResultState::AwaitingPreview, None),
        Stage::Decided { .. } => (ResultState::RecordingDecision, None),
        Stage::Recorded { signed, entry, .. } => (signed.statement.decision.into(), Some(*entry)),
        Stage::Contradicted { .. } => (ResultState::NotDecided, None),
    };
    EvidenceResult {
        outcome_entry: Some(row.outcome),
        preview_entry,
        decide_until: matches!(row.stage, Stage::Awaiting).then(|| row.decide_until.to_string()),
        evidence,
        ..EvidenceResult::new(row.request.metadata.exchange, outcome, row.intent)
    }
}

fn state_failed(error: &TableError) -> Problem {
    alarm::raise("state", None, &error.to_string());
    Problem::unavailable("stopped", 60, "the connector's state cannot be read or written")
}
