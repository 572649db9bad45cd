//! Honest exchanges at a low rate: Rheinfurt asks the KBA about persons that it knows and about persons that nobody
//! knows, and expects the outcome that each must have.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tests::http;
use tests::processes::Processes;

/// The pause between two exchanges.
const PAUSE: Duration = Duration::from_millis(250);
/// The pause before a refused request is repeated.
const RETRY_DELAY: Duration = Duration::from_millis(250);
/// A request that is refused for longer has failed.
const RETRY_FOR: Duration = Duration::from_secs(60);
/// The retryable refusals before which nothing was recorded. Any other one means that the exchange has failed.
const RETRYABLE: [&str; 5] = [
    "busy",
    "starting",
    "log-not-witnessed",
    "broker-unavailable",
    "unavailable",
];

/// The most exchanges about one known person. A consumer may ask about a person 128 times a day.
const MAX_ABOUT_ONE: usize = 100;

/// One exchange that has ended as expected.
pub(crate) struct Answered {
    /// The indexes of its two entries.
    pub(crate) entries: [u64; 2],
    /// The time from the first request to the answer.
    pub(crate) took: Duration,
}

/// Sends the exchanges.
pub(crate) struct HonestClient {
    client: reqwest::blocking::Client,
    url: String,
    query: Value,
    sent: AtomicUsize,
}

impl HonestClient {
    pub(crate) fn new(processes: &Processes) -> Result<Self> {
        Ok(Self {
            client: http()?,
            url: format!("{}/evidence", processes.info.connectors["rheinfurt"]),
            query: serde_json::from_str(&tests::evidence_request())?,
            sent: AtomicUsize::new(0),
        })
    }

    /// Sends exchanges one after another while `more`, which gets their number, holds.
    pub(crate) fn exchanges(&self, more: impl Fn(usize) -> bool) -> Result<Vec<Answered>> {
        let mut answered = Vec::new();
        while more(answered.len()) {
            let (query, expected) = self.next_query();
            answered.push(self.exchange(&query, expected)?);
            std::thread::sleep(PAUSE);
        }
        Ok(answered)
    }

    /// One exchange about a person whom nobody knows.
    pub(crate) fn ask_about_unknown(&self) -> Result<()> {
        let query = self.unknown(self.sent.fetch_add(1, Ordering::Relaxed));
        self.exchange(&query, "nothing_found").map(drop)
    }

    /// One exchange. A retryable refusal is repeated.
    fn exchange(&self, query: &Value, expected: &str) -> Result<Answered> {
        let since = Instant::now();
        loop {
            let answer = self
                .client
                .post(&self.url)
                .header("content-type", "application/json")
                .body(query.to_string())
                .send()?;
            let status = answer.status().as_u16();
            let body: Value = serde_json::from_str(&answer.text()?).with_context(|| format!("status {status}"))?;
            if matches!(status, 200 | 202) {
                ensure!(body["outcome"] == expected, "expected {expected}: {body:#}");
                let index = |field: &str| body[field].as_u64().with_context(|| format!("no {field}: {body:#}"));
                return Ok(Answered {
                    entries: [index("intent")?, index("outcome_entry")?],
                    took: since.elapsed(),
                });
            }
            let slug = body["type"]
                .as_str()
                .and_then(|kind| kind.rsplit(':').next())
                .unwrap_or_default();
            if !matches!(status, 429 | 503) || !RETRYABLE.contains(&slug) || since.elapsed() > RETRY_FOR {
                bail!(
                    "expected {expected} after {:?}: status {status} {body:#}",
                    since.elapsed()
                );
            }
            std::thread::sleep(RETRY_DELAY);
        }
    }

    /// The next query and its outcome: two known persons and an unknown one in turn, and at last unknown ones only.
    /// Each unknown person is another one.
    fn next_query(&self) -> (Value, &'static str) {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let mut query = self.query.clone();
        match number % 3 {
            _ if number >= 3 * MAX_ABOUT_ONE => (self.unknown(number), "nothing_found"),
            0 => (query, "awaiting_preview"),
            1 => {
                query["person"] = json!({
                    "idnr": "02476291358", "family_name": "Yıldız", "given_name": "Deniz",
                    "date_of_birth": "1991-03-30", "postal_code": "73614", "place": "Rheinfurt",
                });
                (query, "awaiting_preview")
            }
            _ => (self.unknown(number), "nothing_found"),
        }
    }

    fn unknown(&self, number: usize) -> Value {
        let mut query = self.query.clone();
        query["person"] = json!({
            "family_name": format!("Unbekannt{}", letters(number)), "given_name": "Udo",
            "date_of_birth": "1970-01-01", "postal_code": "73614", "place": "Rheinfurt",
        });
        query
    }
}

/// A number in letters, because a name has no digits.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}
