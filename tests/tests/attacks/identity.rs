//! An identity that lies to the provider about whose exchange this is, or which number it has, so that the person will never look for
//! the entry. Noticed by the provider's connector (P3 to P5), before the register is asked.
//!
//! It has identity's own keys, its VRF secrets included; everything else is the real program.

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

/// What identity tells the provider, and the labels it gives to the broker.
struct Told<'a> {
    content: ProviderContent,
    answer: LabelAnswer,
    secrets: &'a Secrets,
}

impl Told<'_> {
    /// Takes another number, with its right proof and labels, and with as much of its chain as stands in the log.
    fn number(&mut self, number: u32) {
        let content = &mut self.content;
        content.idnr = emma();
        content.number = number;
        let secret = &self.secrets[&content.period];
        let prove = |number| secret.prove(&label::alpha(&emma(), content.period, content.series, number));
        let (proof, output) = prove(number);
        content.vrf_proof = proof.0;
        self.answer.intent = label::label(&output, Phase::Intent);
        self.answer.outcome = label::label(&output, Phase::Outcome);
        self.answer.preview = label::label(&output, Phase::Preview);
        // For what is missing another entry that is there: the first of the log's chain, or the period's begin.
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

type Lie = fn(&mut Told<'_>);

/// About Emma, whose label then stands in the log nevertheless, for nothing.
const ABOUT_HER: &[(&str, Lie)] = &[
    ("a number without its proof", |told| told.content.number = 99),
    ("a number that was used before", |told| told.content.number = 0),
    ("nobody's chain for a real person", |told| told.content.chain.clear()),
    ("a chain with a gap", |told| {
        told.content.chain.pop();
    }),
    ("a chain whose entry is another one", |told| {
        told.content.chain[0].entry = told.content.period_begin.clone();
    }),
    ("another person", |told| told.content.idnr = Idnr::nobody()),
    ("a proof of another number", |told| {
        told.content.vrf_proof = told.content.chain[0].vrf_proof;
    }),
    ("another series", |told| {
        told.content.series = record::Series::DelayedExchanges;
    }),
    ("a period that nobody has begun", |told| {
        told.content.period = record::Period(9);
    }),
    ("a period key that is not in the log", |told| {
        let leaf = &mut told.content.period_begin.leaf;
        let middle = leaf.len() / 2;
        leaf[middle] ^= 1;
    }),
    ("a tree that the log has not signed", |told| {
        let middle = told.content.checkpoint.len() / 2;
        told.content.checkpoint[middle] ^= 1;
    }),
];

/// Under cover of a request about somebody whom identity does not know.
const ABOUT_NOBODY: &[(&str, Lie)] = &[
    ("nobody's label for a real person", |told| told.content.idnr = emma()),
    ("number 99, long before its turn", |told| told.number(99)),
];

/// Then her own label stands nowhere, and identity waits for it before it gives out the next.
const WITHOUT_HER_LABEL: &[(&str, Lie)] = &[
    ("going on from number 100", |told| told.number(100)),
    ("a random label, which the person never asks for", |told| {
        told.answer.intent = Label([7; 32]);
    }),
];

/// The person of the demonstration's request.
fn emma() -> Idnr {
    Idnr::parse("08214967384", TestNumbers::Allowed).unwrap()
}

/// Identity's key, its VRF secrets, and the key that its part is sealed to: the test opens what only the provider can, to lie in it.
struct Liar {
    identity: SigningKey,
    provider: SealingKey,
    secrets: Secrets,
}

impl Liar {
    fn lie(&self, lie: Lie, request: &LabelRequest, answer: LabelAnswer) -> LabelAnswer {
        let mut context = ProviderContext {
            label: answer.intent,
            provider: ParticipantId::new("bund:kba:zfzr").unwrap(),
            s1: request.s1.digest(),
        };
        let part = ProviderPart::open(&answer.for_provider, &self.provider, &context).unwrap();
        let mut told = Told {
            content: part.content,
            answer,
            secrets: &self.secrets,
        };
        lie(&mut told);
        context.label = told.answer.intent;
        let part = ProviderPart::sign(told.content, &context, &self.identity);
        told.answer.for_provider = part.seal(&context, &self.provider.public()).unwrap();
        told.answer
    }
}

/// The processes, and who stands between broker and identity.
struct Stage {
    processes: Processes,
    between: Intermediary,
    liar: Arc<Liar>,
    asked_for: Arc<Mutex<Option<LabelRequest>>>,
    /// Lies that have been told, each at least once.
    told: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Stage {
    /// The lie is told, and nothing comes of it.
    fn refused(&self, (name, lie): (&'static str, Lie), about_nobody: bool) -> Result<()> {
        let (liar, asked_for, told) = (self.liar.clone(), self.asked_for.clone(), self.told.clone());
        self.between
            .change_answers(move |path, body| match record::cbor::from_slice::<LabelAnswer>(&body) {
                Ok(answer) if path == "/labels" => {
                    let request = asked_for.lock().unwrap().clone().unwrap();
                    told.lock().unwrap().insert(name);
                    record::cbor::to_vec(&liar.lie(lie, &request, answer))
                }
                _ => body,
            });
        let served = self.processes.register_asked()?;
        // Identity may have to void an earlier lie's label first.
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
        ensure!(self.told.lock().unwrap().contains(name), "{name}: was not told");
        Ok(())
    }
}

#[test]
fn a_lying_identity_gets_nothing_served() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:21900")?;
    let keys = Keys::of(&processes.data);
    let liar = Liar {
        identity: keys.signing("identity/signing.key")?,
        provider: keys.sealing("connector-kba/sealing.key")?,
        secrets: keys.periods().context("the VRF secrets")?,
    };
    let between = Intermediary::before(&processes.info.identity)?;
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
        told: Arc::default(),
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
