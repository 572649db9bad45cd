//! [`HttpLedger`]: the ledger's interface over HTTP.
//!
//! A log may have several ledgers ([`LedgerAddresses`]). Reading is repeated with the next one if a ledger is not
//! reached. Appending is repeated only if there was no connection or a redirect, because then the ledger has done
//! nothing. Otherwise the next call goes to the next ledger: the writer sends the same bytes again.
//!
//! A redirect is followed to a listed address alone, a few times, and only by calls that send no credential.

use std::sync::Arc;
use std::time::Duration;

use certificates::{FollowedDirectory, Peer, Peers};
use record::{Kind, WriterId};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{RequestBuilder, Response};
use service::http::{BodyError, CBOR_SEQ, CallError, Client, MAX_RESPONSE_BODY, read_body};
use service::problem::Problem;
use service::secret::Credential;
use service::tls::TlsIdentity;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::tile::{Bundle, Tile};

use super::addresses::{LedgerAddresses, Ring};
use super::{ApiError, ApiFuture, AppendAnswer, LedgerApi, Submission, WriterHead, wire};

const APPEND_TIMEOUT: Duration = Duration::from_secs(20);
/// How long reading waits for one of several ledgers.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one of several ledgers may take to answer a writer before it is asked for a sign of life. A frozen ledger
/// accepts connections and says nothing; one whose database is slow still shows its head.
const SILENCE: Duration = Duration::from_secs(2);
const SIGN_OF_LIFE_TIMEOUT: Duration = Duration::from_secs(1);
/// How many redirects a call follows.
const MAX_REDIRECTS: usize = 3;

/// The ledger. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpLedger {
    ring: Arc<Ring>,
    /// The entrances that take entries.
    writing: Arc<Ring>,
    reader: Client,
    // Appending has its own client because it must distinguish "not connected", where the ledger has done nothing,
    // from "no answer", where the entries may be in the log.
    appender: reqwest::Client,
    /// For what writers ask the public entrance.
    public: reqwest::Client,
}

impl HttpLedger {
    /// The ledger at `base_url` (a trailing slash is dropped). Connects when first used.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when no HTTP client can be made.
    pub fn new(base_url: &str) -> Result<Self, ApiError> {
        Self::of(&LedgerAddresses::from(base_url))
    }

    /// The ledgers of one log. Connects when first used.
    ///
    /// # Errors
    /// As [`HttpLedger::new`].
    pub fn of(addresses: &LedgerAddresses) -> Result<Self, ApiError> {
        let appender = service::http::client(|builder| builder.timeout(APPEND_TIMEOUT))?;
        let ring = Arc::new(Ring::new(addresses.clone()));
        let reader = Client::new()?;
        Ok(Self {
            reader: if ring.len() > 1 {
                reader.with_timeout(READ_TIMEOUT)
            } else {
                reader
            },
            writing: ring.clone(),
            ring,
            public: appender.clone(),
            appender,
        })
    }

    /// The same ledgers, whose entries go to their writing entrances. Both sides present certificates; the ledger
    /// is who may write `map` entries by the newest directory.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when no HTTP client can be made.
    pub fn with_writing_entrance(
        self,
        addresses: &LedgerAddresses,
        identity: &TlsIdentity,
        directory: Arc<dyn FollowedDirectory>,
    ) -> Result<Self, ApiError> {
        let ledger = Peers::new(directory, [Peer::WriterOf(Kind::Map)]);
        let admits = move |name: &str| ledger.admits(name);
        let appender = service::http::mutual_client(identity, admits, |builder| builder.timeout(APPEND_TIMEOUT))?;
        Ok(Self {
            writing: Arc::new(Ring::new(addresses.clone())),
            appender,
            ..self
        })
    }

    async fn read(&self, path: String) -> Result<Vec<u8>, ApiError> {
        let answer = self.read_with(&self.reader, &path).await?;
        Ok(answer.ok_or_else(|| CallError::Refused(Box::new(Problem::not_found(""))))?)
    }

    /// Reads from the ledger in use, or else from the next ones; `None` for 404.
    async fn read_with(&self, client: &Client, path: &str) -> Result<Option<Vec<u8>>, CallError> {
        let mut left = self.ring.len();
        loop {
            let (at, base) = self.ring.current();
            left -= 1;
            match client.get_optional(&format!("{base}{path}")).await {
                Err(CallError::NotConnected(_) | CallError::Unreachable(_)) if left > 0 => self.ring.leave(at),
                done => return done,
            }
        }
    }

    /// Sends a request that only the ledger which writes to the log answers, to one of these entrances.
    async fn send(
        &self,
        ring: &Ring,
        client: &reqwest::Client,
        path: &str,
        request: impl Fn(String) -> RequestBuilder,
    ) -> Result<Response, ApiError> {
        let (mut unconnected, mut redirects) = (0, 0);
        loop {
            let (at, base) = ring.current();
            let sent = request(format!("{base}{path}")).send();
            let response = tokio::select! {
                response = sent => response.map_err(call_failed),
                () = silent(ring, client, base) => Err(ApiError::NoAnswer("the ledger gives no sign of life".into())),
            };
            let response = match response {
                Ok(response) => response,
                Err(error) => {
                    ring.leave(at);
                    unconnected += 1;
                    if matches!(error, ApiError::NotConnected(_)) && unconnected < ring.len() {
                        continue;
                    }
                    return Err(error);
                }
            };
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|location| location.to_str().ok());
            match (response.status().as_u16(), location) {
                (307, Some(location)) if redirects < MAX_REDIRECTS && ring.redirect(location, path) => {
                    redirects += 1;
                }
                (307, _) => {
                    ring.leave(at);
                    return Err(elsewhere());
                }
                (503, _) => {
                    ring.leave(at);
                    return Ok(response);
                }
                _ => return Ok(response),
            }
        }
    }

    async fn post_entries(&self, submissions: Vec<Submission>) -> Result<Vec<AppendAnswer>, ApiError> {
        let expected = submissions.len();
        let request = |url| {
            let request = self.appender.post(url).header(CONTENT_TYPE, CBOR_SEQ);
            request.header(ACCEPT, CBOR_SEQ).body(wire::encode(&submissions))
        };
        let response = self.send(&self.writing, &self.appender, "/entries", request).await?;
        let media = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let is_sequence = media.is_some_and(|media| media.starts_with(CBOR_SEQ));
        if is_sequence {
            let body = read_body(response, MAX_RESPONSE_BODY).await?;
            return wire::decode(&body, expected);
        }
        if response.status().is_success() {
            return Err(ApiError::Invalid("the answer is not a CBOR sequence".into()));
        }
        Err(refused(response).await?)
    }

    async fn read_writer_head(&self, writer: &WriterId) -> Result<Option<WriterHead>, ApiError> {
        let path = format!("/writers/{}/head", writer.0);
        let response = self
            .send(&self.ring, &self.public, &path, |url| self.public.get(url))
            .await?;
        match response.status().as_u16() {
            404 => Ok(None),
            200..300 => {
                let head = WriterHead::parse(&read_body(response, MAX_RESPONSE_BODY).await?);
                head.map(Some).map_err(|error| ApiError::Invalid(error.to_string()))
            }
            _ => Err(refused(response).await?),
        }
    }
}

/// Returns when the ledger at `base`, one of several, does not answer at all. Never returns while it does.
async fn silent(ring: &Ring, client: &reqwest::Client, base: &str) {
    if ring.len() == 1 {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(SILENCE).await;
        // A writing entrance answers 404, which is a sign of life, too.
        let asked = client.get(format!("{base}/head")).timeout(SIGN_OF_LIFE_TIMEOUT);
        if asked.send().await.is_err() {
            return;
        }
    }
}

/// The problem of a response with an error status.
async fn refused(response: Response) -> Result<ApiError, ApiError> {
    let status = response.status().as_u16();
    let retry_after = service::retry_after_seconds(response.headers());
    let body = read_body(response, MAX_RESPONSE_BODY).await?;
    let problem = Problem::from_response(status, &body, retry_after);
    Ok(ApiError::Refused(Box::new(problem)))
}

/// The ledger has done nothing.
fn elsewhere() -> ApiError {
    let detail = "the ledger sends writers to an address that `ledger` in the configuration does not list";
    ApiError::Refused(Box::new(Problem::unavailable("redirected", 1, detail)))
}

impl LedgerApi for HttpLedger {
    fn checkpoint(&self) -> ApiFuture<'_, Vec<u8>> {
        Box::pin(self.read("/checkpoint".into()))
    }

    fn head(&self) -> ApiFuture<'_, Vec<u8>> {
        Box::pin(self.read("/head".into()))
    }

    fn tile(&self, tile: Tile) -> ApiFuture<'_, Vec<u8>> {
        Box::pin(self.read(format!("/{tile}")))
    }

    fn entries_bundle(&self, bundle: Bundle) -> ApiFuture<'_, Vec<u8>> {
        Box::pin(self.read(format!("/{bundle}")))
    }

    fn receipt(&self, index: Index, witnessed: bool) -> ApiFuture<'_, Vec<u8>> {
        let query = if witnessed { "?witnessed" } else { "" };
        Box::pin(self.read(format!("/entries/{index}/receipt{query}")))
    }

    fn newest_map(&self) -> ApiFuture<'_, Vec<u8>> {
        Box::pin(self.read("/trust/newest".into()))
    }

    fn sets(&self, from: Index) -> ApiFuture<'_, Vec<u8>> {
        Box::pin(self.read(format!("/trust/sets/{from}")))
    }

    fn record<'a>(&'a self, index: Index, credential: &'a Credential) -> ApiFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let client = self.reader.with_credential(credential.clone());
            Ok(self.read_with(&client, &format!("/records/{index}")).await?)
        })
    }

    fn document<'a>(&'a self, digest: &'a Hash) -> ApiFuture<'a, Vec<u8>> {
        Box::pin(self.read(format!("/documents/{digest}")))
    }

    fn writer_head<'a>(&'a self, writer: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>> {
        Box::pin(self.read_writer_head(writer))
    }

    fn append(&self, submissions: Vec<Submission>) -> ApiFuture<'_, Vec<AppendAnswer>> {
        Box::pin(self.post_entries(submissions))
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotConnected(reason) | CallError::Unreachable(reason) => Self::NoAnswer(reason),
            CallError::Refused(problem) => Self::Refused(problem),
            CallError::Invalid(reason) => Self::Invalid(reason),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Connection(error) => call_failed(error),
            BodyError::TooLong(_) => Self::Invalid(error.to_string()),
        }
    }
}

fn call_failed(error: reqwest::Error) -> ApiError {
    let (connecting, error) = (error.is_connect(), error.without_url());
    if connecting {
        ApiError::NotConnected(error.to_string())
    } else {
        ApiError::NoAnswer(error.to_string())
    }
}
