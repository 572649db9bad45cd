//! Evidence that a representative may not fetch, or that only one of the two persons would find. An authority sends no
//! proof of the power, one that has expired, or one of another power. A broker leaves the representative's entry out,
//! or shows the provider one receipt twice. The provider's connector does not ask its register.

use anyhow::{Context, Result, ensure};
use messages::{CallKind, Forward, PowerProof, Reply, ReplyOutcome};
use record::{LegalDay, Power, cbor};
use tests::represented_request;
use tests::resealed::change_content;
use tests::surrounded::Surrounded;

/// What the authority does with the proof of an honest request.
type Change = fn(PowerProof) -> Option<PowerProof>;
/// What the broker does with an honest forward.
type Lie = fn(&mut Forward);

const PROOFS: &[(&str, Change)] = &[
    ("no proof", |_| None),
    ("an expired proof", |proof| {
        Some(PowerProof {
            until: Some(LegalDay(proof.from.0 + 1)),
            ..proof
        })
    }),
    ("a proof of another power", |proof| {
        Some(PowerProof {
            power: Power::Notary,
            ..proof
        })
    }),
];

const LIES: &[(&str, Lie)] = &[
    ("no receipt of the representative's entry", |forward| {
        forward.representative = None
    }),
    ("one receipt twice", |forward| {
        let own = forward.intent_receipt.clone();
        forward
            .representative
            .as_mut()
            .expect("a representative")
            .intent_receipt = own;
    }),
    ("the representative's entry in the person's place", |forward| {
        let other = forward.representative.clone().expect("a representative");
        (forward.intent_receipt, forward.sealed_record) = (other.intent_receipt, other.sealed_record);
        forward.for_provider = other.for_provider;
    }),
    ("the representative as the person", |forward| {
        let mut other = forward.representative.clone().expect("a representative");
        std::mem::swap(&mut forward.s1, &mut other.s1);
        std::mem::swap(&mut forward.intent_receipt, &mut other.intent_receipt);
        std::mem::swap(&mut forward.sealed_record, &mut other.sealed_record);
        std::mem::swap(&mut forward.for_provider, &mut other.for_provider);
        forward.representative = Some(other);
    }),
];

#[test]
fn a_representative_without_a_power_or_without_an_entry_gets_no_evidence() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let around = Surrounded::start(&scratch.path().join("demo"), "127.0.0.1:28500", |_| Ok(()))?;
    for (what, change) in PROOFS {
        the_proof_is_refused(&around, what, *change).context(*what)?;
    }
    around.consumer.honest();
    around.provider.withhold("/outcome");
    let (status, body) = around.processes.ask_with(represented_request())?;
    ensure!(status == 200, "{status} {body:#}");
    let served = around.provider.last("/forward").context("a forward")?;
    let honest: Forward = cbor::from_slice(&served.request)?;
    let asked = around.processes.register_asked()?;
    let call = |forward: &Forward| {
        around
            .processes
            .call_provider(CallKind::Forward, &cbor::to_vec(forward))
    };
    for (what, lie) in LIES {
        let mut forward = honest.clone();
        lie(&mut forward);
        let answer = call(&forward)?;
        let (status, body) = (answer.status(), answer.text()?);
        ensure!(
            status == 403 && body.contains("not-authentic"),
            "{what}: {status} {body}"
        );
    }
    // The honest forward again gets the kept answer; with another receipt proof it is the same forward, and with
    // another record of the representative it is another one.
    ensure!(call(&honest)?.bytes()? == served.answer, "another answer");
    let mut changed = honest;
    let record = &mut changed
        .representative
        .as_mut()
        .context("a representative")?
        .sealed_record;
    *record.last_mut().context("a record")? ^= 1;
    let reply: Reply = cbor::from_slice(&call(&changed)?.bytes()?)?;
    ensure!(
        reply.statement.outcome == ReplyOutcome::Refused,
        "{:?}",
        reply.statement
    );
    ensure!(around.processes.register_asked()? == asked, "the register was asked");
    around.provider.honest();
    around.processes.every_intent_is_closed()
}

/// The request with another proof gets no evidence, and the register is not asked.
fn the_proof_is_refused(around: &Surrounded, what: &str, change: Change) -> Result<()> {
    let asked = around.processes.register_asked()?;
    change_content(around, move |content| {
        content.power = change(content.power.take().expect("a power"));
    })?;
    let (status, body) = around.processes.ask_with(represented_request())?;
    ensure!(
        status == 403 && body["type"].to_string().contains("refused"),
        "{what}: {status} {body:#}"
    );
    ensure!(
        around.processes.register_asked()? == asked,
        "{what}: the register was asked"
    );
    Ok(())
}
