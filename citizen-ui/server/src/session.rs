//! Sessions. They are in memory only, and end by logout, idleness or age.
//!
//! The cookie is 32 random bytes in hexadecimal digits. The key in the session map is their SHA-256, so that the map
//! does not reveal a cookie. Every completed login gets a new cookie, which prevents session fixation. When a session
//! ends, its content is dropped, and zeroized where its types do so.
//!
//! Only a completed login opens a session ([`service::openid::PendingLogins`] has those that have begun), and one
//! person has at most [`MAX_SESSIONS_OF_A_PERSON`]. Idleness and age are measured by the monotonic clock: setting the
//! wall clock back does not prolong a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service::Clock;
use service::secret::SecretError;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::citizen::Citizen;
use crate::config::SessionLimits;

/// The most sessions. Further logins are refused.
const MAX_SESSIONS: usize = 20_000;
/// The most sessions of one person. A further login ends the oldest one.
const MAX_SESSIONS_OF_A_PERSON: usize = 5;

/// All sessions, by the SHA-256 of their cookie.
pub(crate) struct Sessions {
    limits: SessionLimits,
    clock: Arc<dyn Clock>,
    map: Mutex<HashMap<[u8; 32], Session>>,
}

struct Session {
    citizen: Arc<Citizen>,
    began: Instant,
    touched: Instant,
}

/// A citizen's session, as a handler sees it.
#[derive(Clone)]
pub(crate) struct CurrentSession {
    pub(crate) citizen: Arc<Citizen>,
    /// POSIX seconds at which the session ends if the citizen requests no further page.
    pub(crate) idle_end: u64,
    /// POSIX seconds at which the session ends in any case.
    pub(crate) end: u64,
}

/// Why a session cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The operating system provides no randomness.
    #[error(transparent)]
    Random(#[from] SecretError),
    /// There are [`MAX_SESSIONS`] sessions.
    #[error("too many sessions")]
    Full,
}

impl Sessions {
    pub(crate) fn new(limits: SessionLimits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            map: Mutex::default(),
        }
    }

    /// Opens a citizen's session. Returns the value of its cookie.
    pub(crate) fn open(&self, citizen: Citizen) -> Result<String, SessionError> {
        let secret = service::secret::random()?;
        let now = Instant::now();
        let mut map = self.map();
        if map.len() >= MAX_SESSIONS {
            map.retain(|_, session| !self.ended(session, now));
        }
        let same = map
            .iter()
            .filter(|(_, session)| session.citizen.is_same_person(&citizen));
        let mut same: Vec<_> = same.map(|(key, session)| (session.began, *key)).collect();
        same.sort_unstable_by(|one, other| other.cmp(one));
        for (_, oldest) in same.into_iter().skip(MAX_SESSIONS_OF_A_PERSON - 1) {
            map.remove(&oldest);
        }
        if map.len() >= MAX_SESSIONS {
            return Err(SessionError::Full);
        }
        let session = Session {
            citizen: Arc::new(citizen),
            began: now,
            touched: now,
        };
        map.insert(Sha256::digest(secret).into(), session);
        Ok(hex::encode(secret))
    }

    /// The citizen's session, unless it has ended. `touch` says that the citizen requested a page, which restarts the
    /// idle time.
    pub(crate) fn current(&self, cookie: &str, touch: bool) -> Option<CurrentSession> {
        let key = session_key(cookie)?;
        let now = Instant::now();
        let mut map = self.map();
        let session = map.get_mut(&key)?;
        if self.ended(session, now) {
            map.remove(&key);
            return None;
        }
        if touch {
            session.touched = now;
        }
        let rest = |since: Instant, limit: u64| limit.saturating_sub(now.duration_since(since).as_secs());
        let clock = self.clock.now();
        let end = clock.saturating_add(rest(session.began, self.limits.longest));
        let idle_end = clock.saturating_add(rest(session.touched, self.limits.idle));
        Some(CurrentSession {
            citizen: Arc::clone(&session.citizen),
            idle_end: end.min(idle_end),
            end,
        })
    }

    /// Ends a session.
    pub(crate) fn end(&self, cookie: &str) {
        if let Some(key) = session_key(cookie) {
            self.map().remove(&key);
        }
    }

    /// Drops all ended sessions.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.map().retain(|_, session| !self.ended(session, now));
    }

    fn ended(&self, session: &Session, now: Instant) -> bool {
        now.duration_since(session.began) >= Duration::from_secs(self.limits.longest)
            || now.duration_since(session.touched) >= Duration::from_secs(self.limits.idle)
    }

    fn map(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn session_key(cookie: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    hex::decode_to_slice(cookie, &mut secret).ok()?;
    Some(Sha256::digest(secret).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use service::ManualClock;
    use tokio::time::advance;

    use super::*;

    fn sessions() -> (Arc<ManualClock>, Sessions) {
        let clock = ManualClock::new(1_000);
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
        (clock, Sessions::new(SessionLimits::default(), shared))
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_idle() {
        let (clock, sessions) = sessions();
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        advance(Duration::from_secs(299)).await;
        clock.set(1_299);
        let current = sessions.current(&cookie, true).unwrap();
        assert_eq!((current.idle_end, current.end), (1_599, 2_800));
        advance(Duration::from_secs(299)).await;
        assert!(
            sessions.current(&cookie, false).is_some(),
            "a read without touch does not extend the session"
        );
        advance(Duration::from_secs(1)).await;
        assert!(sessions.current(&cookie, true).is_none());
        assert!(sessions.map().is_empty(), "the ended session is dropped");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_by_age_and_is_swept() {
        let (_, sessions) = sessions();
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        for _ in 0..8 {
            advance(Duration::from_secs(200)).await;
            assert!(sessions.current(&cookie, true).is_some());
        }
        advance(Duration::from_secs(199)).await;
        let current = sessions.current(&cookie, true).unwrap();
        assert_eq!((current.idle_end, current.end), (1_001, 1_001));
        advance(Duration::from_secs(1)).await;
        sessions.sweep();
        assert!(sessions.map().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn setting_the_wall_clock_neither_ends_nor_prolongs_a_session() {
        let (clock, sessions) = sessions();
        clock.set(100_000_000);
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        clock.set(200_000_000);
        assert!(sessions.current(&cookie, false).is_some());
        clock.set(1_000);
        advance(Duration::from_secs(300)).await;
        assert!(sessions.current(&cookie, false).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_has_a_bounded_number_of_sessions() {
        let (_, sessions) = sessions();
        let other = sessions.open(Citizen::for_tests("B")).unwrap();
        let mut cookies = Vec::new();
        for _ in 0..20 {
            cookies.push(sessions.open(Citizen::for_tests("A")).unwrap());
            advance(Duration::from_secs(1)).await;
        }
        let alive = |cookie: &String| sessions.current(cookie, false).is_some();
        assert_eq!(
            cookies.iter().filter(|cookie| alive(cookie)).count(),
            MAX_SESSIONS_OF_A_PERSON
        );
        assert!(
            cookies.iter().rev().take(MAX_SESSIONS_OF_A_PERSON).all(alive),
            "the newest"
        );
        assert!(alive(&other), "another person's session");
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_and_ended_cookies_have_no_session() {
        let (_, sessions) = sessions();
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        assert!(sessions.current("", true).is_none());
        assert!(sessions.current(&"0".repeat(64), true).is_none());
        sessions.end(&cookie);
        assert!(sessions.current(&cookie, true).is_none());
    }
}
