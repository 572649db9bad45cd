//! One application: how each piece of evidence that it needs stands.

use std::collections::BTreeMap;
use std::sync::Weak;

use record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

/// The evidence as the connector hands it over. `Debug` shows no evidence.
#[derive(Clone, Deserialize)]
pub(crate) struct Evidence {
    pub(crate) title: String,
    pub(crate) issued_at: String,
    pub(crate) fields: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) document: Option<Document>,
}

/// The evidence as a document for people.
#[derive(Clone, Deserialize)]
pub(crate) struct Document {
    pub(crate) media_type: String,
    /// Base64.
    pub(crate) content: String,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Evidence(redacted)")
    }
}

/// What the person decides at a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    Accept,
    Reject,
}

/// The `Idempotency-Key` of a request to the connector: for one key, there is at most one exchange. `Debug` does not
/// show it, because it opens what the connector keeps for a repeated request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RequestKey(pub(crate) String);

impl std::fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestKey(redacted)")
    }
}

/// Why evidence was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connector has given no final answer. The same request may be sent again, with the same key.
    NoAnswer,
    /// Another request may work later.
    Later,
    /// It will not work: the request was refused, or is not valid.
    Never,
}

/// A request that its register answers later.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    /// The request's key, with which its answer is collected.
    pub(crate) key: RequestKey,
    pub(crate) query: Query,
    pub(crate) exchange: Uuid,
    /// From when the register can answer, as it says itself.
    pub(crate) available: Timestamp,
    /// When the request ends without an answer.
    pub(crate) ends: Timestamp,
    /// When the connector was last asked how it stands.
    pub(crate) asked: Option<Instant>,
    /// Has the value of a task that is asking now. Two at a time could not tell whether an answer was collected.
    pub(crate) asking: Weak<()>,
    /// When the collection of its answer began, which may have been lost.
    pub(crate) collected: Option<Instant>,
}

/// The body of a request to the connector. A repeated request has the same one. `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct Query(pub(crate) Value);

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Query(redacted)")
    }
}

/// How a piece of evidence stands.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The person has not decided how to bring it.
    Open,
    /// The connector is asking, for the request with this key.
    Asking(RequestKey),
    /// The register answers later.
    Pending(Box<Awaited>),
    /// The person wants no answer any more, and the connector is being told.
    Withdrawing(Box<Awaited>),
    /// The person has withdrawn the request.
    Withdrawn,
    /// The person has to look at it and decide.
    Preview(Uuid),
    /// The decision is being recorded.
    Deciding,
    /// The authority may use it.
    Received(Evidence),
    /// The person did not want it to be used.
    Refused,
    /// The register has none.
    NothingFound,
    /// It could not be fetched.
    Failed(Failure),
    /// The person uploaded a file of so many bytes.
    Uploaded(usize),
}

impl Stage {
    /// Whether the page has to wait for seconds.
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self, Self::Asking(_) | Self::Deciding | Self::Withdrawing(_))
    }

    /// The request that waits for its register.
    pub(crate) fn awaited(&self) -> Option<&Awaited> {
        match self {
            Self::Pending(awaited) | Self::Withdrawing(awaited) => Some(awaited),
            _ => None,
        }
    }

    /// What follows when the connector has answered the request with this key by `next`; `None` if this stage does not
    /// wait for it. What a person has withdrawn is dropped, even if its answer has come meanwhile.
    pub(crate) fn after(&self, key: &RequestKey, next: Self) -> Option<Self> {
        match self {
            Self::Asking(asked) if asked == key => Some(next),
            Self::Pending(awaited) if awaited.key == *key => Some(next),
            Self::Withdrawing(awaited) if awaited.key == *key => match next {
                Self::Withdrawing(_) => Some(next),
                Self::Pending(_) => None,
                _ => Some(Self::Withdrawn),
            },
            _ => None,
        }
    }

    /// Whether the application has what it needs.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Received(_) | Self::Uploaded(_))
    }

    /// Whether the person may have it fetched now, for the first time or again.
    pub(crate) const fn may_fetch(&self) -> bool {
        matches!(
            self,
            Self::Open | Self::Refused | Self::Withdrawn | Self::Failed(Failure::Later | Failure::NoAnswer)
        )
    }

    /// Whether the person may bring it now.
    pub(crate) const fn may_upload(&self) -> bool {
        self.may_fetch() || matches!(self, Self::NothingFound | Self::Failed(Failure::Never))
    }
}

/// A piece of evidence that the application needs.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) stage: Stage,
    /// How many requests have had a final answer before the one that is under way or comes next.
    attempt: u32,
}

impl Piece {
    /// Begins to fetch it, if that is possible now. Returns the number of the request: the same one again as long as it
    /// has no final answer.
    pub(crate) fn begin_fetch(&mut self, key: impl FnOnce(u32) -> RequestKey) -> Option<RequestKey> {
        if !self.stage.may_fetch() {
            return None;
        }
        if !matches!(self.stage, Stage::Open | Stage::Failed(Failure::NoAnswer)) {
            self.attempt += 1;
        }
        let key = key(self.attempt);
        self.stage = Stage::Asking(key.clone());
        Some(key)
    }
}

/// An application of one person for one service.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    /// The authority's reference, without personal data.
    pub(crate) reference: String,
    /// One for each need of the service.
    pub(crate) pieces: Vec<Piece>,
    /// Whether the person has sent it.
    pub(crate) sent: bool,
}

impl Application {
    pub(crate) fn new(needs: usize) -> Self {
        Self {
            reference: reference(),
            pieces: vec![
                Piece {
                    stage: Stage::Open,
                    attempt: 0
                };
                needs
            ],
            sent: false,
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.pieces.iter().any(|piece| piece.stage.is_waiting())
    }

    /// The requests that wait for their registers.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.pieces.iter().filter_map(|piece| piece.stage.awaited())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.pieces.iter().all(|piece| piece.stage.is_done())
    }

    /// Sends the application. Returns whether it was complete.
    pub(crate) fn send(&mut self) -> bool {
        self.sent |= self.is_complete();
        self.sent
    }
}

/// A random reference such as `ANT-3F2A9C01`.
fn reference() -> String {
    let random = Uuid::new_v4().simple().to_string().to_uppercase();
    format!("ANT-{}", random.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_complete_application_is_sent() {
        let mut application = Application::new(2);
        assert!(!application.send());
        application.pieces[0].stage = Stage::Uploaded(3);
        application.pieces[1].stage = Stage::NothingFound;
        assert!(!application.send() && !application.sent);
        application.pieces[1].stage = Stage::Uploaded(4);
        assert!(application.send() && application.sent);
    }

    #[test]
    fn what_is_under_way_or_done_is_not_fetched_again() {
        let asking = Stage::Asking(RequestKey("k".to_owned()));
        for stage in [asking, Stage::Deciding, Stage::Uploaded(1), Stage::NothingFound] {
            assert!(!stage.may_fetch(), "{stage:?}");
        }
        assert!(Stage::Failed(Failure::Later).may_fetch() && !Stage::Failed(Failure::Never).may_fetch());
        assert!(Stage::NothingFound.may_upload());
    }

    #[test]
    fn a_request_has_its_key_until_it_has_a_final_answer() {
        let mut piece = Application::new(1).pieces.remove(0);
        let key = |attempt: u32| RequestKey(attempt.to_string());
        let first = piece.begin_fetch(key).unwrap();
        assert_eq!(piece.begin_fetch(key), None, "a second click");
        piece.stage = Stage::Failed(Failure::NoAnswer);
        assert_eq!(piece.begin_fetch(key), Some(first.clone()));
        for ended in [Stage::Failed(Failure::Later), Stage::Refused] {
            piece.stage = ended;
            assert_ne!(piece.begin_fetch(key).unwrap(), first);
        }
        assert_eq!(piece.attempt, 2);
    }

    #[test]
    fn what_was_withdrawn_stays_so_whatever_the_connector_answers() {
        let key = RequestKey("k".to_owned());
        let awaited = Box::new(Awaited {
            key: key.clone(),
            query: Query(Value::Null),
            exchange: Uuid::nil(),
            available: Timestamp(1),
            ends: Timestamp(2),
            asked: None,
            asking: Weak::new(),
            collected: None,
        });
        let withdrawing = Stage::Withdrawing(awaited.clone());
        assert!(withdrawing.after(&key, Stage::Pending(awaited.clone())).is_none());
        for answer in [Stage::NothingFound, Stage::Failed(Failure::Later), Stage::Withdrawn] {
            assert!(matches!(withdrawing.after(&key, answer), Some(Stage::Withdrawn)));
        }
        let other = RequestKey("o".to_owned());
        assert!(Stage::Pending(awaited).after(&other, Stage::NothingFound).is_none());
    }
}
