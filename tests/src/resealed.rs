//! An authority that seals something else into its requests than an honest connector does, and signs that.

// Requests of the honest connector open with the provider's key.
#![allow(clippy::expect_used)]

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use messages::{ExchangeRequest, RequestContent, S2Statement, SealingKey};
use record::{SigningKey, cbor};
use uuid::Uuid;

use crate::keys::Keys;
use crate::surrounded::Surrounded;

/// Changes what Rheinfurt seals to the KBA, until the intermediary is honest again. A repeated request stays the same
/// one, and each keeps its size.
///
/// # Errors
/// The keys of the two connectors cannot be read.
pub fn change_content(around: &Surrounded, change: impl Fn(&mut RequestContent) + Send + Sync + 'static) -> Result<()> {
    let keys = Keys::of(&around.processes.data);
    let consumer = keys.signing("connector-rheinfurt/signing.key")?;
    let provider = keys.sealing("connector-kba/sealing.key")?;
    let changed: Mutex<HashMap<Uuid, Vec<u8>>> = Mutex::default();
    around.consumer.change_requests(move |path, body| {
        let Ok(request) = cbor::from_slice::<ExchangeRequest>(&body) else {
            return body;
        };
        if path != "/exchanges" {
            return body;
        }
        let mut changed = changed.lock().unwrap_or_else(PoisonError::into_inner);
        let once = changed.entry(request.metadata.exchange);
        once.or_insert_with(|| resealed(request, (&consumer, &provider), &change))
            .clone()
    });
    Ok(())
}

fn resealed(
    mut request: ExchangeRequest,
    (consumer, provider): (&SigningKey, &SealingKey),
    change: impl Fn(&mut RequestContent),
) -> Vec<u8> {
    let s1 = request.s1.digest();
    let mut content = RequestContent::open(&request.sealed_request, provider, &s1).expect("a sealed request");
    change(&mut content);
    let sealed = content.seal(&provider.public(), &s1).expect("a sealed request");
    assert_eq!(sealed.len(), request.sealed_request.len());
    request.sealed_request = sealed;
    let statement = S2Statement::new(
        &request.metadata,
        request.answer_key,
        &request.sealed_request,
        &request.s1,
    );
    request.s2 = statement
        .with_representative(request.representative.as_ref())
        .sign(consumer);
    cbor::to_vec(&request)
}
