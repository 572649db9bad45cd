//! Sessions. They are in memory only, and end by logout, idleness or age.
//!
//! The cookie is 32 random bytes in hexadecimal digits. The key in the session map is their SHA-256, so that the map
//! does not reveal a cookie. Every completed login gets a new cookie, which prevents session fixation. When a session
//! ends, its content is dropped, and zeroized where its types do so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use service::Clock;
use service::secret::SecretError;
use sha2::{Digest, Sha256};

use crate::citizen::Citizen;
use crate::config::SessionLimits;
use crate::login::PendingLogin;

/// How long a login may take, in seconds.
const PENDING_SECONDS: u64 = 600;
/// The most sessions, including logins that have begun. Further ones are refused.
const MAX_SESSIONS: usize = 20_000;

/// All sessions, by the SHA-256 of their cookie.
pub(crate) struct Sessions {
    limits: SessionLimits,
    clock: Arc<dyn Clock>,
    map: Mutex<HashMap<[u8; 32], Session>>,
}

struct Session {
    content: SessionContent,
    began: u64,
    touched: u64,
}

enum SessionContent {
    Pending(Box<PendingLogin>),
    Citizen(Arc<Citizen>),
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

    /// Stores a login that has begun. Returns the value of its cookie.
    pub(crate) fn begin(&self, pending: PendingLogin) -> Result<String, SessionError> {
        self.insert(SessionContent::Pending(Box::new(pending)))
    }

    /// Removes and returns a login that has begun, so that it can be finished only once.
    pub(crate) fn take_pending(&self, cookie: &str) -> Option<PendingLogin> {
        let key = session_key(cookie)?;
        let mut map = self.map();
        if !matches!(map.get(&key)?.content, SessionContent::Pending(_)) {
            return None;
        }
        let session = map.remove(&key)?;
        match session.content {
            SessionContent::Pending(pending) if session.began + PENDING_SECONDS > self.clock.now() => Some(*pending),
            _ => None,
        }
    }

    /// Opens a citizen's session. Returns the value of its cookie.
    pub(crate) fn open(&self, citizen: Citizen) -> Result<String, SessionError> {
        self.insert(SessionContent::Citizen(Arc::new(citizen)))
    }

    /// The citizen's session, unless it has ended. `touch` says that the citizen requested a page, which restarts the
    /// idle time.
    pub(crate) fn current(&self, cookie: &str, touch: bool) -> Option<CurrentSession> {
        let key = session_key(cookie)?;
        let now = self.clock.now();
        let mut map = self.map();
        let session = map.get_mut(&key)?;
        if self.ended(session, now) {
            map.remove(&key);
            return None;
        }
        let SessionContent::Citizen(citizen) = &session.content else {
            return None;
        };
        let citizen = Arc::clone(citizen);
        if touch {
            session.touched = now;
        }
        let end = session.began + self.limits.longest;
        Some(CurrentSession {
            citizen,
            idle_end: end.min(session.touched + self.limits.idle),
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
        let now = self.clock.now();
        self.map().retain(|_, session| !self.ended(session, now));
    }

    fn ended(&self, session: &Session, now: u64) -> bool {
        match session.content {
            SessionContent::Pending(_) => now >= session.began + PENDING_SECONDS,
            SessionContent::Citizen(_) => {
                now >= session.began + self.limits.longest || now >= session.touched + self.limits.idle
            }
        }
    }

    fn insert(&self, content: SessionContent) -> Result<String, SessionError> {
        let secret = service::secret::random()?;
        let now = self.clock.now();
        let mut map = self.map();
        if map.len() >= MAX_SESSIONS {
            map.retain(|_, session| !self.ended(session, now));
            if map.len() >= MAX_SESSIONS {
                return Err(SessionError::Full);
            }
        }
        let session = Session {
            content,
            began: now,
            touched: now,
        };
        map.insert(Sha256::digest(secret).into(), session);
        Ok(hex::encode(secret))
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

/// SPEC: RFC 6265bis §4.1.3.2: a `__Host-` cookie is `Secure`, has no `Domain`, and has the path `/`.
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-einsicht" } else { "einsicht" }
}

/// The value of the session cookie in a request.
pub(crate) fn cookie_of(headers: &HeaderMap, secure: bool) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == cookie_name(secure))
        .map(|(_, value)| value.to_owned())
}

/// The header `Set-Cookie` for a session. Without a value, it removes the cookie.
pub(crate) fn set_cookie(value: Option<&str>, secure: bool) -> Option<HeaderValue> {
    let name = cookie_name(secure);
    let secure = if secure { "; Secure" } else { "" };
    let text = match value {
        Some(value) => format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"),
        None => format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}"),
    };
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use service::ManualClock;

    use super::*;

    fn sessions() -> (Arc<ManualClock>, Sessions) {
        let clock = ManualClock::new(1_000);
        (Arc::clone(&clock), Sessions::new(SessionLimits::default(), clock))
    }

    #[test]
    fn a_session_ends_when_idle() {
        let (clock, sessions) = sessions();
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        clock.set(1_299);
        let current = sessions.current(&cookie, true).unwrap();
        assert_eq!((current.idle_end, current.end), (1_599, 2_800));
        clock.set(1_598);
        assert!(
            sessions.current(&cookie, false).is_some(),
            "a read without touch does not extend the session"
        );
        clock.set(1_599);
        assert!(sessions.current(&cookie, true).is_none());
        assert!(sessions.map().is_empty(), "the ended session is dropped");
    }

    #[test]
    fn a_session_ends_by_age_and_is_swept() {
        let (clock, sessions) = sessions();
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        for now in (1_000..2_800).step_by(200) {
            clock.set(now);
            assert!(sessions.current(&cookie, true).is_some());
        }
        clock.set(2_799);
        assert_eq!(sessions.current(&cookie, true).unwrap().idle_end, 2_800);
        clock.set(2_800);
        sessions.sweep();
        assert!(sessions.map().is_empty());
    }

    #[test]
    fn cookies_are_found_and_set_by_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; einsicht=xyz"));
        assert_eq!(cookie_of(&headers, false).as_deref(), Some("xyz"));
        assert_eq!(cookie_of(&headers, true), None);
        let set = |value, secure| set_cookie(value, secure).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            set(Some("x"), true),
            "__Host-einsicht=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(set(None, false).contains("Max-Age=0"));
    }

    #[test]
    fn unknown_and_ended_cookies_have_no_session() {
        let (_clock, sessions) = sessions();
        let cookie = sessions.open(Citizen::for_tests("A")).unwrap();
        assert!(sessions.current("", true).is_none());
        assert!(sessions.current(&"0".repeat(64), true).is_none());
        assert!(
            sessions.take_pending(&cookie).is_none(),
            "a citizen's session is not a pending login"
        );
        sessions.end(&cookie);
        assert!(sessions.current(&cookie, true).is_none());
    }
}
