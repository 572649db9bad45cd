//! `POST /entries`: check in parallel, submit in order, as one commit; then [`super::answers`].

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use record::{RefusalCode, Submitted};
use service::Problem;
use service::http::CBOR_SEQ;

use super::answers::{Answering, CHUNK, Judged};
use super::shared::Shared;
use crate::engine::{Outcome, SubmitError, SubmitReply};
use crate::rules::refusal::problem;
use crate::rules::{RawSubmission, Refusal, Submission};

/// The most bytes of a request: one large document, or thousands of entries with their records.
pub(super) const MAX_REQUEST: usize = 24 << 20;
/// The most entries of a request: as many as a commit takes ([`crate::engine::Limits`]), and so all of them in one.
const MAX_ENTRIES: usize = 4096;
/// Bytes that count as one unit of the queue's room.
const QUEUE_UNIT_BYTES: usize = 8 << 10;

type Checked = Result<Arc<Submission>, Refusal>;

pub(super) async fn append(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if let Some(reason) = shared.publication.refusal_reason() {
        return Err(Problem::unavailable("witnesses", 5, reason));
    }
    let raws = read(&headers, body)?;
    let weight = raws.iter().map(|raw| 1 + raw.len() / QUEUE_UNIT_BYTES).sum();
    let checked = check(&shared, raws).await?;
    let good: Vec<_> = checked
        .iter()
        .filter_map(|checked| checked.as_ref().ok().cloned())
        .collect();
    let answers = if good.is_empty() {
        SubmitReply {
            outcomes: Vec::new(),
            snapshot: shared.log.snapshot(),
        }
    } else {
        shared.log.submit(good, weight).await.map_err(refused_whole)?
    };
    let judged = judged(checked, answers.outcomes)?;
    let snapshot = answers.snapshot;
    Answering { shared, snapshot }.respond(judged, wants_sequence(&headers))
}

fn wants_sequence(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|value| value == CBOR_SEQ)
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Vec<RawSubmission>, Problem> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != CBOR_SEQ) {
        return Err(Problem::unsupported_media_type(format!(
            "entries are sent as {CBOR_SEQ}"
        )));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(format!("a request has at most {MAX_REQUEST} bytes")),
        _ => Problem::bad_request("body", "the body cannot be read"),
    })?;
    let all = Submitted::read_all(&body).map_err(|error| problem(RefusalCode::Malformed, error.to_string()))?;
    match all.len() {
        0 => Err(problem(RefusalCode::Malformed, "there is no entry in the request")),
        1..=MAX_ENTRIES => Ok(all.into_iter().map(|one| RawSubmission::part_of(&body, one)).collect()),
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

async fn check(shared: &Arc<Shared>, raws: Vec<RawSubmission>) -> Result<Vec<Checked>, Problem> {
    let founder = shared.checker.founder(&raws);
    let for_pieces = shared.clone();
    let check = move |raws| {
        let checked = for_pieces.checker.check(raws, founder.as_ref());
        checked.into_iter().map(|one| one.map(Arc::new)).collect()
    };
    spread(raws, check).await
}

/// Puts what the sequencer and what the checks said together again, in the order of the request.
fn judged(checked: Vec<Checked>, outcomes: Vec<Outcome<Refusal>>) -> Result<Vec<Judged>, Problem> {
    let mut outcomes = outcomes.into_iter();
    let mut judged = Vec::with_capacity(checked.len());
    for checked in checked {
        let (submission, outcome) = match checked {
            Ok(submission) => (Some(submission), outcomes.next().ok_or_else(Problem::internal)?),
            Err(refusal) => (None, Outcome::Refused(refusal)),
        };
        if let Outcome::Refused(refusal) = &outcome {
            metrics::counter!("ledger_refusals_total", "slug" => refusal.code.slug()).increment(1);
        }
        judged.push((submission, outcome));
    }
    Ok(judged)
}

/// Maps many items on all cores, few on this one; keeps the order. `work` maps a piece of them.
async fn spread<T, R>(items: Vec<T>, work: impl Fn(Vec<T>) -> Vec<R> + Send + Sync + 'static) -> Result<Vec<R>, Problem>
where
    T: Send + 'static,
    R: Send + 'static,
{
    if items.len() <= CHUNK {
        return Ok(work(items));
    }
    let work = Arc::new(work);
    let mut pieces = Vec::new();
    let mut items = items.into_iter();
    loop {
        let piece: Vec<T> = items.by_ref().take(CHUNK).collect();
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
