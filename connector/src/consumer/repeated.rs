//! Requests with an idempotency key: the first one begins an exchange, and the others get its answer
//! ([`super::idempotency`]).

use messages::xnachweis::EvidenceRequest0101;
use service::Problem;

use super::idempotency::FindError;
use super::idempotency::key::{KeyedRequest, key_reused};
use super::query::{EvidenceQuery, EvidenceResult};
use super::request::{self, PendingRequest};
use super::{Consumer, NOT_BEGUN, state_failed};

impl Consumer {
    /// Answers a request with a key.
    pub(super) async fn once(
        &self,
        query: &EvidenceQuery,
        trace: String,
        keyed: &KeyedRequest,
    ) -> Result<EvidenceResult, Problem> {
        let _turn = self.answers.turn(keyed.id).await;
        match self.answers.find(keyed).await {
            Ok(Some(answer)) => return answer,
            Ok(None) => {}
            Err(FindError::Problem(problem)) => return Err(problem),
            Err(FindError::State(error)) => return Err(state_failed(&error)),
        }
        if let Some(exchange) = self.later.with_key(keyed.id) {
            match self.collect(exchange, keyed).await {
                // Nothing was begun for the earlier request, and its deadline has passed.
                Err(problem) if problem.slug == NOT_BEGUN => {}
                answer => return answer,
            }
        }
        let open = self.journal.with_key(keyed.id).await;
        if let Some(pending) = open.map_err(|error| state_failed(&error))? {
            match self.resume(query, pending, keyed).await {
                // As above.
                Err(problem) if problem.slug == NOT_BEGUN => {}
                answer => return answer,
            }
        }
        self.answers.has_room()?;
        self.request(query, trace, Some(keyed)).await
    }

    /// Continues the exchange of an earlier request with the same key and body.
    async fn resume(
        &self,
        query: &EvidenceQuery,
        mut pending: PendingRequest,
        keyed: &KeyedRequest,
    ) -> Result<EvidenceResult, Problem> {
        let exchange = pending.request.metadata.exchange;
        let key = pending.key.as_mut().ok_or_else(Problem::internal)?;
        if key.kept.fingerprint != keyed.fingerprint {
            return Err(key_reused());
        }
        let message = keyed.seal.open(exchange, &key.kept.message);
        let message = message.and_then(|xml| EvidenceRequest0101::parse(&xml).ok());
        pending.xnachweis = Some(message.ok_or_else(Problem::internal)?);
        key.seal = Some(keyed.seal.clone());
        self.common.ready()?;
        let context = self.common.confirmed()?;
        let viewer = if request::needs_preview(&context, &pending.request.metadata, self.common.now()) {
            Some(self.previews.viewer(query.login.clone())?)
        } else {
            None
        };
        tracing::info!(%exchange, "continued for a repeated request");
        self.close(&pending, viewer).await
    }
}
