//! `POST /entries`: check in parallel, submit in order, answer with receipts.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use record::{Receipt, SignedEntry};
use service::Problem;
use service::http::CBOR_SEQ;
use tlog::merkle::Index;

use super::{Shared, internal, wire};
use crate::engine::{Answers, Outcome, Snapshot, SubmitError};
use crate::rules::{Raw, Refusal, Submission};
use crate::store::StoreError;
use wire::Answer;

/// The most bytes of a request: one large document, or thousands of entries with their records.
pub(super) const MAX_REQUEST: usize = 24 << 20;
/// The most entries of a request.
const MAX_ENTRIES: usize = 4096;
/// Requests of more entries are checked and answered in pieces of this size, on all cores.
const PIECE: usize = 32;
/// Bytes that count as one unit of the queue's room.
const UNIT: usize = 8 << 10;

type Checked = Result<Arc<Submission>, Refusal>;

pub(super) async fn append(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if let Some(reason) = shared.publication.refuses() {
        return Err(Problem::unavailable("witnesses", 5, reason));
    }
    let raws = read(&headers, body)?;
    let weight = raws.iter().map(|raw| 1 + raw.len() / UNIT).sum();
    let checked = check(&shared, raws).await?;
    let good: Vec<_> = checked
        .iter()
        .filter_map(|checked| checked.as_ref().ok().cloned())
        .collect();
    let answers = if good.is_empty() {
        Answers {
            outcomes: Vec::new(),
            snapshot: shared.log.snapshot(),
        }
    } else {
        shared.log.submit(good, weight).await.map_err(refused_whole)?
    };
    let answers = answer(&shared, checked, answers).await?;
    match answers.as_slice() {
        // A single refusal is a problem like any other (RFC 9457), unless the writer asks for our form: it has the receipt of
        // the stored entry too.
        [Answer::Refused { problem, .. }] if !wants_sequence(&headers) => Err(Problem::clone(problem)),
        answers => respond(answers),
    }
}

fn wants_sequence(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|value| value == CBOR_SEQ)
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Vec<Raw>, Problem> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != CBOR_SEQ) {
        return Err(Problem::unsupported_media_type(format!(
            "entries are sent as {CBOR_SEQ}"
        )));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(format!("a request has at most {MAX_REQUEST} bytes")),
        _ => Problem::bad_request("body", "the body cannot be read"),
    })?;
    let raws = wire::read_request(&body).map_err(|error| Problem::bad_request("malformed", error.to_string()))?;
    match raws.len() {
        0 => Err(Problem::bad_request("malformed", "there is no entry in the request")),
        1..=MAX_ENTRIES => Ok(raws),
        _ => Err(Problem::too_large(format!(
            "a request has at most {MAX_ENTRIES} entries"
        ))),
    }
}

fn refused_whole(error: SubmitError) -> Problem {
    match error {
        SubmitError::Busy => Problem::too_many(1, "the queue is full"),
        stopped @ SubmitError::Stopped(_) => Problem::unavailable("stopped", 5, stopped.to_string()),
    }
}

async fn check(shared: &Arc<Shared>, raws: Vec<Raw>) -> Result<Vec<Checked>, Problem> {
    let founder = shared.checker.founder(&raws);
    let for_pieces = shared.clone();
    let check = move |raws| {
        let checked = for_pieces.checker.check(raws, founder.as_ref());
        checked.into_iter().map(|one| one.map(Arc::new)).collect()
    };
    spread(raws, check).await
}

/// Puts the answers of the sequencer and those of the checks together again, in the order of the request.
async fn answer(
    shared: &Arc<Shared>,
    checked: Vec<Checked>,
    answers: Answers<Refusal>,
) -> Result<Vec<Answer>, Problem> {
    let mut outcomes = answers.outcomes.into_iter();
    let mut pairs = Vec::with_capacity(checked.len());
    for checked in checked {
        pairs.push(match checked {
            Ok(submission) => (Some(submission), outcomes.next().ok_or_else(Problem::internal)?),
            Err(refusal) => (None, Outcome::Refused(refusal)),
        });
    }
    let (for_pieces, snapshot) = (shared.clone(), answers.snapshot);
    let answer = move |(submission, outcome): (Option<Arc<Submission>>, _)| {
        answer_one(&for_pieces, &snapshot, submission.as_deref(), outcome).map_err(|error| internal(&error))
    };
    let answers = spread(pairs, move |pairs| pairs.into_iter().map(&answer).collect());
    answers.await?.into_iter().collect()
}

fn answer_one(
    shared: &Shared,
    snapshot: &Snapshot,
    submission: Option<&Submission>,
    outcome: Outcome<Refusal>,
) -> Result<Answer, StoreError> {
    match (outcome, submission) {
        (Outcome::Recorded(index), Some(submission)) => {
            let entry = submission.entry().clone();
            Ok(Answer::Recorded {
                index,
                receipt: receipt(snapshot, entry, index)?,
            })
        }
        (Outcome::Recorded(index), None) => Ok(Answer::Recorded {
            index,
            receipt: stored_receipt(shared, snapshot, index)?,
        }),
        (Outcome::Refused(refusal), _) => {
            metrics::counter!("ledger_refusals_total", "slug" => refusal.problem.slug.clone()).increment(1);
            let stored = refusal
                .stored
                .map(|index| stored_receipt(shared, snapshot, index))
                .transpose()?;
            Ok(Answer::Refused {
                problem: refusal.problem,
                stored,
            })
        }
    }
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
        .ok_or_else(|| StoreError(format!("entry {index} is missing")))?;
    SignedEntry::parse(leaf).map_err(|error| StoreError(format!("entry {index}: {error}")))
}

fn receipt(snapshot: &Snapshot, entry: SignedEntry, index: u64) -> Result<Vec<u8>, StoreError> {
    let hashes = snapshot.inclusion(index, snapshot.head.size)?;
    let index = Index::new(index).map_err(|error| StoreError(error.to_string()))?;
    Ok(Receipt::new(entry, index, hashes, snapshot.note.clone()).to_bytes())
}

fn respond(answers: &[Answer]) -> Result<Response, Problem> {
    let mut body = Vec::new();
    for answer in answers {
        answer.write(&mut body);
    }
    let status = match answers {
        [only] => StatusCode::from_u16(only.status()).map_err(|_| Problem::internal())?,
        _ => StatusCode::OK,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(CBOR_SEQ)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((status, headers, body).into_response())
}

/// Maps many items on all cores, few on this one; keeps the order. `work` maps a piece of them.
async fn spread<T, R>(items: Vec<T>, work: impl Fn(Vec<T>) -> Vec<R> + Send + Sync + 'static) -> Result<Vec<R>, Problem>
where
    T: Send + 'static,
    R: Send + 'static,
{
    if items.len() <= PIECE {
        return Ok(work(items));
    }
    let work = Arc::new(work);
    let mut pieces = Vec::new();
    let mut items = items.into_iter();
    loop {
        let piece: Vec<T> = items.by_ref().take(PIECE).collect();
        if piece.is_empty() {
            break;
        }
        let work = work.clone();
        pieces.push(tokio::spawn(async move { work(piece) }));
    }
    let mut results = Vec::new();
    for piece in pieces {
        results.extend(piece.await.map_err(|_| Problem::internal())?);
    }
    Ok(results)
}
