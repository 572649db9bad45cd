//! The answers to the entries of a request: an answer for each, in order.
//!
//! A request is judged and committed as a whole, and has no more entries than a commit ([`super::entries`]): its entries become
//! durable together, and none could be answered before another. What is left is a receipt for each. Those of a few entries are
//! one body. Those of many are a **stream**: made in pieces on all cores while the writer reads, a few pieces ahead of it, so that
//! the first come at once and all of them are never in memory.
//!
//! The status of a stream, 200, is sent before its first receipt is made. An entry whose receipt cannot be made then has the
//! problem `internal` as its answer; it stands in the log, and the same bytes sent again ask for its receipt again.

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

/// Answers that are made as one piece of work, and the most that are not streamed.
pub(super) const CHUNK: usize = 32;
/// Pieces that are made before the writer has read those before them.
const PREFETCH_DEPTH: usize = 8;

/// An entry of a request, unless the checks refused it, and what became of it.
pub(super) type Judged = (Option<Arc<Submission>>, Outcome<Refusal>);

/// What answers are made from.
#[derive(Clone)]
pub(super) struct Answering {
    pub(super) shared: Arc<Shared>,
    /// Covers everything that was recorded.
    pub(super) snapshot: Arc<Snapshot>,
}

impl Answering {
    /// The answers to a whole request. `sequence`: the writer reads our form of refusals too.
    pub(super) fn respond(self, judged: Vec<Judged>, sequence: bool) -> Result<Response, Problem> {
        if judged.len() > CHUNK {
            return Ok(respond(StatusCode::OK, self.stream(judged)));
        }
        let answers: Vec<_> = judged.into_iter().map(|judged| self.answer(judged)).collect();
        let status = match answers.as_slice() {
            // A single refusal is a problem like any other (RFC 9457), unless the writer asks for our form: it has the receipt
            // of the stored entry too.
            [SubmissionAnswer::Refused { code, detail, .. }] if !sequence => {
                return Err(problem(*code, detail.clone()));
            }
            [only] => StatusCode::from_u16(only.status()).map_err(|_| Problem::internal())?,
            _ => StatusCode::OK,
        };
        Ok(respond(status, write(&answers).into()))
    }

    /// The answers, piece by piece. A piece that is not made breaks the body off, so that it cannot be taken for the whole.
    pub(super) fn stream(self, judged: Vec<Judged>) -> Body {
        let mut judged = judged.into_iter();
        let pieces = std::iter::from_fn(move || {
            let piece: Vec<_> = judged.by_ref().take(CHUNK).collect();
            (!piece.is_empty()).then_some(piece)
        });
        let make = move |piece: Vec<Judged>| {
            let answering = self.clone();
            tokio::spawn(async move {
                let answers: Vec<_> = piece.into_iter().map(|judged| answering.answer(judged)).collect();
                write(&answers)
            })
        };
        Body::from_stream(stream::iter(pieces).map(make).buffered(PREFETCH_DEPTH))
    }

    fn answer(&self, (submission, outcome): Judged) -> SubmissionAnswer {
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

/// A stored entry that must be there.
pub(super) fn stored_entry(shared: &Shared, index: u64) -> Result<SignedEntry, StoreError> {
    let leaf = shared
        .log
        .rows()
        .entry(index)?
        .ok_or_else(|| StoreError::Damaged(format!("entry {index} is missing")))?;
    SignedEntry::parse(leaf).map_err(|error| StoreError::failed(format!("entry {index}"), error))
}

fn receipt(snapshot: &Snapshot, entry: SignedEntry, index: u64) -> Result<Vec<u8>, StoreError> {
    let hashes = snapshot.inclusion(index, snapshot.head.size)?;
    Ok(Receipt::new(entry, Index::new(index)?, hashes, snapshot.note.clone()).to_bytes())
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
