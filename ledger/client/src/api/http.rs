//! [`HttpLedger`]: the ledger's interface over HTTP.

use std::sync::Arc;
use std::time::Duration;

use certificates::{FollowedDirectory, Peer, Peers};
use record::{Kind, WriterId};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use service::http::{BodyError, CBOR_SEQ, CallError, Client, MAX_RESPONSE_BODY, read_body};
use service::problem::Problem;
use service::secret::Credential;
use service::tls::TlsIdentity;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::tile::{Bundle, Tile};

use super::{ApiError, ApiFuture, AppendAnswer, LedgerApi, Submission, WriterHead, wire};

const APPEND_TIMEOUT: Duration = Duration::from_secs(20);

/// The ledger at a base URL. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpLedger {
    base: String,
    /// The base URL of the entrance that takes entries.
    writing: String,
    reader: Client,
    // Appending has its own client because it must distinguish "not connected", where the ledger has done nothing,
    // from "no answer", where the entries may be in the log.
    appender: reqwest::Client,
}

impl HttpLedger {
    /// The ledger at `base_url` (a trailing slash is dropped). Connects when first used.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when no HTTP client can be made.
    pub fn new(base_url: &str) -> Result<Self, ApiError> {
        let appender = service::http::client(|builder| builder.timeout(APPEND_TIMEOUT))?;
        let base = base_url.trim_end_matches('/').to_owned();
        Ok(Self {
            writing: base.clone(),
            base,
            reader: Client::new()?,
            appender,
        })
    }

    /// The same ledger, whose entries go to its writing entrance at `url`. Both sides present certificates; the ledger
    /// is who may write `map` entries by the newest directory.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when no HTTP client can be made.
    pub fn with_writing_entrance(
        self,
        url: &str,
        identity: &TlsIdentity,
        directory: Arc<dyn FollowedDirectory>,
    ) -> Result<Self, ApiError> {
        let ledger = Peers::new(directory, [Peer::WriterOf(Kind::Map)]);
        let admits = move |name: &str| ledger.admits(name);
        let appender = service::http::mutual_client(identity, admits, |builder| builder.timeout(APPEND_TIMEOUT))?;
        Ok(Self {
            writing: url.trim_end_matches('/').to_owned(),
            appender,
            ..self
        })
    }

    async fn read(&self, path: String) -> Result<Vec<u8>, ApiError> {
        Ok(self.reader.get_bytes(&format!("{}{path}", self.base)).await?)
    }

    async fn post_entries(&self, submissions: Vec<Submission>) -> Result<Vec<AppendAnswer>, ApiError> {
        let expected = submissions.len();
        let request = self
            .appender
            .post(format!("{}/entries", self.writing))
            .header(CONTENT_TYPE, CBOR_SEQ)
            .header(ACCEPT, CBOR_SEQ)
            .body(wire::encode(&submissions));
        let response = request.send().await.map_err(call_failed)?;
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let is_sequence = header(CONTENT_TYPE).is_some_and(|media| media.starts_with(CBOR_SEQ));
        let retry_after = service::retry_after_seconds(response.headers());
        let body = read_body(response, MAX_RESPONSE_BODY).await?;
        if is_sequence {
            return wire::decode(&body, expected);
        }
        if status < 300 {
            return Err(ApiError::Invalid("the answer is not a CBOR sequence".into()));
        }
        let problem = Problem::from_response(status, &body, retry_after);
        Err(ApiError::Refused(Box::new(problem)))
    }
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
            Ok(client.get_optional(&format!("{}/records/{index}", self.base)).await?)
        })
    }

    fn document<'a>(&'a self, digest: &'a Hash) -> ApiFuture<'a, Vec<u8>> {
        Box::pin(self.read(format!("/documents/{digest}")))
    }

    fn writer_head<'a>(&'a self, writer: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>> {
        Box::pin(async move {
            let url = format!("{}/writers/{}/head", self.base, writer.0);
            let answer = self.reader.get_optional(&url).await?;
            let head = answer.map(|bytes| WriterHead::parse(&bytes)).transpose();
            head.map_err(|error| ApiError::Invalid(error.to_string()))
        })
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
