//! Authenticates the caller of `/forward` and `/outcome`: a writer of the newest directory, by its signature of the
//! call.
//!
//! A caller without a valid signature gets one uniform `401`, before its body is read: nothing is parsed, reserved,
//! signed or reported for it. Whether the signature is missing, wrong, too old or used before is not disclosed.
//!
//! A call is accepted once. The nonces of the accepted calls are kept until the calls are too old, at most
//! [`MAX_NONCES`] of them; while there are more, further calls get a retryable `503`. Only authenticated calls are
//! kept, so outsiders cannot fill the list. It is lost in a restart: for a minute an old call is accepted again then,
//! and gets the kept answer (P9).

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use certificates::peer;
use messages::call::CALL_VALIDITY;
use messages::{CallCredential, CallKind};
use record::Timestamp;
use service::Problem;
use service::nonces::{NonceRefused, Nonces};
use service::tls::PeerName;

use crate::context::CheckContext;

/// The most nonces that are kept: two minutes of more than a thousand calls a second.
const MAX_NONCES: usize = 1 << 17;

/// The nonces of the calls that were accepted lately.
#[derive(Debug)]
pub(crate) struct Callers(Nonces);

impl Default for Callers {
    fn default() -> Self {
        Self(Nonces::new(MAX_NONCES))
    }
}

impl Callers {
    /// Authenticates a call by its header, and then reads its body, which the signature must cover.
    ///
    /// # Errors
    /// `401`, whatever is wrong with the signature; `413` for a body above `limit`; `503` when there are too many
    /// calls.
    pub(crate) async fn authenticated(
        &self,
        context: &CheckContext,
        kind: CallKind,
        now: Timestamp,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<Bytes, Problem> {
        let credential = credential(context, kind, now, headers).ok_or_else(refuse)?;
        let body = axum::body::to_bytes(body, limit)
            .await
            .map_err(|_| Problem::too_large(format!("the body has at most {limit} bytes")))?;
        if !credential.covers(&body) {
            return Err(refuse());
        }
        self.accept_once(credential.statement.nonce, credential.statement.sent, now)?;
        Ok(body)
    }

    fn accept_once(&self, nonce: [u8; 16], sent: Timestamp, now: Timestamp) -> Result<(), Problem> {
        let expires = sent.after(CALL_VALIDITY).seconds();
        self.0
            .use_once(nonce, expires, now.seconds())
            .map_err(|error| match error {
                NonceRefused::Used => refuse(),
                NonceRefused::Full => Problem::unavailable("busy", 1, "too many calls"),
            })
    }
}

fn credential(context: &CheckContext, kind: CallKind, now: Timestamp, headers: &HeaderMap) -> Option<CallCredential> {
    let credential = presented(headers)?;
    credential.verify(context.directory(), kind, &context.me, now).ok()?;
    Some(credential)
}

/// The credential of a call, which is not verified.
fn presented(headers: &HeaderMap) -> Option<CallCredential> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    CallCredential::from_header(value).ok()
}

/// Whether the call is signed by the writer that is named in the certificate of the connection.
pub(crate) fn signs_itself(name: Option<&PeerName>, headers: &HeaderMap) -> bool {
    presented(headers).is_some_and(|credential| peer::is_writer(name, credential.writer))
}

pub(crate) fn refuse() -> Problem {
    metrics::counter!("connector_unauthenticated_calls_total").increment(1);
    Problem::unauthorized()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use axum::http::HeaderValue;
    use record::SigningKey;
    use trust::{TrustKind, Value};

    use super::*;
    use crate::fixture::{NOW, TestLog, TrustChange, World, broker_grant, id, put};

    fn headers(key: &SigningKey, now: Timestamp, body: &[u8]) -> HeaderMap {
        let credential = CallCredential::sign(key, CallKind::Forward, id("kba"), now, body).unwrap();
        let value = HeaderValue::from_str(&credential.to_header()).unwrap();
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    }

    async fn call(callers: &Callers, world: &World, now: Timestamp, headers: &HeaderMap, body: &[u8]) -> u16 {
        let body = Body::from(body.to_vec());
        let context = world.context("kba");
        let result = callers.authenticated(&context, CallKind::Forward, now, headers, body, 8);
        result.await.map_or_else(|problem| problem.status, |_| 200)
    }

    #[tokio::test]
    async fn a_call_is_accepted_once_for_its_body_and_minute_and_from_the_broker_alone() {
        let world = World::new();
        let callers = Callers::default();
        let good = headers(&world.broker, NOW, b"body");
        assert_eq!(call(&callers, &world, NOW, &good, b"Body").await, 401, "another body");
        assert_eq!(call(&callers, &world, NOW, &good, b"body").await, 200);
        assert_eq!(call(&callers, &world, NOW, &good, b"body").await, 401, "again");
        let old = headers(&world.broker, NOW.before(61), b"body");
        assert_eq!(call(&callers, &world, NOW, &old, b"body").await, 401);
        let foreign = headers(&world.consumer, NOW, b"body");
        assert_eq!(call(&callers, &world, NOW, &foreign, b"body").await, 401);
        assert_eq!(call(&callers, &world, NOW, &HeaderMap::new(), b"body").await, 401);
    }

    #[tokio::test]
    async fn the_caller_is_a_writer_of_the_newest_directory() {
        let mut world = World::new();
        let next = SigningKey::from_seed([33; 32]);
        let call_of = async |world: &World, key: &SigningKey| {
            call(&Callers::default(), world, NOW, &headers(key, NOW, b"body"), b"body").await
        };
        assert_eq!(
            (call_of(&world, &world.broker).await, call_of(&world, &next).await),
            (200, 401)
        );
        let change = TrustChange {
            kind: TrustKind::Directory,
            time: NOW,
            operations: put(&Value::Writer(broker_grant(&next))),
        };
        world.change(&mut TestLog::founded(&world), &change);
        assert_eq!(
            (call_of(&world, &world.broker).await, call_of(&world, &next).await),
            (401, 200)
        );
    }

    #[tokio::test]
    async fn a_body_is_accepted_up_to_its_limit() {
        let world = World::new();
        let callers = Callers::default();
        for (body, expected) in [(&[0; 7][..], 200), (&[0; 8], 200), (&[0; 9], 413)] {
            let headers = headers(&world.broker, NOW, body);
            assert_eq!(call(&callers, &world, NOW, &headers, body).await, expected);
        }
    }

    #[test]
    fn the_list_of_calls_is_bounded_and_forgets_what_is_too_old() {
        let callers = Callers::default();
        for number in 0..MAX_NONCES {
            callers.accept_once((number as u128).to_be_bytes(), NOW, NOW).unwrap();
        }
        let next = [0xff; 16];
        assert_eq!(callers.accept_once(next, NOW, NOW.after(60)).unwrap_err().status, 503);
        callers.accept_once(next, NOW.after(61), NOW.after(61)).unwrap();
        assert_eq!(callers.0.count(), 1);
    }
}
