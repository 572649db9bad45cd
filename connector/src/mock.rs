//! A connector that needs nothing else running: for writing an online service before its authority is connected.
//!
//! It serves the interface of a consumer's connector with the same routes and checks a query as the connector does, but
//! it asks no one: canned answers decide by evidence type and subject, the first one that fits. Without an answer that
//! fits, nothing is found. [`Answers::shipped`] has one for each outcome; a file of the same form replaces them:
//!
//! ```json
//! [ { "family_name": "Langsam", "delay_ms": 3000, "answer": "delivered", "preview": true,
//!     "evidence": { "title": "…", "issued_at": "2026-11-29T08:00:00Z", "fields": { "kennzeichen": "RF-EM 12" } } },
//!   { "family_name": "Geduld", "later_seconds": 86400, "answer": "nothing_found" },
//!   { "evidence_type": "melde-anschrift", "answer": "not_permitted" } ]
//! ```
//!
//! A request for XML or PDF gets the fields of the answer as a document, as a register would write it.
//!
//! An answer with `later_seconds` comes so much later, and only to an asynchronous request. Another one fails.
//!
//! Nothing is recorded, sealed or proved: the numbers of entries are counted up. Every title begins with [`MARK`], so
//! that no one takes a mock's evidence for a register's. Open previews, answers for later and idempotency keys are in
//! memory, at most [`MAX_OPEN`] of each.

mod document;
mod later;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use messages::limits::MAX_LATER_SECONDS;
use record::{PreviewDecision, Timestamp};
use serde::Deserialize;
use service::config::ConfigError;
use service::{Clock, Listener, Problem, Shutdown, SystemClock};
use text::{TextError, Title};
use tlog::Hash;
use uuid::Uuid;

use crate::consumer::idempotency::key::{KeyId, KeyedRequest, key_reused};
use crate::consumer::idempotency::turns::Turns;
use crate::consumer::interface::{self, EvidenceService, Guard};
use crate::consumer::login::Login;
use crate::consumer::query::{AuthorityEvidence, EvidenceQuery, EvidenceResult, PreviewShown, ResultState};
use crate::consumer::representative::require_power;
use crate::consumer::request;
use crate::error::Error;
use crate::openapi;
use crate::starting::Starting;
use later::{Collected, LaterAnswer, LaterAnswers};

/// The beginning of every title.
const MARK: &str = "MOCK: ";
/// The most previews and the most idempotency keys that are kept.
const MAX_OPEN: usize = 1024;
/// How long a person may take for a decision.
const PREVIEW_SECONDS: u64 = 1800;
/// The longest delay of an answer.
const MAX_DELAY_MS: u64 = 60_000;
const SHIPPED: &str = include_str!("../data/mock-answers.json");

/// A canned answer, and what it is for. A field that is missing fits everything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CannedAnswer {
    #[serde(default)]
    evidence_type: Option<String>,
    #[serde(default)]
    family_name: Option<String>,
    #[serde(default)]
    euid: Option<String>,
    /// How long the answer takes, in milliseconds.
    #[serde(default)]
    delay_ms: u64,
    /// After how many seconds the provider can answer.
    #[serde(default)]
    later_seconds: u64,
    /// Whether the permission demands a preview.
    #[serde(default)]
    preview: bool,
    answer: Kind,
    /// The evidence of `delivered`.
    #[serde(default)]
    evidence: Option<AuthorityEvidence>,
}

/// How an exchange ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Delivered,
    NothingFound,
    NotPermitted,
    Refused,
    ProviderUnavailable,
    Timeout,
}

/// Canned answers.
#[derive(Clone, Debug)]
pub struct Answers(Vec<CannedAnswer>);

/// Why a file of answers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// The file cannot be read, or does not have the form.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// An answer contradicts itself.
    #[error("answer {0}: {1}")]
    Answer(usize, &'static str),
    /// The title of an evidence is too long for the mark.
    #[error("answer {0}: title {1}")]
    Title(usize, TextError),
}

impl Answers {
    /// The answers that come with the program.
    ///
    /// # Errors
    /// [`AnswersError`]; a test reads them.
    pub fn shipped() -> Result<Self, AnswersError> {
        let answers = text::json::from_str(SHIPPED).map_err(|_| AnswersError::Answer(0, "cannot be read"))?;
        Self::checked(answers)
    }

    /// The answers of a file.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn load(path: &Path) -> Result<Self, AnswersError> {
        Self::checked(service::config::load(path)?)
    }

    fn checked(mut answers: Vec<CannedAnswer>) -> Result<Self, AnswersError> {
        for (number, canned) in (1..).zip(&mut answers) {
            let wrong = |why| Err(AnswersError::Answer(number, why));
            if canned.delay_ms > MAX_DELAY_MS {
                return wrong("delay_ms is more than 60000");
            }
            if canned.later_seconds > MAX_LATER_SECONDS {
                return wrong("later_seconds is more than 2592000");
            }
            if canned.later_seconds > 0 && canned.preview {
                return wrong("an answer for later has no preview");
            }
            match (canned.answer, &mut canned.evidence) {
                (Kind::Delivered, Some(evidence)) => {
                    let title = format!("{MARK}{}", evidence.title);
                    evidence.title = Title::new(&title).map_err(|error| AnswersError::Title(number, error))?;
                }
                (Kind::Delivered, None) => return wrong("delivered needs evidence"),
                (_, Some(_)) => return wrong("only delivered has evidence"),
                (_, None) if canned.preview => return wrong("only delivered has a preview"),
                (_, None) => {}
            }
        }
        Ok(Self(answers))
    }

    fn find(&self, query: &EvidenceQuery) -> Option<&CannedAnswer> {
        let family_name = query.person.as_ref().map(|person| person.family_name.as_str());
        let euid = query.legal_person.as_ref().map(|person| person.euid.as_str());
        let fits = |wanted: &Option<String>, given: Option<&str>| wanted.is_none() || wanted.as_deref() == given;
        self.0.iter().find(|canned| {
            fits(&canned.evidence_type, Some(&query.evidence_type))
                && fits(&canned.family_name, family_name)
                && fits(&canned.euid, euid)
        })
    }
}

/// An exchange with a preview.
struct Preview {
    login: Login,
    evidence: AuthorityEvidence,
    result: EvidenceResult,
    decide_until: Timestamp,
    decision: Option<PreviewDecision>,
}

/// The answer of a request with an idempotency key.
struct KeyedAnswer {
    id: KeyId,
    fingerprint: Hash,
    answer: Result<EvidenceResult, Problem>,
}

struct Mock {
    answers: Answers,
    previews: Mutex<BTreeMap<Uuid, Preview>>,
    keys: Mutex<VecDeque<KeyedAnswer>>,
    later: LaterAnswers,
    turns: Turns,
    entries: AtomicU64,
    clock: Arc<dyn Clock>,
}

/// Serves until `shutdown` is requested.
///
/// # Errors
/// [`Error::Http`] if the listener fails.
pub async fn run(answers: Answers, listener: Listener, shutdown: Shutdown) -> Result<(), Error> {
    let mock = Arc::new(Mock {
        answers,
        previews: Mutex::default(),
        keys: Mutex::default(),
        later: LaterAnswers::default(),
        turns: Turns::default(),
        entries: AtomicU64::new(1),
        clock: SystemClock::shared(),
    });
    let cell = Arc::new(OnceLock::from(mock));
    let routes = interface::routes(Starting(cell), Guard::open()).merge(openapi::routes());
    service::listen::serve(listener, routes, shutdown)
        .await
        .map_err(|error| Error::Http(error.to_string()))
}

impl Mock {
    fn previews(&self) -> MutexGuard<'_, BTreeMap<Uuid, Preview>> {
        self.previews.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }

    fn entry(&self) -> u64 {
        self.entries.fetch_add(1, Ordering::Relaxed)
    }

    fn result(&self, outcome: ResultState, evidence: Option<AuthorityEvidence>) -> EvidenceResult {
        let intent = self.entry();
        EvidenceResult {
            outcome_entry: Some(self.entry()),
            evidence,
            ..EvidenceResult::new(Uuid::now_v7(), outcome, intent)
        }
    }

    /// Keeps evidence for its person. The oldest preview makes room.
    fn keep(&self, login: Login, evidence: AuthorityEvidence) -> EvidenceResult {
        let decide_until = self.now().after(PREVIEW_SECONDS);
        let mut result = self.result(ResultState::AwaitingPreview, None);
        result.decide_until = Some(decide_until.to_string());
        let preview = Preview {
            login,
            evidence,
            result: result.clone(),
            decide_until,
            decision: None,
        };
        let mut previews = self.previews();
        if previews.len() >= MAX_OPEN {
            previews.pop_first();
        }
        previews.insert(result.exchange, preview);
        result
    }
}

impl Mock {
    fn keys(&self) -> MutexGuard<'_, VecDeque<KeyedAnswer>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request with a key: the first one is answered, and its answer is that of the others.
    async fn once(&self, query: &EvidenceQuery, keyed: &KeyedRequest) -> Result<EvidenceResult, Problem> {
        let _turn = self.turns.wait(keyed.id).await;
        if let Some(known) = self.keys().iter().find(|known| known.id == keyed.id) {
            return if known.fingerprint == keyed.fingerprint {
                known.answer.clone()
            } else {
                Err(key_reused())
            };
        }
        match self.later.collect(keyed, self.now()) {
            Some(Ok(Collected::Answer(answer))) => return self.keep_answer(keyed, answer),
            Some(Ok(Collected::State(state))) => return Ok(state),
            Some(Err(problem)) => return Err(problem),
            None => {}
        }
        let answer = self.answer(query).await.map_err(|problem| Problem {
            retry_after: None,
            ..problem
        });
        if matches!(&answer, Err(problem) if problem.status == 400) {
            return answer;
        }
        match self.answers.find(query).map_or(0, |canned| canned.later_seconds) {
            seconds if query.asynchronous && seconds > 0 => Ok(self.answer_later(keyed, seconds, answer)),
            _ => self.keep_answer(keyed, answer),
        }
    }

    /// Makes an answer that of its key.
    fn keep_answer(
        &self,
        keyed: &KeyedRequest,
        answer: Result<EvidenceResult, Problem>,
    ) -> Result<EvidenceResult, Problem> {
        let mut keys = self.keys();
        if keys.len() >= MAX_OPEN {
            keys.pop_front();
        }
        keys.push_back(KeyedAnswer {
            id: keyed.id,
            fingerprint: keyed.fingerprint,
            answer: answer.clone(),
        });
        answer
    }

    fn answer_later(
        &self,
        keyed: &KeyedRequest,
        seconds: u64,
        answer: Result<EvidenceResult, Problem>,
    ) -> EvidenceResult {
        let (exchange, intent) = match &answer {
            Ok(answer) => (answer.exchange, answer.intent),
            Err(_) => (Uuid::now_v7(), self.entry()),
        };
        let now = self.now();
        let later = LaterAnswer::new(keyed, intent, now.after(seconds), answer);
        self.later.begin(exchange, later, MAX_OPEN, now)
    }

    async fn answer(&self, query: &EvidenceQuery) -> Result<EvidenceResult, Problem> {
        request::check_query(query)?;
        require_power(query, self.now())?;
        let Some(canned) = self.answers.find(query) else {
            return Ok(self.result(ResultState::NothingFound, None));
        };
        if canned.preview && query.asynchronous {
            return Err(request::no_asynchronous_preview());
        }
        let login = query.login.clone().filter(|_| canned.preview);
        if canned.preview {
            request::require_login(query, self.now())?;
        }
        tokio::time::sleep(Duration::from_millis(canned.delay_ms)).await;
        if canned.later_seconds > 0 && !query.asynchronous {
            return Err(provider_unavailable());
        }
        match canned.answer {
            Kind::NothingFound => Ok(self.result(ResultState::NothingFound, None)),
            Kind::NotPermitted => Err(Problem::forbidden("not-permitted", "")),
            Kind::Refused => Err(Problem::forbidden("refused", "")),
            Kind::ProviderUnavailable => Err(provider_unavailable()),
            Kind::Timeout => Err(Problem::timeout("the provider did not answer in time")),
            Kind::Delivered => {
                let evidence = canned.evidence.clone().ok_or_else(Problem::internal)?;
                let evidence = document::in_form(evidence, query)?;
                Ok(match login {
                    Some(login) => self.keep(login, evidence),
                    None => self.result(ResultState::Delivered, Some(evidence)),
                })
            }
        }
    }
}

fn provider_unavailable() -> Problem {
    Problem::unavailable("provider-unavailable", 30, "the provider could not answer")
}

impl EvidenceService for Mock {
    async fn evidence(
        &self,
        query: &EvidenceQuery,
        _traceparent: Option<&str>,
        keyed: Option<&KeyedRequest>,
    ) -> Result<EvidenceResult, Problem> {
        match keyed {
            Some(keyed) => self.once(query, keyed).await,
            None => self.answer(query).await,
        }
    }

    async fn state(&self, exchange: Uuid) -> Result<EvidenceResult, Problem> {
        if let Some(state) = self.later.state(exchange, self.now()) {
            return Ok(state);
        }
        let previews = self.previews();
        let preview = previews.get(&exchange).ok_or_else(request::no_preview)?;
        Ok(preview.result.clone())
    }

    async fn withdraw(&self, exchange: Uuid) -> Result<EvidenceResult, Problem> {
        let withdrawn = self.later.withdraw(exchange, self.entry(), self.now());
        withdrawn.ok_or_else(request::does_not_wait)
    }

    async fn show(&self, exchange: Uuid, login: &Login) -> Result<PreviewShown, Problem> {
        let previews = self.previews();
        let preview = previews.get(&exchange).filter(|preview| preview.login == *login);
        let preview = preview.ok_or_else(request::no_preview)?;
        if preview.decision.is_some() {
            return Err(Problem::conflict("decided", "there is nothing to preview any more"));
        }
        if self.now() > preview.decide_until {
            return Err(request::too_late());
        }
        Ok(PreviewShown {
            exchange,
            decide_until: preview.decide_until.to_string(),
            evidence: preview.evidence.clone(),
        })
    }

    async fn decide(
        &self,
        exchange: Uuid,
        login: &Login,
        decision: PreviewDecision,
    ) -> Result<EvidenceResult, Problem> {
        let (now, entry) = (self.now(), self.entry());
        let mut previews = self.previews();
        let preview = previews.get_mut(&exchange).filter(|preview| preview.login == *login);
        let preview = preview.ok_or_else(request::no_preview)?;
        match preview.decision {
            None if now > preview.decide_until => return Err(request::too_late()),
            None => {
                preview.decision = Some(decision);
                preview.result.outcome = decision.into();
                preview.result.preview_entry = Some(entry);
                preview.result.decide_until = None;
            }
            Some(before) if before == decision => {}
            Some(_) => return Err(Problem::conflict("decided", "another decision was made before")),
        }
        let accepted = decision == PreviewDecision::Accepted;
        Ok(EvidenceResult {
            evidence: accepted.then(|| preview.evidence.clone()),
            ..preview.result.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use messages::EvidenceForm;

    use super::*;

    fn checked(json: &str) -> Result<Answers, AnswersError> {
        Answers::checked(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_shipped_answers_have_one_for_each_outcome_and_are_marked() {
        let answers = Answers::shipped().unwrap();
        for kind in [
            Kind::Delivered,
            Kind::NothingFound,
            Kind::NotPermitted,
            Kind::Refused,
            Kind::ProviderUnavailable,
            Kind::Timeout,
        ] {
            assert!(answers.0.iter().any(|canned| canned.answer == kind), "{kind:?}");
        }
        let mut evidence = answers.0.iter().filter_map(|canned| canned.evidence.as_ref());
        assert!(evidence.all(|evidence| evidence.title.to_string().starts_with(MARK)));
    }

    #[test]
    fn every_shipped_evidence_has_every_form() {
        let answers = Answers::shipped().unwrap();
        let evidence = answers.0.iter().filter_map(|canned| canned.evidence.as_ref());
        for (evidence, form) in evidence.flat_map(|evidence| EvidenceForm::ALL.map(|form| (evidence, form))) {
            let mut query = crate::fixture::query();
            query.form = form;
            let written = document::in_form(evidence.clone(), &query).unwrap();
            assert_eq!(written.fields, evidence.fields);
            let Some(document) = written.document else {
                assert_eq!(form, EvidenceForm::Json);
                continue;
            };
            let content = BASE64.decode(document.content).unwrap();
            let read = crate::evidence::read(form, &content, &query.evidence_type).unwrap();
            assert_eq!(read.fields, evidence.fields);
        }
    }

    #[test]
    fn answers_that_contradict_themselves_are_refused() {
        let evidence = r#"{"title":"T","issued_at":"2026-11-29T08:00:00Z","fields":{}}"#;
        assert!(checked(&format!(r#"[{{"answer":"delivered","evidence":{evidence}}}]"#)).is_ok());
        for wrong in [
            r#"[{"answer":"delivered"}]"#.to_owned(),
            format!(r#"[{{"answer":"refused","evidence":{evidence}}}]"#),
            r#"[{"answer":"refused","preview":true}]"#.to_owned(),
            r#"[{"answer":"refused","delay_ms":60001}]"#.to_owned(),
            r#"[{"answer":"refused","later_seconds":2592001}]"#.to_owned(),
            format!(r#"[{{"answer":"delivered","preview":true,"later_seconds":1,"evidence":{evidence}}}]"#),
        ] {
            assert!(checked(&wrong).is_err(), "{wrong}");
        }
    }
}
