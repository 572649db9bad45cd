//! Reading a log over HTTP, as a guest of its operator.
//!
//! * A file may come compressed with gzip, asked or unasked (c2sp.org/tlog-tiles). The size limit is that of the
//!   uncompressed file.
//! * When the server answers 429 or 503, no further file is asked for until the time that it names in `Retry-After` has
//!   passed, or without one, a growing time. After [`MAX_ATTEMPTS`] refusals, or when the server names more than
//!   [`MAX_PAUSE`], the log cannot be read now.
//! * The `User-Agent` names the program and, if one is given, a contact. Public logs ask for one, and limit clients
//!   without one (Skylight: 75 requests a second for all of them together).

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap};
use service::http::{BodyError, read_body, with_causes};
use service::secret::Credential;
use service::{Backoff, retry_after};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::source_error::{MAX_FILE_BYTES, SourceError};

/// Time for one file, from connecting to its last byte.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a file is asked for while the server answers that it is busy.
const MAX_ATTEMPTS: u32 = 8;
/// The longest time that a server may ask the audit to wait.
const MAX_PAUSE: Duration = Duration::from_secs(120);
/// The longest pause after the first refusal; it grows with each further refusal of the same file.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Program and version, as in `User-Agent`.
const PROGRAM: &str = concat!("einsicht-verifier/", env!("CARGO_PKG_VERSION"));

/// How the operator of a log can reach the person who audits it: an email address or a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact(String);

/// The text is not a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a contact is an email address or a URL of at most 200 visible ASCII characters without parentheses")]
pub struct ContactError;

impl FromStr for Contact {
    type Err = ContactError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"()\\".contains(&byte));
        if visible && (1..=200).contains(&text.len()) {
            Ok(Contact(text.to_owned()))
        } else {
            Err(ContactError)
        }
    }
}

/// How a log at a URL is read.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The credential for records.
    pub credential: Option<Credential>,
    /// The contact in `User-Agent`.
    pub contact: Option<Contact>,
    /// Whether to wait and ask again when the server is busy. A caller that has its own next attempt does not wait.
    pub wait: bool,
}

/// A log at a URL. Clones share their connections and their pauses.
#[derive(Clone, Debug)]
pub struct Remote {
    base: String,
    client: reqwest::Client,
    access: Access,
    /// No request is sent before this time.
    not_before: Arc<Mutex<Option<Instant>>>,
}

impl Remote {
    pub(super) fn new(url: &str, access: Access) -> Result<Self, SourceError> {
        let agent = match &access.contact {
            Some(Contact(contact)) => format!("{PROGRAM} (+{contact})"),
            None => PROGRAM.to_owned(),
        };
        let client = service::http::client(|builder| builder.gzip(true).timeout(TIMEOUT).user_agent(agent.clone()));
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            client: client.map_err(|error| SourceError::new(error.to_string()))?,
            access,
            not_before: Arc::default(),
        })
    }

    /// Reads a file; `None` if there is none.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let url = format!("{}/{path}", self.base);
        let mut backoff = Backoff::new(FIRST_PAUSE, MAX_PAUSE);
        for _ in 0..MAX_ATTEMPTS {
            self.pause().await;
            let mut request = self.client.get(&url).header(ACCEPT_ENCODING, "gzip, identity");
            if let Some(credential) = &self.access.credential {
                request = request.bearer_auth(credential.to_hex().as_str());
            }
            let response = request.send().await.map_err(|error| unreadable(&url, error.into()))?;
            match response.status() {
                StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(SourceError::new(format!(
                        "{url} needs a credential (--credential FILE)"
                    )));
                }
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if self.access.wait => {
                    self.delay(&url, response.headers(), backoff.failed()).await?;
                }
                status if status.is_success() => return body(&url, response).await.map(Some),
                status => return Err(SourceError::new(format!("{url}: the server answers {status}"))),
            }
        }
        Err(SourceError::new(format!(
            "{url}: the server is still busy after {MAX_ATTEMPTS} attempts"
        )))
    }

    /// Waits until the server accepts requests again, as far as it has said.
    async fn pause(&self) {
        let until = *self.not_before.lock().await;
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Delays all further requests as a refusal asks, and at least by `pause`.
    async fn delay(&self, url: &str, headers: &HeaderMap, pause: Duration) -> Result<(), SourceError> {
        let asked = retry_after(headers, SystemTime::now()).unwrap_or_default();
        if asked > MAX_PAUSE {
            let asked = asked.as_secs();
            return Err(SourceError::new(format!(
                "{url}: the server asks to wait {asked} s; audit it later, or name a --contact"
            )));
        }
        let until = Instant::now() + asked.max(pause);
        let mut not_before = self.not_before.lock().await;
        *not_before = (*not_before).max(Some(until));
        Ok(())
    }
}

async fn body(url: &str, response: reqwest::Response) -> Result<Vec<u8>, SourceError> {
    // The client has decoded gzip and removed the header.
    let encoding = response.headers().get(CONTENT_ENCODING);
    if let Some(other) = encoding.filter(|encoding| *encoding != "identity") {
        return Err(SourceError::new(format!(
            "{url} is sent in the encoding {other:?}, which was not asked for"
        )));
    }
    let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    read_body(response, limit).await.map_err(|error| unreadable(url, error))
}

fn unreadable(url: &str, error: BodyError) -> SourceError {
    let error = match error {
        BodyError::Connection(error) => BodyError::Connection(error.without_url()),
        other => other,
    };
    SourceError::new(format!("{url}: {}", with_causes(&error)))
}
