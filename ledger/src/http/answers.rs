//! The answers to a request: one for each of its entries, in order.
//!
//! A request has no more entries than a commit ([`super::entries`]), and its entries are committed together. They
//! become durable at the same moment, so none could be answered before another; what remains is to create a receipt for
//! each. The answers to a few entries are one body. The answers to many entries are a **stream**, created in chunks on
//! all cores while the client reads, a few chunks ahead of it. The first answers therefore arrive at once, and the
//! answers are never all in memory.
//!
//! The status of a stream, 200, is sent before its first receipt is created. If a receipt then cannot be created, the
//! answer for that entry is the problem `internal`. The entry is in the log, and the client gets its receipt by sending
//! the same bytes again.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use record::{Receipt, RefusalCode, SignedEntry, SubmissionAnswer};
use service::Problem;
use service::http::CBOR_SEQ;
use tlog::merkle::Index;

use super::reply::internal;
use super::shared::Shared;
use crate::engine::{Outcome, Snapshot};
use crate::rules::refusal::problem;
use crate::rules::{Refusal, Submission};
use crate::store::StoreError;

/// The number of answers in a chunk, and the largest number that is not streamed.
pub(super) const CHUNK: usize = 32;
/// How many chunks are created ahead of the client.
const PREFETCH_DEPTH: usize = 8;

/// A submission, unless the checks refused it, and its outcome.
pub(super) type SubmissionOutcome = (Option<Arc<Submission>>, Outcome<Refusal>);

/// Creates the answers of a request.
#[derive(Clone)]
pub(super) struct AnswerBuilder {
    pub(super) shared: Arc<Shared>,
    /// Covers all recorded entries of the request.
    pub(super) snapshot: Arc<Snapshot>,
}

impl AnswerBuilder {
    /// The response to a request. `sequence` states whether the client accepts a CBOR sequence.
    pub(super) fn respond(self, outcomes: Vec<SubmissionOutcome>, sequence: bool) -> Result<Response, Problem> {
        if outcomes.len() > CHUNK {
            return Ok(respond(StatusCode::OK, self.stream(outcomes)));
        }
        let answers: Vec<_> = outcomes.into_iter().map(|outcome| self.answer(outcome)).collect();
        let status = match answers.as_slice() {
            // A single refusal is a problem (RFC 9457), unless the client accepts the sequence form, which also has the
            // receipt of the stored entry.
            [SubmissionAnswer::Refused { code, detail, .. }] if !sequence => {
                return Err(problem(*code, detail.clone()));
            }
            [only] => StatusCode::from_u16(only.status()).map_err(|_| Problem::internal())?,
            _ => StatusCode::OK,
        };
        Ok(respond(status, write(&answers).into()))
    }

    /// The answers as a stream of chunks. If a chunk cannot be created, the body ends with an error, so that the client
    /// does not take it for complete.
    pub(super) fn stream(self, outcomes: Vec<SubmissionOutcome>) -> Body {
        let mut outcomes = outcomes.into_iter();
        let chunks = std::iter::from_fn(move || {
            let chunk: Vec<_> = outcomes.by_ref().take(CHUNK).collect();
            (!chunk.is_empty()).then_some(chunk)
        });
        let make = move |chunk: Vec<SubmissionOutcome>| {
            let builder = self.clone();
            tokio::spawn(async move {
                let answers: Vec<_> = chunk.into_iter().map(|outcome| builder.answer(outcome)).collect();
                write(&answers)
            })
        };
        Body::from_stream(stream::iter(chunks).map(make).buffered(PREFETCH_DEPTH))
    }

    fn answer(&self, (submission, outcome): SubmissionOutcome) -> SubmissionAnswer {
        self.try_answer(submission.as_deref(), outcome)
            .unwrap_or_else(|error| refused(RefusalCode::Internal, internal(&error), None))
    }

    fn try_answer(
        &self,
        submission: Option<&Submission>,
        outcome: Outcome<Refusal>,
    ) -> Result<SubmissionAnswer, StoreError> {
        match (outcome, submission) {
            (Outcome::Recorded(index), Some(submission)) => Ok(SubmissionAnswer::Recorded {
                index,
                receipt: receipt(&self.snapshot, submission.entry().clone(), index)?,
            }),
            (Outcome::Recorded(index), None) => Ok(SubmissionAnswer::Recorded {
                index,
                receipt: stored_receipt(&self.shared, &self.snapshot, index)?,
            }),
            (Outcome::Refused(refusal), _) => {
                let stored = refusal.stored;
                let stored = stored.map(|index| stored_receipt(&self.shared, &self.snapshot, index));
                let problem = problem(refusal.code, refusal.detail);
                Ok(refused(refusal.code, problem, stored.transpose()?))
            }
        }
    }
}

fn refused(code: RefusalCode, problem: Problem, receipt: Option<Vec<u8>>) -> SubmissionAnswer {
    SubmissionAnswer::Refused {
        code,
        title: problem.title,
        detail: problem.detail,
        receipt,
    }
}

fn write(answers: &[SubmissionAnswer]) -> Vec<u8> {
    let mut body = Vec::new();
    for answer in answers {
        answer.write(&mut body);
    }
    body
}

fn respond(status: StatusCode, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(CBOR_SEQ)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

/// The receipt of a stored entry under the snapshot's own checkpoint.
pub(super) fn stored_receipt(shared: &Shared, snapshot: &Snapshot, index: u64) -> Result<Vec<u8>, StoreError> {
    receipt(snapshot, stored_entry(shared, index)?, index)
}

/// A stored entry that must exist.
pub(super) fn stored_entry(shared: &Shared, index: u64) -> Result<SignedEntry, StoreError> {
    SignedEntry::parse(stored_leaf(shared, index)?).map_err(|error| StoreError::failed(format!("entry {index}"), error))
}

/// The bytes of an entry that the log has.
pub(super) fn stored_leaf(shared: &Shared, index: u64) -> Result<Vec<u8>, StoreError> {
    let leaf = shared.log.rows().entry(index)?;
    leaf.ok_or_else(|| StoreError::Damaged(format!("entry {index} is missing")))
}

fn receipt(snapshot: &Snapshot, entry: SignedEntry, index: u64) -> Result<Vec<u8>, StoreError> {
    let hashes = snapshot.inclusion(index, snapshot.head.size)?;
    Ok(Receipt::new(entry, Index::new(index)?, hashes, snapshot.note.clone()).to_bytes())
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
