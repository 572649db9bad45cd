//! Strangers call a provider's connector with forwards that they make around the log's public receipts, and with
//! outcomes that say nothing. They sign nothing, or sign with a key of their own. Those with the certificate of another
//! component do not even get a connection; the others have stolen the broker's certificate, but not its signing key.

use anyhow::{Context, Result, ensure};
use messages::{CallCredential, CallKind, Forward, Metadata, S1, SealingKey, Signature};
use record::{Assurance, ParticipantId, SigningKey, SubjectRole, Timestamp, cbor};
use tests::http;
use uuid::Uuid;

use crate::harness::{Flood, Scenario};

const SCENARIO: Scenario = Scenario {
    name: "calls of a provider's connector",
    listen: "127.0.0.1:23700",
    prepare: |_| Ok(()),
    flood,
};

/// A well-formed forward around a receipt.
fn forged(receipt: Vec<u8>) -> Forward {
    let key = SigningKey::from_seed([77; 32]);
    let id = |text| ParticipantId::new(text).unwrap();
    let (consumer, provider) = (id("kommune:rheinfurt:bau"), id("bund:kba:zfzr"));
    let message = Uuid::new_v4();
    let now = Timestamp(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs());
    Forward {
        metadata: Metadata {
            exchange: Uuid::now_v7(),
            message,
            request_reference: "reference".parse().unwrap(),
            trace: "0".repeat(32).parse().unwrap(),
            test: true,
            consumer: consumer.clone(),
            provider: provider.clone(),
            evidence_type: "zb1".parse().unwrap(),
            purpose: "parking".parse().unwrap(),
            idnr_used: true,
            assurance: Assurance::High,
            subject: record::Subject::Natural,
            role: SubjectRole::DataSubject,
            representation: None,
            place: None,
            synchronous: true,
            request_digest: tlog::Hash([1; 32]),
            official: "desk".parse().unwrap(),
            deadline: now.after(30),
        },
        s1: S1::sign(&key, consumer, provider, message, now, vec![0; 560]),
        s2: Signature([7; 64]),
        answer_key: SealingKey::from_seed([7; 32]).public(),
        sealed_request: vec![0; 4144],
        for_provider: vec![0; 24 * 1024 + 48],
        intent_receipt: receipt,
        sealed_record: vec![0; 4096],
        representative: None,
    }
}

fn flood(flood: &Flood<'_>) -> Result<()> {
    let processes = flood.processes;
    let connector = &processes.info.connectors["kba"];
    let alarms = flood_alarms(flood)?;
    flood.in_threads(8, |number| {
        let client = http()?;
        let stolen = number % 2 == 0;
        let caller = processes.client(if stolen { "broker" } else { "connector-rheinfurt" })?;
        let key = SigningKey::from_seed([u8::try_from(number)?; 32]);
        while flood.continues() {
            let head = client
                .get(format!("{}/checkpoint", processes.info.ledger))
                .send()?
                .text()?;
            let size: u64 = head.lines().nth(1).context("a size")?.parse()?;
            let newest = format!("{}/entries/{}/receipt", processes.info.ledger, size.saturating_sub(1));
            let forward = cbor::to_vec(&forged(client.get(newest).send()?.bytes()?.to_vec()));
            for (kind, body) in [(CallKind::Forward, forward), (CallKind::Outcome, b"garbage".to_vec())] {
                let now = Timestamp(std::time::UNIX_EPOCH.elapsed()?.as_secs());
                let own = CallCredential::sign(&key, kind, ParticipantId::new("bund:kba:zfzr")?, now, &body)?;
                for authorization in [None, Some("Bearer 00".to_owned()), Some(own.to_header())] {
                    let mut request = caller.post(format!("{connector}{}", kind.path())).body(body.clone());
                    if let Some(value) = authorization {
                        request = request.header("authorization", value);
                    }
                    // A connector that does not read the body may close the connection before all of it is sent.
                    let Ok(answer) = request.send() else { continue };
                    let status = answer.status().as_u16();
                    ensure!(stolen && [401, 429, 503].contains(&status), "{kind:?}: {status}");
                }
            }
        }
        Ok(())
    })?;
    ensure!(flood_alarms(flood)? == alarms, "a stranger raised an alarm");
    Ok(())
}

fn flood_alarms(flood: &Flood<'_>) -> Result<u64> {
    flood.processes.alarms("kba", "outcome-differs")
}

#[test]
fn strangers_get_nothing_from_the_providers_connector() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn strangers_get_nothing_from_the_providers_connector_for_a_minute() -> Result<()> {
    SCENARIO.for_a_minute()
}
