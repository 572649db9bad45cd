//! A broker that misuses the labels it is given: it replays a signed person part, uses a label twice, or withholds an
//! entry so that a number would be missing. Identity notices, because it answers the same message with the same answer,
//! and gives no next number before the last one is in the log. The ledger notices a label that is used twice. Another
//! authority's person part is useless: the broker refuses it, because S1 names its consumer.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::{ExchangeRequest, LabelAnswer, LabelRequest, PersonQuery, S1, S2Statement};
use record::{DisclosureClass, Idnr, Kind, ParticipantId, Period, Phase, Series, TestNumbers, Timestamp, cbor, label};
use service::{Clock as _, SystemClock};
use tests::keys::{Keys, Secrets};
use tests::public_log::PublicLog;
use tests::surrounded::Surrounded;
use tests::wait_for;
use uuid::Uuid;

struct Stage {
    around: Surrounded,
    keys: Keys,
    secrets: Secrets,
}

impl Stage {
    fn set(data: &Path) -> Result<Self> {
        let mut secrets = Secrets::new();
        let around = Surrounded::start(data, "127.0.0.1:22500", |processes| {
            secrets = Keys::of(&processes.data).periods()?;
            Ok(())
        })?;
        Ok(Self {
            keys: Keys::of(&around.processes.data),
            secrets,
            around,
        })
    }

    fn log(&self) -> Result<PublicLog> {
        PublicLog::of_ledger(&self.around.processes.info.ledger)
    }

    /// Asks identity as the broker does.
    fn labels(&self, request: &LabelRequest) -> Result<(u16, Vec<u8>)> {
        let processes = &self.around.processes;
        let answer = processes
            .client("broker")?
            .post(format!("{}/labels", processes.info.identity))
            .header("content-type", "application/cbor")
            .body(cbor::to_vec(request))
            .send()?;
        Ok((answer.status().as_u16(), answer.bytes()?.to_vec()))
    }

    /// A request for the next number of the demonstration's person, signed by Rheinfurt.
    fn next(&self) -> Result<LabelRequest> {
        let asked = self.around.identity.last("/labels").context("identity was asked")?;
        let asked: LabelRequest = cbor::from_slice(&asked.request)?;
        let statement = &asked.s1.statement;
        let query = PersonQuery {
            idnr: Some(emma()),
            family_name: "Mustermann".parse()?,
            given_name: "Emma".parse()?,
            date_of_birth: "1964-08-12".parse()?,
            postal_code: "73614".parse()?,
            place: "Rheinfurt".parse()?,
        };
        let message = Uuid::new_v4();
        let sealed = query.seal(&self.keys.sealing("identity/sealing.key")?.public(), message)?;
        let s1 = S1::sign(
            &self.keys.signing("connector-rheinfurt/signing.key")?,
            statement.consumer.clone(),
            statement.provider.clone(),
            message,
            Timestamp(SystemClock.now()),
            sealed,
        );
        Ok(LabelRequest { s1, ..asked })
    }

    /// The request has no effect: no evidence, no intent, and no request to the register.
    fn has_no_effect(&self, name: &str, ask: impl FnOnce() -> Result<u16>) -> Result<()> {
        let (asked, intents) = (
            self.around.processes.register_asked()?,
            self.log()?.count(Kind::Intent)?,
        );
        let status = ask()?;
        ensure!(status == 503 || status == 403, "{name}: {status}");
        ensure!(
            self.around.processes.register_asked()? == asked,
            "{name}: the register was asked"
        );
        ensure!(
            self.log()?.count(Kind::Intent)? == intents,
            "{name}: an intent was recorded"
        );
        Ok(())
    }

    fn a_person_part_is_replayed(&self) -> Result<()> {
        let earlier = self.around.identity.last("/labels").context("identity was asked")?;
        let request: LabelRequest = cbor::from_slice(&earlier.request)?;
        // A repeated part gets the same number and the same bytes, or nothing once identity has seen the number in the
        // log. It never gets a second number.
        let (status, answer) = self.labels(&request)?;
        ensure!(status == 409 || (status == 200 && answer == earlier.answer), "{status}");
        // With other terms it is refused.
        let delayed = LabelRequest {
            disclosure: DisclosureClass::Delayed,
            ..request.clone()
        };
        ensure!(self.labels(&delayed)?.0 == 409);
        // In another exchange it leads to a label that is already in the log.
        let replayed = earlier.request.clone();
        self.around.identity.change_requests(move |path, body| match path {
            "/labels" => replayed.clone(),
            _ => body,
        });
        self.has_no_effect("a replayed person part", || Ok(self.around.processes.ask()?.0))?;
        self.around.identity.honest();
        // Another authority cannot use it in its own name.
        let request: ExchangeRequest =
            cbor::from_slice(&self.around.consumer.last("/exchanges").context("asked")?.request)?;
        self.has_no_effect("another's person part", || self.in_its_own_name(request))
    }

    /// Seewalde sends Rheinfurt's request as its own.
    fn in_its_own_name(&self, mut request: ExchangeRequest) -> Result<u16> {
        let key = self.keys.signing("connector-seewalde/signing.key")?;
        request.metadata.consumer = ParticipantId::new("ags:010010000002:buergerbuero")?;
        request.metadata.exchange = Uuid::now_v7();
        let (metadata, answer_key) = (&request.metadata, request.answer_key);
        request.s2 = S2Statement::new(metadata, answer_key, &request.sealed_request, &request.s1).sign(&key);
        let processes = &self.around.processes;
        let answer = processes
            .client("connector-seewalde")?
            .post(format!("{}/exchanges", processes.info.broker))
            .header("content-type", "application/cbor")
            .body(cbor::to_vec(&request))
            .send()?;
        Ok(answer.status().as_u16())
    }

    /// A used label is refused by the ledger, whether identity has given it out again or the broker has taken it.
    fn a_label_is_used_twice(&self) -> Result<()> {
        let used = self
            .around
            .identity
            .last("/labels")
            .context("identity was asked")?
            .answer;
        self.around.identity.change_answers(move |path, body| {
            let is_answer = cbor::from_slice::<LabelAnswer>(&body).is_ok();
            if path == "/labels" && is_answer {
                used.clone()
            } else {
                body
            }
        });
        self.has_no_effect("a used label", || Ok(self.around.processes.ask()?.0))?;
        self.around.identity.honest();
        self.around.processes.ask_until_delivered()
    }

    /// The broker does not record a number that it was given, and asks for the next one.
    fn an_append_is_withheld(&self) -> Result<()> {
        let before = self.log()?.count(Kind::Void)?;
        let asked = self.around.processes.register_asked()?;
        let known = self.around.identity.passed().len();
        self.around.ledger.withhold("/entries");
        let status = std::thread::scope(|scope| {
            let asking = scope.spawn(|| Ok::<_, anyhow::Error>(self.around.processes.ask()?.0));
            wait_for(Duration::from_secs(30), || {
                Ok(self.around.identity.passed().len() > known)
            })?;
            // Identity gives out the next number only after the one before is in the log, here as void.
            let request = self.next()?;
            wait_for(Duration::from_secs(60), || Ok(self.labels(&request)?.0 == 200))?;
            ensure!(self.log()?.count(Kind::Void)? > before, "a number is missing");
            self.around.ledger.honest();
            asking
                .join()
                .map_err(|_| anyhow::anyhow!("the asking thread panicked"))?
        })?;
        ensure!(status == 503, "{status}");
        ensure!(
            self.around.processes.register_asked()? == asked,
            "the register was asked"
        );
        self.around.processes.ask_until_delivered()
    }

    /// The person's numbers are in the log from 0 without a gap, and none after the last.
    fn no_number_is_missing(&self) -> Result<()> {
        let log = self.log()?;
        let maps = log.maps_before(log.leaves.len() as u64)?;
        let (period, secret) = self.secrets.first_key_value().context("a period")?;
        let map = maps.get(&Period(period.0)).context("its map")?;
        let is_logged = |number| {
            let alpha = label::alpha(&emma(), *period, Series::Exchanges, number);
            let label = label::label(&secret.prove(&alpha).1, Phase::Intent);
            map.get(&label.0).is_some()
        };
        let logged: Vec<u32> = (0..200).filter(|number| is_logged(*number)).collect();
        ensure!(
            logged.len() > 3 && logged == (0..).take(logged.len()).collect::<Vec<_>>(),
            "{logged:?}"
        );
        Ok(())
    }
}

/// The person of the demonstration's request.
fn emma() -> Idnr {
    Idnr::parse("08214967384", TestNumbers::Allowed).unwrap()
}

#[test]
fn a_broker_can_neither_leave_out_nor_reuse_a_number() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let stage = Stage::set(&scratch.path().join("demo"))?;
    stage.a_person_part_is_replayed()?;
    stage.a_label_is_used_twice()?;
    stage.an_append_is_withheld()?;
    stage.no_number_is_missing()?;
    stage.around.processes.every_intent_is_closed()
}
