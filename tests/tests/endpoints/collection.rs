//! The calls that a provider's connector collects: with another component's signature and with an old one.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use messages::{CallAnswer, Collection};
use record::{ParticipantId, SigningKey, Timestamp, cbor};
use tests::keys::Keys;
use tests::processes::Processes;

use crate::matrix::Way;

const PROVIDER: &str = "bund:kba:zfzr";

/// The statuses of both routes. The right collection would wait for a call; `tests/tests/collected.rs` makes it.
pub(crate) fn statuses(processes: &Processes) -> Result<BTreeMap<(&'static str, Way), u16>> {
    let keys = Keys::of(&processes.data);
    let (right, foreign) = (
        keys.signing("connector-kba/signing.key")?,
        keys.signing("connector-rheinfurt/signing.key")?,
    );
    let (me, call) = (ParticipantId::new(PROVIDER)?, uuid::Uuid::new_v4());
    // Every process that connects has the certificate of an active component.
    let caller = "connector-kba";
    let post = |path: &str, body: Vec<u8>| -> Result<u16> {
        let request = processes
            .client(caller)?
            .post(format!("{}{path}", processes.info.broker));
        let request = request.timeout(Duration::from_secs(10)).body(body);
        Ok(request.send()?.status().as_u16())
    };
    let collect = |key: &SigningKey, age: u64| -> Result<u16> {
        let at = Timestamp(UNIX_EPOCH.elapsed()?.as_secs() - age);
        post("/calls", cbor::to_vec(&Collection::sign(key, me.clone(), at, 0)?))
    };
    let answer_path = format!("/calls/{call}/answer");
    let answer = |key: &SigningKey| {
        let answer = CallAnswer::sign(key, (me.clone(), call), (200, None), b"reply".to_vec());
        post(&answer_path, cbor::to_vec(&answer))
    };
    let (collected, answered) = ("/calls", "/calls/{id}/answer");
    Ok(BTreeMap::from([
        ((collected, Way::None), post("/calls", Vec::new())?),
        ((collected, Way::Foreign), collect(&foreign, 0)?),
        ((collected, Way::Expired), collect(&right, 3600)?),
        ((answered, Way::None), post(&answer_path, Vec::new())?),
        ((answered, Way::Foreign), answer(&foreign)?),
        ((answered, Way::Right), answer(&right)?),
    ]))
}
