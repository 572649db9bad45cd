//! Calls to other compartments over HTTP.
//!
//! A client follows no redirects, uses no proxy, and limits the time and the size of an answer. It asks for no
//! compression, but reads a gzip body, because a static server of a log may send one unasked (c2sp.org/tlog-tiles); the
//! limit is that of the uncompressed body. For `https` it uses the root certificates of the platform. Every client of
//! this workspace comes from [`client`], because a TLS client needs a provider of cryptography, which only one place
//! should choose.
//!
//! A call fails in three ways, which callers treat differently: the other side is not reached (retryable), it refuses
//! (the problem states whether to retry), or its answer is not valid (a fault of the other side).

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::ClientBuilder;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::retry_after_seconds;
use crate::secret::Credential;
use crate::tls::TlsIdentity;

/// Media type of deterministic CBOR.
pub const CBOR: &str = "application/cbor";
/// Media type of a CBOR sequence (RFC 8742).
pub const CBOR_SEQ: &str = "application/cbor-seq";

/// What a client calls itself, unless its caller sets another name.
pub const USER_AGENT: &str = concat!("einsicht/", env!("CARGO_PKG_VERSION"));

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Servers of this workspace close idle connections after 15 s ([`crate::listen`]). A client that gives them up earlier
/// never sends a request on a connection that is being closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(8);
/// What a client accepts whose caller names nothing.
const ANYTHING: &str = "*/*";
/// The most bytes that [`Client`] reads of a response's body.
pub const MAX_RESPONSE_BODY: usize = 64 << 20;

/// Why a call has failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There was no connection, so the other side has certainly not acted. Retryable.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// The other side was connected and did not answer. It may or may not have acted. Retryable.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The other side refused.
    #[error("refused: {0}")]
    Refused(Box<Problem>),
    /// The answer of the other side is not valid.
    #[error("invalid answer: {0}")]
    Invalid(String),
}

impl CallError {
    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Unreachable(_) => true,
            Self::Refused(problem) => problem.retryable(),
            Self::Invalid(_) => false,
        }
    }

    /// The problem, if the other side refused.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}

/// A response of any status.
#[derive(Debug)]
pub struct RawResponse {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, empty if there is none.
    pub content_type: String,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl RawResponse {
    /// The body of a response with a success status, read as JSON; otherwise the problem.
    pub fn json<A: DeserializeOwned>(self) -> Result<A, CallError> {
        text::json::from_slice(&self.success()?).map_err(|error| CallError::Invalid(error.to_string()))
    }

    /// The body of a response with a success status; otherwise the problem.
    pub fn success(self) -> Result<Vec<u8>, CallError> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(CallError::Refused(Box::new(Problem::from_response(
            self.status,
            &self.body,
            self.retry_after,
        ))))
    }
}

/// An HTTP client of this workspace: no redirects (a redirect could send a credential to another server), no proxy,
/// TLS by rustls and ring with the root certificates of the platform. It decodes no body unless `with`, which adds the
/// caller's own options, says so.
///
/// # Errors
/// [`CallError::Invalid`] if the client cannot be built.
pub fn client(with: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<reqwest::Client, CallError> {
    // Fails only if a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        with(
            reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent(USER_AGENT)
                .gzip(false)
                .pool_idle_timeout(POOL_IDLE_TIMEOUT)
                .tcp_nodelay(true),
        )
    };
    // A machine without root certificates can still call other compartments over http; https calls then fail with an
    // error.
    builder()
        .build()
        .or_else(|_| builder().tls_certs_only([]).build())
        .map_err(|error| CallError::Invalid(error.to_string()))
}

/// Like [`client`], with mutual TLS as [`Client::mutual`].
///
/// # Errors
/// [`CallError::Invalid`] if the client cannot be built.
pub fn mutual_client(
    identity: &TlsIdentity,
    expected: impl Fn(&str) -> bool + Send + Sync + 'static,
    with: impl Fn(ClientBuilder) -> ClientBuilder,
) -> Result<reqwest::Client, CallError> {
    let tls = identity.client(expected);
    let tls = tls.map_err(|error| CallError::Invalid(error.to_string()))?;
    client(|builder| with(builder).https_only(true).tls_backend_preconfigured(tls.clone()))
}

/// A connection pool, cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    credential: Option<Credential>,
    authorization: Option<String>,
    idempotency_key: Option<String>,
    accept: &'static str,
    timeout: Duration,
}

impl Client {
    /// A client without a credential, with a time limit of 20 s.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self {
            inner: client(|builder| builder.gzip(true))?,
            credential: None,
            authorization: None,
            idempotency_key: None,
            accept: ANYTHING,
            timeout: DEFAULT_TIMEOUT,
        })
    }

    /// A client that presents the certificate of `identity`, and calls only servers of our own certificate authority
    /// whose name `expected` accepts ([`crate::tls`]). It calls no `http` URL.
    ///
    /// # Errors
    /// [`CallError::Invalid`] if the client cannot be built.
    pub fn mutual(
        identity: &TlsIdentity,
        expected: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, CallError> {
        Ok(Self {
            inner: mutual_client(identity, expected, |builder| builder.gzip(true))?,
            credential: None,
            authorization: None,
            idempotency_key: None,
            accept: ANYTHING,
            timeout: DEFAULT_TIMEOUT,
        })
    }

    /// The same connections, with a credential on every call.
    pub fn with_credential(&self, credential: Credential) -> Self {
        Self {
            credential: Some(credential),
            ..self.clone()
        }
    }

    /// The same connections, with this `Authorization` on every call, in a scheme of the caller's own.
    pub fn with_authorization(&self, value: String) -> Self {
        Self {
            authorization: Some(value),
            ..self.clone()
        }
    }

    /// The same connections, with this `Idempotency-Key` on every call, so that a call whose answer was lost can be
    /// repeated. The key has no quotation mark and no backslash.
    pub fn with_idempotency_key(&self, key: &str) -> Self {
        Self {
            idempotency_key: Some(format!("\"{key}\"")),
            ..self.clone()
        }
    }

    /// The same connections, with this media type as the only one that each call accepts.
    #[must_use]
    pub fn with_accept(&self, media_type: &'static str) -> Self {
        Self {
            accept: media_type,
            ..self.clone()
        }
    }

    /// The same connections, with a time limit for each call from connecting to the last byte.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// GET. Returns the body of a success.
    pub async fn get_bytes(&self, url: &str) -> Result<Vec<u8>, CallError> {
        self.get(url).await?.success()
    }

    /// GET. Returns the body of a success, or `None` for 404.
    pub async fn get_optional(&self, url: &str) -> Result<Option<Vec<u8>>, CallError> {
        let answer = self.get(url).await?;
        if answer.status == StatusCode::NOT_FOUND.as_u16() {
            Ok(None)
        } else {
            answer.success().map(Some)
        }
    }

    /// GET. Returns a response of any status.
    pub async fn get(&self, url: &str) -> Result<RawResponse, CallError> {
        self.send(self.inner.get(url)).await
    }

    /// DELETE. Returns a response of any status.
    pub async fn delete(&self, url: &str) -> Result<RawResponse, CallError> {
        self.send(self.inner.delete(url)).await
    }

    /// POST. Returns a response of any status.
    pub async fn post(&self, url: &str, content_type: &str, body: Vec<u8>) -> Result<RawResponse, CallError> {
        self.send(self.inner.post(url).header(CONTENT_TYPE, content_type).body(body))
            .await
    }

    /// POST of CBOR. Returns the body of a success.
    pub async fn post_cbor(&self, url: &str, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        self.post(url, CBOR, body).await?.success()
    }

    /// POST of JSON. Reads the body of a success as JSON.
    pub async fn post_json<Q: Serialize, A: DeserializeOwned>(&self, url: &str, body: &Q) -> Result<A, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| CallError::Invalid(error.to_string()))?;
        self.post(url, "application/json", body).await?.json()
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Result<RawResponse, CallError> {
        request = request.timeout(self.timeout).header(ACCEPT, self.accept);
        request = request.header(ACCEPT_ENCODING, "identity");
        if let Some(credential) = &self.credential {
            request = request.bearer_auth(credential.to_hex().as_str());
        }
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.map_err(unreachable)?;
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        Ok(RawResponse {
            status: response.status().as_u16(),
            content_type: text(CONTENT_TYPE).unwrap_or_default().to_owned(),
            retry_after: retry_after_seconds(response.headers()),
            body: read_body(response, MAX_RESPONSE_BODY).await?,
        })
    }
}

/// Why the body of a response could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection failed before the end of the body.
    #[error(transparent)]
    Connection(#[from] reqwest::Error),
    /// The body has more bytes than this limit.
    #[error("more than {0} bytes")]
    TooLong(usize),
}

impl From<BodyError> for CallError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Connection(error) => unreachable(error),
            BodyError::TooLong(_) => Self::Invalid(error.to_string()),
        }
    }
}

/// Reads the body of a response of at most `limit` bytes. A server that sends more must not fill the memory of its
/// caller.
///
/// # Errors
/// [`BodyError`].
pub async fn read_body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

// A URL may have parts that must not be logged, so the error text is without it.
fn unreachable(error: reqwest::Error) -> CallError {
    let connected = !error.is_connect();
    let text = with_causes(&error.without_url());
    if connected {
        CallError::Unreachable(text)
    } else {
        CallError::NotConnected(text)
    }
}

/// The text of an error and of all its causes. The text of a `reqwest` error alone does not say why it failed.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::AsyncReadExt as _;

    /// Answers a request with this body as gzip, and returns the request's headers.
    async fn compressed(body: &[u8]) -> (Result<RawResponse, CallError>, String) {
        use std::io::Write as _;
        use tokio::io::AsyncWriteExt as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body).unwrap();
        let packed = encoder.finish().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let call = tokio::spawn(async move { Client::new().unwrap().get(&url).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            packed.len()
        );
        stream.write_all(&[head.as_bytes(), &packed].concat()).await.unwrap();
        (call.await.unwrap(), String::from_utf8(request).unwrap().to_lowercase())
    }

    #[tokio::test]
    async fn a_body_that_comes_compressed_unasked_is_read_up_to_the_limit() {
        let (response, request) = compressed(b"bundle").await;
        assert_eq!(response.unwrap().body, b"bundle");
        assert!(request.contains("accept-encoding: identity\r\n"), "{request}");
        let (response, _) = compressed(&vec![0; MAX_RESPONSE_BODY + 1]).await;
        assert!(matches!(response, Err(CallError::Invalid(_))));
    }

    #[tokio::test]
    async fn an_https_call_begins_with_a_tls_handshake() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let call = tokio::spawn(async move { Client::new().unwrap().get(&url).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut record = [0; 3];
        stream.read_exact(&mut record).await.unwrap();
        // RFC 8446 §5.1: a handshake record. rustls offers no version before TLS 1.2 in it.
        assert_eq!(record, [0x16, 3, 1]);
        drop(stream);
        assert!(matches!(call.await.unwrap(), Err(CallError::NotConnected(_))));
    }
}
