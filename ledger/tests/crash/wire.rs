//! The requests of the harness, encoded and decoded with another CBOR library than the ledger's.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ciborium::Value;
use record::Receipt;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};

use crate::world::{ORIGIN, Submission, World};

const CBOR_SEQ: &str = "application/cbor-seq";

/// The answer to a submission.
#[derive(Debug)]
pub(crate) enum EntryAnswer {
    /// The index, and the checkpoint of the verified receipt.
    Recorded(u64, Checkpoint),
    /// The text of the refusal, for the message of a failing test.
    Refused(String),
}

/// The result of a request.
pub(crate) enum Posted {
    /// An answer for each submission.
    Answered(Vec<EntryAnswer>),
    /// The ledger does not answer, or reports that it has stopped.
    Unanswered(String),
    /// The ledger follows the one at this address.
    Elsewhere(String),
}

/// How long a ledger on a loaded machine may wait for its witness after a start.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(20);

/// Posts the submissions, and verifies every receipt in the answer. A ledger in a database that waits for its witness
/// is asked again.
pub(crate) async fn post(
    client: &reqwest::Client,
    url: &str,
    world: &World,
    submissions: &[Submission],
) -> Result<Posted> {
    let started = Instant::now();
    loop {
        let posted = post_once(client, url, world, submissions).await?;
        let waits = |why: &str| why.contains("no quorum of witnesses has cosigned") || why.contains("problem:follower");
        match &posted {
            Posted::Unanswered(why) if waits(why) && started.elapsed() < CONFIRMATION_TIMEOUT => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            _ => return Ok(posted),
        }
    }
}

async fn post_once(client: &reqwest::Client, url: &str, world: &World, submissions: &[Submission]) -> Result<Posted> {
    let request = client
        .post(format!("{url}/entries"))
        .header("content-type", CBOR_SEQ)
        .header("accept", CBOR_SEQ)
        .body(body(submissions)?);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Ok(Posted::Unanswered(error.to_string())),
    };
    let status = response.status();
    let location = response.headers().get("location");
    let location = location
        .map(|location| location.to_str().map(str::to_owned))
        .transpose()?;
    let Ok(bytes) = response.bytes().await else {
        return Ok(Posted::Unanswered("the answer ended early".into()));
    };
    if let Some(address) = location {
        ensure!(status == 307, "status {status} with the location {address}");
        let address = address
            .strip_suffix("/entries")
            .context("a redirect to another route")?;
        return Ok(Posted::Elsewhere(address.to_owned()));
    }
    if status == 503 {
        return Ok(Posted::Unanswered(String::from_utf8_lossy(&bytes).into_owned()));
    }
    let mut answers = Vec::new();
    let mut rest = bytes.as_ref();
    while !rest.is_empty() {
        let value = ciborium::from_reader(&mut rest)
            .with_context(|| format!("status {status}: {}", String::from_utf8_lossy(&bytes)))?;
        answers.push(answer(world, submissions.get(answers.len()), value)?);
    }
    ensure!(
        answers.len() == submissions.len(),
        "there must be an answer for each submission"
    );
    Ok(Posted::Answered(answers))
}

fn body(submissions: &[Submission]) -> Result<Vec<u8>> {
    let optional = |bytes: &Option<Vec<u8>>| bytes.clone().map_or(Value::Null, Value::Bytes);
    let mut body = Vec::new();
    for submission in submissions {
        let leaf = Value::Bytes(submission.entry.bytes().to_vec());
        let value = Value::Array(vec![leaf, optional(&submission.record), optional(&submission.document)]);
        ciborium::into_writer(&value, &mut body)?;
    }
    Ok(body)
}

fn answer(world: &World, submission: Option<&Submission>, value: Value) -> Result<EntryAnswer> {
    let Value::Array(parts) = value else {
        return Ok(EntryAnswer::Refused(format!("{value:?}")));
    };
    let (Some(Value::Integer(index)), Some(Value::Bytes(receipt))) = (parts.first(), parts.get(1)) else {
        bail!("an answer must be an index and a receipt");
    };
    let verified = Receipt::parse(receipt)?.verify(&world.policy)?;
    let submission = submission.context("more answers than submissions")?;
    ensure!(
        verified.entry().bytes() == submission.entry.bytes(),
        "a receipt for other bytes"
    );
    ensure!(
        i128::from(*index) == i128::from(verified.index().get()),
        "a receipt for another index"
    );
    Ok(EntryAnswer::Recorded(
        verified.index().get(),
        verified.checkpoint().clone(),
    ))
}

/// Reads a checkpoint (`head` or `checkpoint`) and verifies the log's signature.
pub(crate) async fn checkpoint(
    client: &reqwest::Client,
    url: &str,
    world: &World,
    path: &str,
) -> Result<Option<Checkpoint>> {
    let Ok(response) = client.get(format!("{url}/{path}")).send().await else {
        return Ok(None);
    };
    if !response.status().is_success() {
        return Ok(None);
    }
    let Ok(note) = response.bytes().await else {
        return Ok(None);
    };
    let signed = SignedCheckpoint::open(&note, &ORIGIN.parse()?, std::slice::from_ref(&world.log_key))?;
    Ok(Some(signed.checkpoint().clone()))
}

/// Reads a resource that must exist.
pub(crate) async fn get(client: &reqwest::Client, url: &str, world: &World) -> Result<Vec<u8>> {
    let response = client
        .get(url)
        .bearer_auth(world.credential.to_hex().as_str())
        .send()
        .await?
        .error_for_status()?;
    Ok(response.bytes().await?.to_vec())
}
