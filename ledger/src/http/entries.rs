//! `POST /entries`: checks the entries in parallel and submits them in order as one commit; then [`super::answers`]
//! answers.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use record::{RefusalCode, Submitted};
use service::Problem;
use service::http::CBOR_SEQ;
use service::tls::PeerName;

use super::answers::{AnswerBuilder, CHUNK, SubmissionOutcome};
use super::entrance::Writers;
use super::receive::receive;
use super::reply::internal;
use super::served::redirect;
use super::shared::Shared;
use crate::engine::{Outcome, SubmitError};
use crate::rules::refusal::problem;
use crate::rules::{RawSubmission, Refusal, Submission, SubmissionChecker};
use crate::store::StoreError;

/// The largest allowed number of entries in a request. It equals the size of a commit ([`crate::engine::Limits`]), so
/// that one commit takes all of them.
const MAX_ENTRIES: usize = 4096;
/// How many bytes of a submission add one to its weight in the queue.
const QUEUE_UNIT_BYTES: usize = 8 << 10;

type Checked = Result<Arc<Submission>, Refusal>;

pub(super) async fn append(
    State(shared): State<Arc<Shared>>,
    Extension(writers): Extension<Writers>,
    name: Option<Extension<PeerName>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if let Some(follower) = shared.log.followed() {
        let addresses = &follower.sequencer;
        let address = match writers {
            Writers::Certified => &addresses.writing,
            Writers::All | Writers::Operator => &addresses.public,
        };
        return redirect(address.as_ref(), "/entries");
    }
    if let Some(reason) = shared.publication.refusal_reason() {
        return Err(Problem::unavailable("witnesses", 1, &*reason));
    }
    check_media_type(&headers)?;
    let received = receive(&shared, body).await?;
    let raws = read(&received.body)?;
    let weight = raws.iter().map(|raw| 1 + raw.len() / QUEUE_UNIT_BYTES).sum();
    let checked = check(&shared, raws).await?;
    let known = checked.iter().flatten().map(AsRef::as_ref);
    writers.require(name.as_deref(), &shared.history, known)?;
    let snapshot = shared.log.snapshot();
    let mut judged = judge_before_queue(&shared, snapshot.head.size, checked).map_err(|error| internal(&error))?;
    let waiting: Vec<_> = judged.iter().filter_map(Judged::waiting).collect();
    let snapshot = if waiting.is_empty() {
        snapshot
    } else {
        let reply = shared.log.submit(waiting, weight).await.map_err(refused_whole)?;
        let mut outcomes = reply.outcomes.into_iter();
        for judged in &mut judged {
            judged.outcome = judged.outcome.take().or_else(|| outcomes.next());
        }
        reply.snapshot
    };
    let merged = count_refusals(judged)?;
    AnswerBuilder { shared, snapshot }.respond(merged, wants_sequence(&headers))
}

fn wants_sequence(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|value| value == CBOR_SEQ)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(header::CONTENT_TYPE).is_some_and(|value| value == CBOR_SEQ) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type(format!(
        "entries are sent as {CBOR_SEQ}"
    )))
}

fn read(body: &Bytes) -> Result<Vec<RawSubmission>, Problem> {
    let all = Submitted::read_all(body).map_err(|error| problem(RefusalCode::Malformed, error.to_string()))?;
    // The answer to a repeated entry is a receipt, which costs more than its request. Of two submissions of one leaf
    // and other lengths, at least one is refused anyway.
    let mut seen = HashSet::with_capacity(all.len().min(MAX_ENTRIES));
    let length = |part: Option<&[u8]>| part.map(<[u8]>::len);
    let mut keys = all
        .iter()
        .map(|one| (one.leaf, length(one.record), length(one.document)));
    if all.len() <= MAX_ENTRIES && !keys.all(|key| seen.insert(key)) {
        return Err(problem(RefusalCode::Malformed, "an entry is twice in the request"));
    }
    match all.len() {
        0 => Err(problem(RefusalCode::Malformed, "there is no entry in the request")),
        1..=MAX_ENTRIES => Ok(all.into_iter().map(|one| RawSubmission::part_of(body, one)).collect()),
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
    let for_chunks = shared.clone();
    let check = move |raws| {
        let checked = for_chunks.checker.check(raws, founder.as_ref());
        checked.into_iter().map(|one| one.map(Arc::new)).collect()
    };
    spread(raws, check).await
}

/// A submission of a request.
struct Judged {
    /// `None` if the checks refused it.
    submission: Option<Arc<Submission>>,
    /// `None` if the sequencer decides.
    outcome: Option<Outcome<Refusal>>,
}

impl Judged {
    fn waiting(&self) -> Option<Arc<Submission>> {
        self.submission.clone().filter(|_| self.outcome.is_none())
    }
}

/// Judges what needs no place in the queue: submissions that the checks refused, and those that the log has within its
/// first `size` entries. A stranger can copy the latter from the public log.
///
/// A writer that repeats a request repeats it from its first entry, so the others are looked up only if the log has the
/// first one.
fn judge_before_queue(shared: &Shared, size: u64, checked: Vec<Checked>) -> Result<Vec<Judged>, StoreError> {
    let mut repeated = true;
    let mut all = Vec::with_capacity(checked.len());
    for checked in checked {
        all.push(match checked {
            Err(refusal) => Judged {
                submission: None,
                outcome: Some(Outcome::Refused(refusal)),
            },
            Ok(submission) => {
                let index = if repeated {
                    SubmissionChecker::recorded(shared.log.rows(), size, &submission)?
                } else {
                    None
                };
                repeated = index.is_some();
                Judged {
                    submission: Some(submission),
                    outcome: index.map(Outcome::Recorded),
                }
            }
        });
    }
    Ok(all)
}

/// The outcomes in the order of the request; counts the refusals.
fn count_refusals(judged: Vec<Judged>) -> Result<Vec<SubmissionOutcome>, Problem> {
    let mut outcomes = Vec::with_capacity(judged.len());
    for Judged { submission, outcome } in judged {
        let outcome = outcome.ok_or_else(Problem::internal)?;
        if let Outcome::Refused(refusal) = &outcome {
            metrics::counter!("ledger_refusals_total", "slug" => refusal.code.slug()).increment(1);
        }
        outcomes.push((submission, outcome));
    }
    Ok(outcomes)
}

/// Maps many items on all cores, or a few items on this one, in order. `work` maps a chunk of them.
async fn spread<T, R>(items: Vec<T>, work: impl Fn(Vec<T>) -> Vec<R> + Send + Sync + 'static) -> Result<Vec<R>, Problem>
where
    T: Send + 'static,
    R: Send + 'static,
{
    if items.len() <= CHUNK {
        return Ok(work(items));
    }
    let work = Arc::new(work);
    let mut chunks = Vec::new();
    let mut items = items.into_iter();
    loop {
        let chunk: Vec<T> = items.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let work = work.clone();
        chunks.push(tokio::spawn(async move { work(chunk) }));
    }
    let mut results = Vec::new();
    for chunk in chunks {
        results.extend(chunk.await.map_err(|_| Problem::internal())?);
    }
    Ok(results)
}
