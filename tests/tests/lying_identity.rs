//! An identity that lies to the provider about whose exchange this is, or which number it has, gets nothing served: so it cannot hide
//! an exchange from the person by a label that the person will never ask for (design §5.6).
//!
//! It signs its lies with identity's own key, as only identity could; everything else is the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use exchange::{LabelAnswer, LabelRequest, ProviderContent, ProviderContext, ProviderPart, SealingKey, SigningKey};
use record::{Idnr, Label, ParticipantId};
use tests::intermediary::Intermediary;
use tests::processes::Processes;

/// A lie: what identity tells the provider, and the labels it gives to the broker.
type Lie = fn(&mut ProviderContent, &mut LabelAnswer);

const LIES: &[(&str, Lie)] = &[
    ("a number that is skipped to", |content, _| content.number = 99),
    ("a number that was used before", |content, _| content.number = 0),
    ("nobody's label for a real person", |content, _| content.chain.clear()),
    ("a chain with a gap", |content, _| {
        content.chain.pop();
    }),
    ("a chain whose entry is another one", |content, _| {
        let begin = content.period_begin.clone();
        content.chain[0].entry = begin;
    }),
    ("another person", |content, _| content.idnr = Idnr::nobody()),
    ("a proof of another number", |content, _| {
        content.vrf_proof = content.chain[0].vrf_proof;
    }),
    ("another series", |content, _| {
        content.series = record::Series::DelayedExchanges;
    }),
    ("a period that nobody has begun", |content, _| {
        content.period = record::Period(2);
    }),
    ("a period key that is not in the log", |content, _| {
        let leaf = &mut content.period_begin.leaf;
        let middle = leaf.len() / 2;
        leaf[middle] ^= 1;
    }),
    ("a tree that the log has not signed", |content, _| {
        let middle = content.checkpoint.len() / 2;
        content.checkpoint[middle] ^= 1;
    }),
    // The last, because the person's own label then stands nowhere, and identity waits for it before it gives out the next.
    ("a random label, which the person never asks for", |_, answer| {
        answer.intent = Label([7; 32]);
    }),
];

/// Identity's key, and the key that its part is sealed to: the test opens what only the provider can, to lie in it.
struct Keys {
    identity: SigningKey,
    provider: SealingKey,
}

fn seed(path: &Path) -> Result<[u8; 32]> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let digits: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16))
        .collect::<Result<_, _>>()?;
    Ok(digits.as_slice().try_into()?)
}

impl Keys {
    fn read(data: &Path) -> Result<Self> {
        Ok(Self {
            identity: SigningKey::from_seed(&seed(&data.join("identity/signing.key"))?),
            provider: SealingKey::from_seed(seed(&data.join("connector-kba/sealing.key"))?),
        })
    }

    fn lie(&self, lie: Lie, request: &LabelRequest, mut answer: LabelAnswer) -> LabelAnswer {
        let mut context = ProviderContext {
            label: answer.intent,
            provider: ParticipantId::new("bund:kba:zfzr").unwrap(),
            s1: request.s1.digest(),
        };
        let mut content = ProviderPart::open(&answer.for_provider, &self.provider, &context)
            .unwrap()
            .content;
        assert!(
            !content.chain.is_empty(),
            "the demonstration's person has earlier exchanges"
        );
        lie(&mut content, &mut answer);
        context.label = answer.intent;
        let part = ProviderPart::sign(content, &context, &self.identity);
        answer.for_provider = part.seal(&context, &self.provider.public()).unwrap();
        answer
    }
}

#[test]
fn a_lying_identity_gets_nothing_served() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:21900")?;
    let between = Intermediary::before(&processes.info.identity)?;
    processes.configure("broker", |config| config["identity"] = between.url.clone().into())?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    let keys = Arc::new(Keys::read(&processes.data)?);
    let asked_for: Arc<Mutex<Option<LabelRequest>>> = Arc::default();
    let heard = asked_for.clone();
    between.change_requests(move |path, body| {
        if path == "/labels" {
            *heard.lock().unwrap() = Some(record::cbor::from_slice(&body).unwrap());
        }
        body
    });
    let served = processes.register_asked()?;
    for (name, lie) in LIES {
        let (keys, asked_for) = (keys.clone(), asked_for.clone());
        between.change_answers(move |path, body| match record::cbor::from_slice::<LabelAnswer>(&body) {
            Ok(answer) if path == "/labels" => {
                let request = asked_for.lock().unwrap().clone().unwrap();
                record::cbor::to_vec(&keys.lie(*lie, &request, answer))
            }
            _ => body,
        });
        let (status, body) = processes.ask()?;
        ensure!(status == 403, "{name}: {status} {body:#}");
        ensure!(body["type"] == "urn:einsicht:problem:refused", "{name}: {body:#}");
        ensure!(processes.register_asked()? == served, "{name}: the register was asked");
    }
    between.honest();
    processes.ask_until_delivered()?;
    processes.every_intent_is_closed()
}
