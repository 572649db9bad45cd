//! The asynchronous exchanges of the past. Each begins on one of its days. On a later one, when the clock has moved
//! past the time that its register needs, its answer is collected, or it is withdrawn, or it has ended without one.
//!
//! `DIR/operator/past.waiting` has those that have not ended, so that an interrupted start continues with them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::durable;

use crate::seed::{Asked, Exchanges, past_reference};
use crate::world::{Example, ExampleOutcome, Past};

/// How long after its beginning an exchange without an answer has certainly ended, in seconds: thirty days, and an hour
/// for the clock that was moved meanwhile.
const GIVEN_UP_AFTER: u64 = 30 * 86_400 + 3600;
/// How long a connector may take to have what is due.
const DUE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait before the next question.
const PAUSE: Duration = Duration::from_millis(20);

/// An exchange that waits for its answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitingExchange {
    /// The day, counted from 0, on which it began.
    day: usize,
    /// Its place among the exchanges of `past.json`.
    place: usize,
    /// The number that the connector has given it.
    exchange: String,
}

impl WaitingExchange {
    /// An exchange that has begun on this day.
    pub(crate) fn new(day: usize, place: usize, exchange: String) -> Self {
        Self { day, place, exchange }
    }

    fn reference(&self) -> String {
        past_reference(self.day, self.place)
    }
}

/// The exchanges that wait.
pub(crate) struct Waiting {
    file: PathBuf,
    open: Vec<WaitingExchange>,
}

/// How an exchange stands on a day.
enum Standing {
    /// It has ended as it should.
    Ended,
    /// Its time has not come.
    NotDue,
    /// Its time has come, and the processes are not ready.
    Later,
}

impl Waiting {
    /// Reads those that an interrupted start has left.
    pub(crate) fn open(file: PathBuf) -> Result<Self> {
        let open = if file.exists() {
            text::json::from_slice(&std::fs::read(&file)?).with_context(|| file.display().to_string())?
        } else {
            Vec::new()
        };
        Ok(Self { file, open })
    }

    /// Adds those that have begun.
    pub(crate) fn add(&mut self, begun: impl Iterator<Item = WaitingExchange>) -> Result<()> {
        let before = self.open.len();
        self.open.extend(begun);
        if self.open.len() == before {
            Ok(())
        } else {
            self.write()
        }
    }

    /// When those end that get no answer, ascending. A connector keeps such an end for a week, and there may be more
    /// than that before the next day of the past. `begun` is the time of a day.
    pub(crate) fn given_up(&self, past: &Past, begun: impl Fn(usize) -> Option<Timestamp>) -> Vec<Timestamp> {
        let expected = |waiting: &WaitingExchange| past.exchanges.get(waiting.place).map(|due| due.exchange.expected);
        let unanswered = self
            .open
            .iter()
            .filter(|waiting| expected(waiting) == Some(ExampleOutcome::TimedOut));
        let mut ends: Vec<Timestamp> = unanswered.filter_map(|waiting| begun(waiting.day)).collect();
        ends.iter_mut().for_each(|end| *end = end.after(GIVEN_UP_AFTER));
        ends.sort_unstable();
        ends
    }

    /// Ends what is due at `now`, and compares each outcome with the expected one. `nudge` moves the clock a little.
    pub(crate) async fn end_due(
        &mut self,
        exchanges: &Exchanges<'_>,
        now: Timestamp,
        mut nudge: impl FnMut(),
    ) -> Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let past = exchanges.world.past.as_ref().context("the world has no past")?;
        let (mut left, since) = (Vec::new(), Instant::now());
        for waiting in std::mem::take(&mut self.open) {
            let recurring = past.exchanges.get(waiting.place).context("past.json was changed")?;
            loop {
                match one(exchanges, &waiting, &recurring.exchange, now).await? {
                    Standing::Ended => break,
                    Standing::NotDue => {
                        left.push(waiting);
                        break;
                    }
                    Standing::Later => {}
                }
                let reference = waiting.reference();
                ensure!(since.elapsed() < DUE_TIMEOUT, "{reference} has not ended");
                nudge();
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.open = left;
        self.write()
    }

    fn write(&self) -> Result<()> {
        Ok(durable::write_atomic(&self.file, &serde_json::to_vec(&self.open)?)?)
    }
}

/// Asks how an exchange stands, and collects or withdraws it if it is time.
async fn one(
    exchanges: &Exchanges<'_>,
    waiting: &WaitingExchange,
    example: &Example,
    now: Timestamp,
) -> Result<Standing> {
    let reference = waiting.reference();
    let url = format!("{}/evidence/{}", exchanges.url(example)?, waiting.exchange);
    let withdrawn = example.expected == ExampleOutcome::Withdrawn;
    let method = if withdrawn {
        reqwest::Method::DELETE
    } else {
        reqwest::Method::GET
    };
    let answer = exchanges.client.request(method, &url).send().await?;
    let status = answer.status().as_u16();
    let body: Value = text::json::from_slice(&answer.bytes().await?)?;
    let outcome = match (status, body["outcome"].as_str()) {
        (200, Some("withdrawn")) => ExampleOutcome::Withdrawn,
        (200, Some("available")) => match exchanges.ask(example, &reference).await? {
            Asked::Ended(outcome) => outcome,
            Asked::AwaitsPreview(..) | Asked::Waits(_) => return Ok(Standing::Later),
        },
        (202, Some("pending")) if is_later(&body, now)? => return Ok(Standing::NotDue),
        (202, Some("pending" | "withdrawing")) | (503, _) => return Ok(Standing::Later),
        _ => bail!("{reference}: unexpected response {status}: {}", body["title"]),
    };
    ensure!(
        outcome == example.expected,
        "{reference}: outcome {outcome:?}, expected {:?}",
        example.expected
    );
    tracing::info!(reference, ?outcome, "an exchange that waited has ended");
    Ok(Standing::Ended)
}

/// Whether the register answers after `now` only.
fn is_later(body: &Value, now: Timestamp) -> Result<bool> {
    let available: Timestamp = body["available_at"].as_str().context("available_at")?.parse()?;
    Ok(available > now)
}
