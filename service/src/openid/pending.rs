//! Logins that have begun.
//!
//! They are in the browser: each in a cookie that is named after its `state` and sealed by this process. So an
//! anonymous request stores nothing on the server, several tabs can log in independently, and a response of the
//! provider that fits none of them changes nothing. A code can be redeemed once only, which is the provider's rule.
//!
//! A browser has at most [`MAX_PENDING`] of them, because every request carries all cookies: a further login removes
//! the oldest ones.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::cookies::{self, Cookies};
use crate::sealed::{SealError, Sealer};
use crate::secret::SecretError;

/// How long a login may take.
const LIFETIME: Duration = Duration::from_secs(600);
/// The most pending logins of a browser.
const MAX_PENDING: usize = 8;
/// The most cookies of a request that are opened. A browser that follows the answers has fewer.
const MAX_OPENED: usize = 64;

/// Seals and opens pending logins: a [`super::PendingLogin`] with what the application needs after it.
pub struct PendingLogins {
    sealer: Sealer,
    cookies: Cookies,
    /// Times are measured from here, so that the wall clock does not matter.
    started: Instant,
}

#[derive(Serialize, Deserialize)]
struct SealedLogin<T> {
    /// Milliseconds since [`PendingLogins::started`].
    began: u64,
    login: T,
}

impl PendingLogins {
    /// Logins of an application with these cookies.
    ///
    /// # Errors
    /// [`SecretError::Random`].
    pub fn new(cookies: Cookies) -> Result<Self, SecretError> {
        Ok(Self {
            sealer: Sealer::new()?,
            cookies,
            started: Instant::now(),
        })
    }

    /// The cookies to set for a login that begins: its own first, then the removal of those that are too many.
    pub fn begin<T: Serialize>(
        &self,
        headers: &HeaderMap,
        state: &str,
        login: T,
    ) -> Result<Vec<HeaderValue>, SealError> {
        let began = self.now();
        let name = self.name(state);
        let value = self.sealer.seal(&name, &SealedLogin { began, login })?;
        let mut older: Vec<(Option<u64>, &str)> = self.of(headers).collect();
        older.sort_by(|one, other| other.cmp(one));
        let surplus = older.into_iter().skip(MAX_PENDING - 1);
        let removals = surplus.filter_map(|(_, name)| self.cookies.set(name, "", Some(0)));
        let own = self.cookies.set(&name, &value, Some(LIFETIME.as_secs()));
        Ok(own.into_iter().chain(removals).collect())
    }

    /// The pending login of this browser with this `state`, and the removal of its cookie.
    pub fn take<T: DeserializeOwned>(&self, headers: &HeaderMap, state: &str) -> Option<(T, HeaderValue)> {
        let name = self.name(state);
        let SealedLogin { began, login } = self.sealer.open(&name, cookies::value(headers, &name)?)?;
        let age = self.now().saturating_sub(began);
        if u128::from(age) >= LIFETIME.as_millis() {
            return None;
        }
        Some((login, self.cookies.set(&name, "", Some(0))?))
    }

    /// When the logins of a request began, and the names of their cookies; `None` for those that cannot be opened.
    fn of<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = (Option<u64>, &'a str)> {
        let prefix = self.cookies.login_prefix();
        cookies::all(headers)
            .filter(move |(name, _)| name.starts_with(&prefix))
            .take(MAX_OPENED)
            .map(|(name, value)| {
                let opened = self.sealer.open::<SealedLogin<serde::de::IgnoredAny>>(name, value);
                (opened.map(|sealed| sealed.began), name)
            })
    }

    fn name(&self, state: &str) -> String {
        format!("{}{state}", self.cookies.login_prefix())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::header;

    use super::*;

    /// A browser's cookies.
    #[derive(Default)]
    struct Browser(Vec<(String, String)>);

    impl Browser {
        fn follow(&mut self, set: &[HeaderValue]) {
            for line in set {
                let (pair, attributes) = line.to_str().unwrap().split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.0.retain(|(known, _)| known != name);
                if !attributes.contains("Max-Age=0") {
                    self.0.push((name.to_owned(), value.to_owned()));
                }
            }
        }

        fn headers(&self) -> HeaderMap {
            let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
            HeaderMap::from_iter([(header::COOKIE, pairs.join("; ").parse().unwrap())])
        }
    }

    fn logins() -> PendingLogins {
        PendingLogins::new(Cookies::new("einsicht", "https://")).unwrap()
    }

    /// What is kept for a login does not matter here.
    fn login() -> String {
        "login".to_owned()
    }

    fn take(logins: &PendingLogins, headers: &HeaderMap, state: &str) -> Option<(String, HeaderValue)> {
        logins.take(headers, state)
    }

    #[tokio::test(start_paused = true)]
    async fn each_login_is_found_by_its_state_and_removed_alone() {
        let (logins, mut browser) = (logins(), Browser::default());
        for state in ["one", "two"] {
            let set = logins.begin(&browser.headers(), state, login()).unwrap();
            browser.follow(&set);
        }
        assert!(take(&logins, &browser.headers(), "three").is_none());
        assert!(take(&logins, &HeaderMap::new(), "one").is_none(), "another browser");
        let (_, removal) = take(&logins, &browser.headers(), "one").unwrap();
        browser.follow(&[removal]);
        assert!(take(&logins, &browser.headers(), "one").is_none());
        assert!(take(&logins, &browser.headers(), "two").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_ends_after_ten_minutes() {
        let (logins, mut browser) = (logins(), Browser::default());
        browser.follow(&logins.begin(&browser.headers(), "one", login()).unwrap());
        tokio::time::advance(LIFETIME - Duration::from_secs(1)).await;
        assert!(take(&logins, &browser.headers(), "one").is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(take(&logins, &browser.headers(), "one").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_of_another_state_or_process_is_not_opened() {
        let (logins, other) = (logins(), logins());
        let mut browser = Browser::default();
        browser.follow(&logins.begin(&browser.headers(), "one", login()).unwrap());
        assert!(take(&other, &browser.headers(), "one").is_none());
        browser.0[0].0 = browser.0[0].0.replace("one", "two");
        assert!(take(&logins, &browser.headers(), "two").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_keeps_the_newest_logins_only() {
        let (logins, mut browser) = (logins(), Browser::default());
        browser
            .0
            .push(("__Host-einsicht-login-x".to_owned(), "not ours".to_owned()));
        for number in 0..100 {
            let set = logins.begin(&browser.headers(), &number.to_string(), login()).unwrap();
            browser.follow(&set);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(browser.0.len(), MAX_PENDING);
        for number in 92..100 {
            assert!(
                take(&logins, &browser.headers(), &number.to_string()).is_some(),
                "{number}"
            );
        }
    }
}
