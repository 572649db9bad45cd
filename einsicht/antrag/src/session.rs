//! Who is logged in, with their applications. Nothing of it is on disk.
//!
//! A session ends half an hour after the last request, or two hours after the login. There are at most
//! [`MAX_SESSIONS`]; a further login is refused until one has ended.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service::secret::{SecretError, random};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use crate::application::{Application, RequestKey, Stage};
use crate::login::{Applicant, ProvedLogin};

/// The most sessions at a time.
pub(crate) const MAX_SESSIONS: usize = 4096;
const IDLE: Duration = Duration::from_secs(30 * 60);
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// A person's session. Clones are the same session. `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct Session(Arc<Inner>);

struct Inner {
    applicant: Applicant,
    /// What proves the login.
    proved: ProvedLogin,
    /// What only this session has, for the connector's preview.
    login: String,
    /// What the keys of the session's requests are derived from.
    request_secret: String,
    /// What a form of this session contains, so that no other site can send it.
    form: String,
    begun: Instant,
    changing: Mutex<Changing>,
}

struct Changing {
    used: Instant,
    /// The applications by service.
    applications: BTreeMap<String, Application>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(redacted)")
    }
}

impl Session {
    fn new(applicant: Applicant, proved: ProvedLogin) -> Result<Self, SecretError> {
        let now = Instant::now();
        Ok(Self(Arc::new(Inner {
            applicant,
            proved,
            login: hex::encode(random()?),
            request_secret: hex::encode(random()?),
            form: hex::encode(random()?),
            begun: now,
            changing: Mutex::new(Changing {
                used: now,
                applications: BTreeMap::new(),
            }),
        })))
    }

    fn changing(&self) -> MutexGuard<'_, Changing> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.0.begun.elapsed() >= LONGEST || self.changing().used.elapsed() >= IDLE
    }

    pub(crate) fn applicant(&self) -> &Applicant {
        &self.0.applicant
    }

    pub(crate) fn proved(&self) -> &ProvedLogin {
        &self.0.proved
    }

    /// The value by which the connector recognises this person at the preview.
    pub(crate) fn login(&self) -> &str {
        &self.0.login
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
        let mut changing = self.changing();
        let application = changing.applications.entry(service.to_owned());
        application.or_insert_with(|| Application::new(needs)).clone()
    }

    /// Changes the application for a service, if it was begun and is not sent.
    pub(crate) fn change<T>(&self, service: &str, change: impl FnOnce(&mut Application) -> T) -> Option<T> {
        let mut changing = self.changing();
        let application = changing.applications.get_mut(service);
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

    /// Sets what has come of the request with this key, unless the person has begun another application meanwhile.
    pub(crate) fn settle(&self, service: &str, need: usize, key: &RequestKey, stage: Stage) -> bool {
        let asking = |before: &Stage| matches!(before, Stage::Asking(asked) if asked == key);
        self.advance(service, need, asking, stage)
    }

    /// The key of a request: derived from the session, the application and the step, so that a repeated step has the
    /// same one. It tells nothing about the person, and without the session's secret it cannot be guessed.
    fn request_key(&self, reference: &str, need: usize, attempt: u32) -> RequestKey {
        let step = format!("{}/{reference}/{need}/{attempt}", self.0.request_secret);
        let digest = Sha256::new_with_prefix(b"einsicht/antrag/request/v1\0").chain_update(step);
        RequestKey(hex::encode(digest.finalize()))
    }

    /// Forgets the application, so that the next look begins another one.
    pub(crate) fn forget(&self, service: &str) {
        self.changing().applications.remove(service);
    }
}

/// All sessions, by the digest of their token.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

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
    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session and returns its token.
    pub(crate) fn begin(&self, applicant: Applicant, proved: ProvedLogin) -> Result<String, SessionError> {
        let token = hex::encode(random()?);
        let session = Session::new(applicant, proved)?;
        let mut all = self.all();
        if all.len() >= MAX_SESSIONS {
            all.retain(|_, session| !session.is_over());
        }
        if all.len() >= MAX_SESSIONS {
            return Err(SessionError::Full);
        }
        all.insert(digest(&token), session);
        Ok(token)
    }

    /// The session of a token, which is used now.
    pub(crate) fn of(&self, token: &str) -> Option<Session> {
        let mut all = self.all();
        let session = all.get(&digest(token))?.clone();
        if session.is_over() {
            all.remove(&digest(token));
            return None;
        }
        session.changing().used = Instant::now();
        Some(session)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all().len()
    }

    pub(crate) fn end(&self, token: &str) {
        self.all().remove(&digest(token));
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_not_used_and_after_two_hours() {
        let sessions = Sessions::default();
        let token = sessions
            .begin(Applicant::for_tests(), ProvedLogin::for_tests())
            .unwrap();
        for _ in 0..5 {
            tokio::time::advance(IDLE - Duration::from_secs(300)).await;
            if sessions.0.lock().unwrap()[&digest(&token)].0.begun.elapsed() < LONGEST {
                assert!(sessions.of(&token).is_some());
            }
        }
        assert!(sessions.of(&token).is_none(), "after two hours");
        let token = sessions
            .begin(Applicant::for_tests(), ProvedLogin::for_tests())
            .unwrap();
        tokio::time::advance(IDLE).await;
        assert!(sessions.of(&token).is_none(), "after half an hour without a request");
        assert!(sessions.of("").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded_and_old_ones_make_room() {
        let sessions = Sessions::default();
        for _ in 0..MAX_SESSIONS {
            sessions
                .begin(Applicant::for_tests(), ProvedLogin::for_tests())
                .unwrap();
        }
        assert!(matches!(
            sessions.begin(Applicant::for_tests(), ProvedLogin::for_tests()),
            Err(SessionError::Full)
        ));
        tokio::time::advance(IDLE).await;
        assert!(sessions.begin(Applicant::for_tests(), ProvedLogin::for_tests()).is_ok());
        assert_eq!(sessions.all().len(), 1);
    }
}
