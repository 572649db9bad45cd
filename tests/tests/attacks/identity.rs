//! An identity that lies to the provider about whose exchange this is, or which number it has, so that the person will
//! never ask for the entry. The provider's connector notices (checks P3 to P5), before it asks the register.
//!
//! The test has identity's own keys, its VRF secrets included. Everything else is the real program.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::{ChainLink, LabelAnswer, LabelRequest, ProviderContent, ProviderContext, ProviderPart, SealingKey};
use record::{Idnr, Label, ParticipantId, Phase, SigningKey, TestNumbers, label};
use serde_json::json;
use tests::intermediary::Intermediary;
use tests::keys::{Keys, Secrets};
use tests::processes::Processes;
use tests::wait_for;

/// What identity sends to the provider, and the labels that it gives to the broker.
struct TamperedLabels<'a> {
    content: ProviderContent,
    answer: LabelAnswer,
    secrets: &'a Secrets,
}

impl TamperedLabels<'_> {
    /// Uses another number, with its correct proof and labels, and with as much of its chain as is in the log.
    fn number(&mut self, number: u32) {
        let content = &mut self.content;
        content.idnr = emma();
        content.number = number;
        let secret = &self.secrets[&content.period];
        let prove = |number| secret.prove(&label::alpha(&emma(), content.period, content.series, number));
        let (proof, output) = prove(number);
        content.vrf_proof = proof.0;
        self.answer.intent = label::label(&output, Phase::Intent);
        // A missing link is replaced by an existing entry: the first of the real chain, or the period's begin.
        let there = content.chain.last().map(|link| link.entry.clone());
        let there = there.unwrap_or_else(|| content.period_begin.clone());
        let link = |number| ChainLink {
            number,
            vrf_proof: prove(number).0.0,
            entry: there.clone(),
        };
        content.chain = label::chain(number).into_iter().map(link).collect();
    }
}

type Lie = fn(&mut TamperedLabels<'_>);

/// Lies in an exchange about Emma. Her label is then in the log although nothing was served.
const ABOUT_HER: &[(&str, Lie)] = &[
    ("a number without its proof", |forged| forged.content.number = 99),
    ("a number that was used before", |forged| forged.content.number = 0),
    ("nobody's chain for a real person", |forged| {
        forged.content.chain.clear()
    }),
    ("a chain with a gap", |forged| {
        forged.content.chain.pop();
    }),
    ("a chain whose entry is another one", |forged| {
        forged.content.chain[0].entry = forged.content.period_begin.clone();
    }),
    ("another person", |forged| forged.content.idnr = Idnr::nobody()),
    ("a proof of another number", |forged| {
        forged.content.vrf_proof = forged.content.chain[0].vrf_proof;
    }),
    ("another series", |forged| {
        forged.content.series = record::Series::DelayedExchanges;
    }),
    ("a period that has not begun", |forged| {
        forged.content.period = record::Period(9);
    }),
    ("a period key that is not in the log", |forged| {
        let leaf = &mut forged.content.period_begin.leaf;
        let middle = leaf.len() / 2;
        leaf[middle] ^= 1;
    }),
    ("a tree that the log has not signed", |forged| {
        let middle = forged.content.checkpoint.len() / 2;
        forged.content.checkpoint[middle] ^= 1;
    }),
];

/// Lies in a request about a person whom identity does not know.
const ABOUT_NOBODY: &[(&str, Lie)] = &[
    ("nobody's label for a real person", |forged| {
        forged.content.idnr = emma()
    }),
    ("number 99, long before its turn", |forged| forged.number(99)),
];

/// Lies that keep her own label out of the log. Identity waits for that label before it gives out the next one.
const WITHOUT_HER_LABEL: &[(&str, Lie)] = &[
    ("continuing from number 100", |forged| forged.number(100)),
    ("a random label, which the person never asks for", |forged| {
        forged.answer.intent = Label([7; 32]);
    }),
];

/// The person of the demonstration's request.
fn emma() -> Idnr {
    Idnr::parse("08214967384", TestNumbers::Allowed).unwrap()
}

/// Identity's key, its VRF secrets, and the provider's sealing key, with which the test opens identity's part to change
/// it.
struct LyingIdentity {
    identity: SigningKey,
    provider: SealingKey,
    secrets: Secrets,
}

impl LyingIdentity {
    fn lie(&self, lie: Lie, request: &LabelRequest, answer: LabelAnswer) -> LabelAnswer {
        let mut context = ProviderContext {
            label: answer.intent,
            provider: ParticipantId::new("bund:kba:zfzr").unwrap(),
            s1: request.s1.digest(),
        };
        let part = ProviderPart::open(&answer.for_provider, &self.provider, &context).unwrap();
        let mut forged = TamperedLabels {
            content: part.content,
            answer,
            secrets: &self.secrets,
        };
        lie(&mut forged);
        context.label = forged.answer.intent;
        let part = ProviderPart::sign(forged.content, &context, &self.identity);
        forged.answer.for_provider = part.seal(&context, &self.provider.public()).unwrap();
        forged.answer
    }
}

/// The processes, and an intermediary between the broker and identity.
struct Stage {
    processes: Processes,
    between: Intermediary,
    liar: Arc<LyingIdentity>,
    asked_for: Arc<Mutex<Option<LabelRequest>>>,
    /// Names of the lies that were sent at least once.
    forged: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Stage {
    /// Sends the lie in an exchange and expects a refusal, without a request to the register.
    fn refused(&self, (name, lie): (&'static str, Lie), about_nobody: bool) -> Result<()> {
        let (liar, asked_for, forged) = (self.liar.clone(), self.asked_for.clone(), self.forged.clone());
        self.between
            .change_answers(move |path, body| match record::cbor::from_slice::<LabelAnswer>(&body) {
                Ok(answer) if path == "/labels" => {
                    let request = asked_for.lock().unwrap().clone().unwrap();
                    forged.lock().unwrap().insert(name);
                    record::cbor::to_vec(&liar.lie(lie, &request, answer))
                }
                _ => body,
            });
        let served = self.processes.register_asked()?;
        // Identity may have to void the label of an earlier lie first.
        wait_for(Duration::from_secs(60), || {
            let (status, body) = self.processes.ask_about(|person| {
                if about_nobody {
                    person["idnr"] = json!(null);
                    person["family_name"] = json!("Unbekannt");
                }
            })?;
            ensure!(
                self.processes.register_asked()? == served,
                "{name}: the register was asked"
            );
            if status == 503 {
                return Ok(false);
            }
            ensure!(status == 403, "{name}: {status} {body:#}");
            ensure!(body["type"] == "urn:einsicht:problem:refused", "{name}: {body:#}");
            Ok(true)
        })?;
        ensure!(self.forged.lock().unwrap().contains(name), "{name}: was not sent");
        Ok(())
    }
}

#[test]
fn a_lying_identity_gets_nothing_served() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:21900")?;
    let keys = Keys::of(&processes.data);
    let liar = LyingIdentity {
        identity: keys.signing("identity/signing.key")?,
        provider: keys.sealing("connector-kba/sealing.key")?,
        secrets: keys.periods().context("the VRF secrets")?,
    };
    let between = Intermediary::between(&processes.data, "broker", ("identity", &processes.info.identity))?;
    processes.configure("broker", |config| config["identity"] = between.url.clone().into())?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    let asked_for: Arc<Mutex<Option<LabelRequest>>> = Arc::default();
    let heard = asked_for.clone();
    between.change_requests(move |path, body| {
        if path == "/labels" {
            *heard.lock().unwrap() = Some(record::cbor::from_slice(&body).unwrap());
        }
        body
    });
    let stage = Stage {
        processes,
        between,
        liar: Arc::new(liar),
        asked_for,
        forged: Arc::default(),
    };
    for (lies, about_nobody) in [(ABOUT_HER, false), (ABOUT_NOBODY, true), (WITHOUT_HER_LABEL, false)] {
        for lie in lies {
            stage.refused(*lie, about_nobody)?;
        }
    }
    stage.between.honest();
    stage.processes.ask_until_delivered()?;
    stage.processes.every_intent_is_closed()
}
