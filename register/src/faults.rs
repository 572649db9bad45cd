//! Faults that a test wants a register to have: it is slow, refuses, hangs up, or answers with what no one can use.
//!
//! They are in the configuration. A register that has some does not start unless its configuration says that it is one
//! of a test. A fault meets callers with the register's credential only. The register looks up and logs the query as
//! always, and what it has found is changed on its way out. Only a refusal comes before the lookup.
//!
//! ```json
//! "test": true,
//! "faults": [ { "evidence_type": "zb1", "percent": 20, "delay_ms": 3000, "instead": "cut" } ]
//! ```

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use messages::EvidenceForm;
use messages::limits::MAX_EVIDENCE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::Problem;
use service::secret::CredentialDigest;

use crate::data::STOCK;

/// The longest delay, in milliseconds.
pub const MAX_DELAY_MS: u64 = 120_000;
/// The most bytes of a query.
const MAX_QUERY: usize = 64 << 10;
/// The most bytes of an answer that is changed.
const MAX_ANSWER: usize = 4 << 20;

/// Characters of a value in an answer that is too large, a quarter of what one may have.
const LONG_VALUE: usize = 1024;

/// A fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The evidence type that has it; `stock` for everything about a person; all if absent. The first fault that fits
    /// a query counts.
    #[serde(default)]
    pub evidence_type: Option<String>,
    /// How many of 100 queries meet it, 1 to 100, evenly spread.
    #[serde(default = "all")]
    pub percent: u64,
    /// How many milliseconds the answer takes in addition, at most [`MAX_DELAY_MS`].
    #[serde(default)]
    pub delay_ms: u64,
    /// What comes instead of the answer.
    #[serde(default)]
    pub instead: Option<Instead>,
}

fn all() -> u64 {
    100
}

impl Fault {
    /// Whether its numbers are in their ranges.
    pub(crate) fn is_valid(&self) -> bool {
        (1..=100).contains(&self.percent) && self.delay_ms <= MAX_DELAY_MS
    }
}

/// What comes instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    /// 503. Nothing is looked up.
    Refusal,
    /// The first half of the answer. Then the register hangs up.
    Cut,
    /// The first half of the answer, as if it were all of it.
    Half,
    /// The answer with what no XML document can have: a character in each field, or a byte.
    NotXml,
    /// An answer of more bytes than evidence may have.
    TooLarge,
}

/// The faults of a register, with the number of queries that each has seen.
pub(crate) struct Faults {
    faults: Vec<(Fault, AtomicU64)>,
    credential: CredentialDigest,
}

impl Faults {
    pub(crate) fn new(faults: &[Fault], credential: CredentialDigest) -> Self {
        Self {
            faults: faults.iter().map(|fault| (fault.clone(), AtomicU64::new(0))).collect(),
            credential,
        }
    }

    /// The fault that a query meets.
    fn of(&self, evidence_type: &str) -> Option<&Fault> {
        let fits = |fault: &Fault| fault.evidence_type.as_deref().is_none_or(|of| of == evidence_type);
        let (fault, seen) = self.faults.iter().find(|(fault, _)| fits(fault))?;
        let before = seen.fetch_add(1, Ordering::Relaxed);
        // Query n has it if one more hundredth is full after it.
        let hit = (before + 1) * fault.percent / 100 > before * fault.percent / 100;
        hit.then_some(fault)
    }
}

/// Lets queries through, and changes the answers of those that meet a fault.
pub(crate) async fn with_faults(
    State(faults): State<Arc<Faults>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if faults.credential.require(request.headers()).is_err() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_QUERY).await;
    let body = body.map_err(|_| Problem::too_large("the query is too large"))?;
    let fault = faults.of(&evidence_type(parts.uri.path(), &body)).cloned();
    let request = Request::from_parts(parts, Body::from(body));
    let Some(fault) = fault else {
        return Ok(next.run(request).await);
    };
    tracing::warn!(?fault, "a query meets a fault that the configuration wants");
    tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    match fault.instead {
        Some(Instead::Refusal) => Err(Problem::unavailable("fault", 1, "a test wants this refusal")),
        None => Ok(next.run(request).await),
        Some(instead) => changed(instead, next.run(request).await).await,
    }
}

/// The evidence type of a query, which may be malformed.
fn evidence_type(path: &str, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        evidence_type: String,
    }
    if path == "/stock" {
        return STOCK.to_owned();
    }
    text::json::from_slice::<Named>(body).map_or_else(|_| String::new(), |named| named.evidence_type)
}

async fn changed(instead: Instead, answer: Response) -> Result<Response, Problem> {
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, MAX_ANSWER).await.map_err(|_| Problem::internal())?;
    let half = body.slice(..body.len() / 2);
    let whole = parts.headers.remove(header::CONTENT_LENGTH);
    let media_type = parts.headers.get(header::CONTENT_TYPE);
    let is_json = media_type.is_some_and(|media_type| media_type == EvidenceForm::Json.media_type());
    let body = match instead {
        Instead::Refusal => body.into(),
        Instead::Half => half.into(),
        Instead::NotXml if is_json => edited(&body, not_xml).into(),
        Instead::TooLarge if is_json => edited(&body, too_large).into(),
        Instead::NotXml => [&half[..], &[0xff], &half[..]].concat().into(),
        Instead::TooLarge => [&body[..], &vec![b' '; MAX_EVIDENCE]].concat().into(),
        Instead::Cut => {
            let length = whole.unwrap_or_else(|| HeaderValue::from(body.len()));
            parts.headers.insert(header::CONTENT_LENGTH, length);
            // An error in the middle of a body makes the server close the connection.
            let parts = [Ok(half), Err(io::Error::other("a test wants this end"))];
            Body::from_stream(futures_util::stream::iter(parts))
        }
    };
    Ok((parts, body).into_response())
}

fn edited(body: &[u8], edit: fn(&mut Value)) -> Vec<u8> {
    let mut answer = text::json::from_slice(body).unwrap_or_default();
    edit(&mut answer);
    answer.to_string().into_bytes()
}

/// The answer with a character in each field that no XML document can have.
fn not_xml(answer: &mut Value) {
    let fields = answer.get_mut("fields").and_then(Value::as_object_mut);
    for value in fields.into_iter().flat_map(|fields| fields.values_mut()) {
        *value = format!("{}\u{fffe}", value.as_str().unwrap_or_default()).into();
    }
    for field in sections(answer).flatten() {
        field["value"] = format!("{}\u{fffe}", field["value"].as_str().unwrap_or_default()).into();
    }
}

/// The answer with so many fields more that it is larger than evidence may be. Each of them is in order.
fn too_large(answer: &mut Value) {
    let value = "x".repeat(LONG_VALUE);
    for number in 0..=MAX_EVIDENCE / LONG_VALUE {
        let name = format!("more-{number}");
        if let Some(fields) = answer.get_mut("fields").and_then(Value::as_object_mut) {
            fields.insert(name, value.clone().into());
        } else if let Some(fields) = sections(answer).next() {
            fields.push(json!({ "title": name, "value": value }));
        }
    }
}

/// The fields of each section of an answer about everything.
fn sections(answer: &mut Value) -> impl Iterator<Item = &mut Vec<Value>> {
    let sections = answer.get_mut("sections").and_then(Value::as_array_mut);
    let sections = sections.into_iter().flatten();
    sections.filter_map(|section| section.get_mut("fields")?.as_array_mut())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_queries_meets_a_fault_evenly() {
        let fault = |evidence_type: Option<&str>, percent| Fault {
            evidence_type: evidence_type.map(str::to_owned),
            percent,
            delay_ms: 0,
            instead: None,
        };
        let credential = service::secret::Credential::from_bytes([7; 32]).digest();
        let faults = Faults::new(&[fault(Some("zb1"), 20), fault(None, 100)], credential);
        let hits: Vec<bool> = (0..10).map(|_| faults.of("zb1").is_some()).collect();
        assert_eq!(
            hits,
            [false, false, false, false, true, false, false, false, false, true]
        );
        assert!((0..3).all(|_| faults.of("stock").is_some()));
        for (percent, delay_ms, valid) in [
            (0, 0, false),
            (101, 0, false),
            (1, MAX_DELAY_MS, true),
            (1, MAX_DELAY_MS + 1, false),
        ] {
            assert_eq!(
                Fault {
                    delay_ms,
                    ..fault(None, percent)
                }
                .is_valid(),
                valid
            );
        }
    }
}
