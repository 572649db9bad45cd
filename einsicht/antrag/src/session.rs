//! Who is logged in, with their applications. Nothing of it is on disk.
//!
//! A session ends half an hour after the last request, or two hours after the login. There are at most
//! [`MAX_SESSIONS`]; a further login is refused until one has ended.
//!
//! What a person does is in a [`Folder`]. It ends with the session, unless a register's answer is awaited: then the
//! person's next login finds it again ([`Sessions::begin`]). Such a folder is kept until the last answer can have been
//! collected, and there are at most [`MAX_WAITING`] without a session.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use record::Timestamp;
use service::secret::{SecretError, random};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use crate::application::{Application, Awaited, RequestKey, Stage};
use crate::login::{Applicant, ProvedLogin};

/// The most sessions at a time.
pub(crate) const MAX_SESSIONS: usize = 4096;
const IDLE: Duration = Duration::from_secs(30 * 60);
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// The most people whose requests wait while they are not logged in.
const MAX_WAITING: usize = 4096;
/// The connector keeps an answer for this many seconds after it came.
const COLLECTABLE: u64 = 7 * 86_400;
/// How often a connector is asked at most how a request stands.
const LOOK_INTERVAL: Duration = Duration::from_secs(4);

/// Whom the login means, without the name of anyone.
type PersonId = [u8; 32];

/// A person's session. Clones are the same session. `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct Session(Arc<Inner>);

struct Inner {
    person: PersonId,
    applicant: Applicant,
    /// What proves the login.
    proved: ProvedLogin,
    /// What a form of this session contains, so that no other site can send it.
    form: String,
    begun: Instant,
    used: Mutex<Instant>,
    folder: Arc<Folder>,
}

/// What a person does. Only sessions of this person have it.
struct Folder {
    /// What only the person's sessions have, for the connector's preview.
    login: String,
    /// What the keys of the requests are derived from.
    request_secret: String,
    /// The applications by service.
    applications: Mutex<BTreeMap<String, Application>>,
}

impl Folder {
    fn new() -> Result<Self, SecretError> {
        Ok(Self {
            login: hex::encode(random()?),
            request_secret: hex::encode(random()?),
            applications: Mutex::default(),
        })
    }

    fn applications(&self) -> MutexGuard<'_, BTreeMap<String, Application>> {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a register's answer is awaited, and may still come or be collected.
    fn awaits(&self, now: Timestamp) -> bool {
        let applications = self.applications();
        let mut awaited = applications.values().flat_map(Application::awaited);
        awaited.any(|awaited| now < awaited.ends.after(COLLECTABLE))
    }
}

/// Evidence of which the connector is to be asked how it stands. Its fields are private, so that a task that uses it
/// has all of it: an `async` block takes along only the fields that it names.
pub(crate) struct Due {
    need: usize,
    stage: Stage,
    _task: Arc<()>,
}

impl Due {
    /// The number of the evidence.
    pub(crate) fn need(&self) -> usize {
        self.need
    }

    /// How it stood.
    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(redacted)")
    }
}

impl Session {
    fn new(applicant: Applicant, proved: ProvedLogin, folder: Arc<Folder>) -> Result<Self, SecretError> {
        let now = Instant::now();
        Ok(Self(Arc::new(Inner {
            person: digest(&applicant.subject),
            applicant,
            proved,
            form: hex::encode(random()?),
            begun: now,
            used: Mutex::new(now),
            folder,
        })))
    }

    fn used(&self) -> MutexGuard<'_, Instant> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.0.begun.elapsed() >= LONGEST || self.used().elapsed() >= IDLE
    }

    pub(crate) fn applicant(&self) -> &Applicant {
        &self.0.applicant
    }

    pub(crate) fn proved(&self) -> &ProvedLogin {
        &self.0.proved
    }

    /// The value by which the connector recognises this person at the preview.
    pub(crate) fn login(&self) -> &str {
        &self.0.folder.login
    }

    /// The value that each form of this session contains.
    pub(crate) fn form(&self) -> &str {
        &self.0.form
    }

    /// Whether a form is one of this session.
    pub(crate) fn owns(&self, form: &str) -> bool {
        self.0.form.as_bytes().ct_eq(form.as_bytes()).into()
    }

    /// The application for a service with so many needs. The first look begins it.
    pub(crate) fn application(&self, service: &str, needs: usize) -> Application {
        let mut applications = self.0.folder.applications();
        let application = applications.entry(service.to_owned());
        application.or_insert_with(|| Application::new(needs)).clone()
    }

    /// Changes the application for a service, if it was begun and is not sent.
    pub(crate) fn change<T>(&self, service: &str, change: impl FnOnce(&mut Application) -> T) -> Option<T> {
        let mut applications = self.0.folder.applications();
        let application = applications.get_mut(service);
        application.filter(|application| !application.sent).map(change)
    }

    /// Sets a stage if it may be left for another one. Returns whether it was.
    pub(crate) fn advance(&self, service: &str, need: usize, from: impl Fn(&Stage) -> bool, to: Stage) -> bool {
        let advanced = self.change(service, |application| {
            let piece = application.pieces.get_mut(need).filter(|piece| from(&piece.stage));
            piece.map(|piece| piece.stage = to).is_some()
        });
        advanced == Some(true)
    }

    /// Begins to fetch the evidence for a need, if that is possible now. Returns the authority's reference and the key
    /// of the request.
    pub(crate) fn begin_fetch(&self, service: &str, need: usize) -> Option<(String, RequestKey)> {
        let begun = self.change(service, |application| {
            let reference = application.reference.clone();
            let piece = application.pieces.get_mut(need)?;
            let key = piece.begin_fetch(|attempt| self.request_key(&reference, need, attempt))?;
            Some((reference, key))
        });
        begun.flatten()
    }

    /// Sets what has come of the request with this key. It changes nothing if the person has begun another application
    /// meanwhile.
    pub(crate) fn settle(&self, service: &str, need: usize, key: &RequestKey, next: Stage) {
        self.change(service, |application| {
            let piece = application.pieces.get_mut(need)?;
            let after = piece.stage.after(key, next)?;
            piece.stage = after;
            Some(())
        });
    }

    /// The evidence of an application that waits for its register, if it is time to ask the connector how it stands. It
    /// is not due again while the asking task has its [`Due`].
    pub(crate) fn due(&self, service: &str) -> Vec<Due> {
        let mut due = Vec::new();
        self.change(service, |application| {
            for (need, piece) in application.pieces.iter_mut().enumerate() {
                let (Stage::Pending(awaited) | Stage::Withdrawing(awaited)) = &mut piece.stage else {
                    continue;
                };
                let asking = awaited.asking.strong_count() > 0;
                if asking || awaited.asked.is_some_and(|asked| asked.elapsed() < LOOK_INTERVAL) {
                    continue;
                }
                let task = Arc::new(());
                awaited.asked = Some(Instant::now());
                awaited.asking = Arc::downgrade(&task);
                due.push(Due {
                    need,
                    stage: piece.stage.clone(),
                    _task: task,
                });
            }
        });
        due
    }

    /// Withdraws a request that waits for its register. Returns whether there is one.
    pub(crate) fn withdraw(&self, service: &str, need: usize) -> bool {
        let withdrawn = self.change(service, |application| {
            let piece = application.pieces.get_mut(need)?;
            let Stage::Pending(awaited) = &piece.stage else {
                return None;
            };
            // It is due at once.
            piece.stage = Stage::Withdrawing(Box::new(Awaited {
                asked: None,
                asking: Weak::new(),
                ..(**awaited).clone()
            }));
            Some(())
        });
        withdrawn.flatten().is_some()
    }

    /// The key of a request: derived from the session, the application and the step, so that a repeated step has the
    /// same one. It tells nothing about the person, and without the session's secret it cannot be guessed.
    fn request_key(&self, reference: &str, need: usize, attempt: u32) -> RequestKey {
        let step = format!("{}/{reference}/{need}/{attempt}", self.0.folder.request_secret);
        let digest = Sha256::new_with_prefix(b"einsicht/antrag/request/v1\0").chain_update(step);
        RequestKey(hex::encode(digest.finalize()))
    }

    /// Forgets the application, so that the next look begins another one.
    pub(crate) fn forget(&self, service: &str) {
        self.0.folder.applications().remove(service);
    }
}

/// All sessions, and what waits for people who have none.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<All>);

#[derive(Default)]
struct All {
    /// By the digest of their token.
    sessions: HashMap<[u8; 32], Session>,
    waiting: HashMap<PersonId, Arc<Folder>>,
}

impl All {
    /// Ends a session, and keeps what waits for its register.
    fn end(&mut self, token: &[u8; 32], now: Timestamp) {
        let Some(session) = self.sessions.remove(token) else {
            return;
        };
        let folder = &session.0.folder;
        if !folder.awaits(now) {
            return;
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.retain(|_, folder| folder.awaits(now));
        }
        if self.waiting.len() < MAX_WAITING {
            self.waiting.insert(session.0.person, Arc::clone(folder));
        } else {
            tracing::warn!("too many requests wait: those of a person whose session has ended are forgotten");
        }
    }

    /// The folder with which a session of a person begins: one in which an answer is awaited, or a new one.
    fn folder(&mut self, person: &PersonId, now: Timestamp) -> Result<Arc<Folder>, SecretError> {
        let left = self.waiting.remove(person);
        let mut others = self.sessions.values().filter(|session| session.0.person == *person);
        let shared = left.or_else(|| {
            others
                .find(|other| other.0.folder.awaits(now))
                .map(|other| Arc::clone(&other.0.folder))
        });
        match shared {
            Some(folder) if folder.awaits(now) => Ok(folder),
            _ => Folder::new().map(Arc::new),
        }
    }
}

/// Why no session begins.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// There are too many. Retryable.
    #[error("there are too many sessions")]
    Full,
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session and returns its token. A person whose request waits for its register finds the application
    /// again.
    pub(crate) fn begin(
        &self,
        applicant: Applicant,
        proved: ProvedLogin,
        now: Timestamp,
    ) -> Result<String, SessionError> {
        let token = hex::encode(random()?);
        let mut all = self.all();
        if all.sessions.len() >= MAX_SESSIONS {
            let over = all.sessions.iter().filter(|(_, session)| session.is_over());
            let over: Vec<_> = over.map(|(token, _)| *token).collect();
            for token in over {
                all.end(&token, now);
            }
        }
        if all.sessions.len() >= MAX_SESSIONS {
            return Err(SessionError::Full);
        }
        let folder = all.folder(&digest(&applicant.subject), now)?;
        let session = Session::new(applicant, proved, folder)?;
        all.sessions.insert(digest(&token), session);
        Ok(token)
    }

    /// The session of a token, which is used now.
    pub(crate) fn of(&self, token: &str, now: Timestamp) -> Option<Session> {
        let mut all = self.all();
        let session = all.sessions.get(&digest(token))?.clone();
        if session.is_over() {
            all.end(&digest(token), now);
            return None;
        }
        *session.used() = Instant::now();
        Some(session)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all().sessions.len()
    }

    pub(crate) fn end(&self, token: &str, now: Timestamp) {
        self.all().end(&digest(token), now);
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::application::Query;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    /// Begins to fetch something for which the register takes days.
    fn wait(session: &Session) {
        session.application("kindergeld", 1);
        let (_, key) = session.begin_fetch("kindergeld", 0).unwrap();
        let awaited = Awaited {
            key: key.clone(),
            query: Query(serde_json::Value::Null),
            exchange: uuid::Uuid::nil(),
            available: NOW,
            ends: NOW.after(86_400),
            asked: None,
            asking: Weak::new(),
            collected: None,
        };
        session.settle("kindergeld", 0, &key, Stage::Pending(Box::new(awaited)));
    }

    #[test]
    fn what_waits_is_found_again_by_its_person_alone_and_ends() {
        let sessions = Sessions::default();
        let [emma, deniz] = [(); 2].map(|()| Applicant::for_tests());
        let begin = |applicant: &Applicant, now| {
            let token = sessions
                .begin(applicant.clone(), ProvedLogin::for_tests(), now)
                .unwrap();
            let session = sessions.of(&token, now).unwrap();
            (session, token)
        };
        let waits = |session: &Session| session.application("kindergeld", 1).awaited().count() == 1;
        let (first, token) = begin(&emma, NOW);
        wait(&first);
        let login = first.login().to_owned();
        assert!(waits(&begin(&emma, NOW).0), "in another browser");
        assert!(!waits(&begin(&deniz, NOW).0));
        sessions.end(&token, NOW);
        let (again, _) = begin(&emma, NOW.after(60));
        assert!(waits(&again) && again.login() == login && again.form() != first.form());
        assert_eq!(again.due("kindergeld").len(), 1);
        assert!(again.due("kindergeld").is_empty(), "asked a moment ago");
        assert!(
            !waits(&begin(&emma, NOW.after(86_400 + COLLECTABLE)).0),
            "its time is over"
        );
        assert!(again.withdraw("kindergeld", 0) && !again.withdraw("kindergeld", 0));
        let due = again.due("kindergeld").remove(0);
        let Stage::Withdrawing(awaited) = &due.stage else {
            panic!("the connector is told at once")
        };
        assert!(due.stage.is_waiting());
        again.settle("kindergeld", 0, &awaited.key, Stage::Withdrawn);
        assert!(!waits(&begin(&emma, NOW).0));
    }

    #[tokio::test(start_paused = true)]
    async fn one_task_at_a_time_asks_how_a_request_stands() {
        let sessions = Sessions::default();
        let token = sessions.begin(Applicant::for_tests(), ProvedLogin::for_tests(), NOW);
        let session = sessions.of(&token.unwrap(), NOW).unwrap();
        wait(&session);
        let asking = session.due("kindergeld");
        tokio::time::advance(LOOK_INTERVAL * 2).await;
        assert!(asking.len() == 1 && session.due("kindergeld").is_empty());
        drop(asking);
        assert_eq!(session.due("kindergeld").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_not_used_and_after_two_hours() {
        let sessions = Sessions::default();
        let token = sessions
            .begin(Applicant::for_tests(), ProvedLogin::for_tests(), NOW)
            .unwrap();
        for _ in 0..5 {
            tokio::time::advance(IDLE - Duration::from_secs(300)).await;
            if sessions.all().sessions[&digest(&token)].0.begun.elapsed() < LONGEST {
                assert!(sessions.of(&token, NOW).is_some());
            }
        }
        assert!(sessions.of(&token, NOW).is_none(), "after two hours");
        let token = sessions
            .begin(Applicant::for_tests(), ProvedLogin::for_tests(), NOW)
            .unwrap();
        tokio::time::advance(IDLE).await;
        assert!(
            sessions.of(&token, NOW).is_none(),
            "after half an hour without a request"
        );
        assert!(sessions.of("", NOW).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded_and_old_ones_make_room() {
        let sessions = Sessions::default();
        for _ in 0..MAX_SESSIONS {
            sessions
                .begin(Applicant::for_tests(), ProvedLogin::for_tests(), NOW)
                .unwrap();
        }
        assert!(matches!(
            sessions.begin(Applicant::for_tests(), ProvedLogin::for_tests(), NOW),
            Err(SessionError::Full)
        ));
        tokio::time::advance(IDLE).await;
        assert!(
            sessions
                .begin(Applicant::for_tests(), ProvedLogin::for_tests(), NOW)
                .is_ok()
        );
        assert_eq!(sessions.len(), 1);
    }
}
