//! Disclosure opens a person's own entries only, after an inspection only, all of them, and with the right keys.

use ed25519_dalek::SigningKey;
use messages::{Disclosure, DisclosureRequest, EntryKeys, LabelAnswer};
use record::{
    CitizenPart, DisclosureClass, Header, Kind, Label, LabelledKind, PartName, Parts, Phase, Receipt, RecordKey,
    SealedRecord, Series, SharedPart, VoidRecord,
};
use serde_json::{Value, json};
use service::Problem;
use tlog::policy::Policy;
use uuid::Uuid;

use super::issuer::NONCE;
use super::log::log_key;
use super::world::{EMMA, NOON, OTTO, World, blocked, emma, idnr_of, unknown};

const DAY: u64 = 86_400;
const DECEMBER: u64 = 1_796_079_600;

fn now(world: &World) -> u64 {
    service::Clock::now(&*world.clock)
}

async fn disclose(world: &World, claims: &Value) -> Result<Disclosure, Problem> {
    let request = DisclosureRequest {
        id_token: world.issuer.token(claims),
        nonce: NONCE.into(),
    };
    world.identity.disclose(&request).await
}

pub(crate) async fn disclose_to(world: &World, subject: &str) -> Disclosure {
    disclose(world, &world.issuer.claims(subject, now(world)))
        .await
        .unwrap()
}

/// A record as a broker could have sealed it. `mark` identifies it.
fn record(answer: &LabelAnswer, label: &Label, key: &RecordKey, mark: u8, expiry: record::ExpiryDay) -> SealedRecord {
    let parts = Parts {
        shared: SharedPart::Void(VoidRecord {
            consumer: record::ParticipantId::new("city").unwrap(),
            s1_digest: tlog::Hash([mark; 32]),
        }),
        citizen: CitizenPart::with_reason("because"),
        supervision: Vec::new(),
    };
    SealedRecord::seal(&Header::labelled(answer.class, expiry), Some(label), key, &parts).unwrap()
}

pub(crate) async fn recorded_exchange(world: &World, mark: u8) -> LabelAnswer {
    let answer = world.ask(&world.request(&emma())).await.unwrap();
    for (kind, label, key) in [
        (LabelledKind::Intent, answer.intent, &answer.intent_key),
        (LabelledKind::Outcome, answer.label(Phase::Outcome), &answer.outcome_key),
    ] {
        let record = record(&answer, &label, key, mark, answer.expiry);
        world
            .log
            .write_labelled(kind, answer.period, label, Some(record))
            .unwrap();
    }
    answer
}

/// Opens every disclosed entry as a browser would, and returns its kind and mark. The mark of an inspection is 0.
pub(crate) fn open_all(world: &World, disclosure: &Disclosure) -> Vec<(Kind, u8)> {
    let mut marks = Vec::new();
    for entry in &disclosure.entries {
        let (_, label) = world.log.entry(entry.index).entry().body.map_key().unwrap();
        assert_eq!(world.log.entry(entry.index).entry().body.kind(), entry.kind);
        // The label provably belongs to this person.
        let receipt = &disclosure
            .periods
            .iter()
            .find(|info| info.period == entry.period)
            .unwrap()
            .begin_receipt;
        let receipt = Receipt::parse(receipt).unwrap();
        receipt.verify(&policy()).unwrap();
        let record::Body::Period {
            event: record::PeriodEvent::Begin { vrf_key, .. },
            ..
        } = receipt.entry().entry().body
        else {
            panic!("not a begin");
        };
        let alpha = record::label::alpha(&disclosure.idnr, entry.period, entry.series, entry.number);
        let vrf = tlog::vrf::PublicKey::from_bytes(vrf_key).unwrap();
        let beta = vrf.verify(&alpha, &tlog::vrf::Proof(entry.vrf_proof)).unwrap();
        assert_eq!(record::label::label(&beta, entry.phase), label);
        // The keys open both parts of the record.
        let record = world.log.record(entry.index);
        let opens = |keys: &&EntryKeys| record.open_shared(&keys.shared, Some(&label)).is_ok();
        let keys = entry.keys.iter().find(opens).unwrap();
        record.open_citizen(&keys.citizen, Some(&label)).unwrap();
        let mark = match record.open_shared(&keys.shared, Some(&label)).unwrap() {
            SharedPart::Void(void) => void.s1_digest.0[0],
            SharedPart::Inspection(inspection) => {
                assert_eq!(inspection.reader, "Datenschutzcockpit");
                0
            }
            _ => panic!("not a record of this test"),
        };
        marks.push((entry.kind, mark));
    }
    marks
}

fn policy() -> Policy {
    let key = log_key().verifier_key().unwrap();
    Policy::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_all_own_entries_and_no_others() {
    let world = World::new().await;
    for mark in 1..=3 {
        recorded_exchange(&world, mark).await;
        world.exchange(&blocked()).await;
        world.exchange(&unknown()).await;
    }
    let delayed = world.request_for(&emma(), Uuid::new_v4(), DisclosureClass::Delayed);
    world.use_label(&world.ask(&delayed).await.unwrap());
    let disclosure = disclose_to(&world, "sub-emma").await;
    assert_eq!(
        (disclosure.idnr.expose(), disclosure.display_name.as_str()),
        (EMMA, "Emma Mustermann")
    );
    let expected: Vec<_> = (1..=3)
        .flat_map(|mark| [(Kind::Intent, mark), (Kind::Outcome, mark)])
        .chain([(Kind::Inspection, 0)])
        .collect();
    assert_eq!(open_all(&world, &disclosure), expected);
    let receipt = Receipt::parse(&disclosure.inspection_receipt).unwrap();
    let verified = receipt.verify(&policy()).unwrap();
    assert_eq!(verified.index().get(), disclosure.entries.last().unwrap().index);
    assert_eq!(receipt.proof().checkpoint.as_bytes(), disclosure.checkpoint);
    // Another person sees none of it. A block does not prevent access to one's own data.
    let otto = disclose_to(&world, "sub-otto").await;
    assert_eq!(otto.idnr.expose(), OTTO);
    assert_eq!(open_all(&world, &otto), [(Kind::Inspection, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_inspection_per_person_and_day() {
    let mut world = World::new().await;
    let first = disclose_to(&world, "sub-emma").await;
    world.restart().await;
    world.clock.advance(60);
    let again = disclose_to(&world, "sub-emma").await;
    let index = |disclosure: &Disclosure| Receipt::parse(&disclosure.inspection_receipt).unwrap().index();
    assert_eq!(index(&first), index(&again));
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Inspection]);
    world.clock.advance(DAY);
    let tomorrow = disclose_to(&world, "sub-emma").await;
    assert_eq!(world.log.kinds(), [Kind::Period, Kind::Inspection, Kind::Inspection]);
    assert_eq!(tomorrow.entries.len(), 2);
    // Ten concurrent disclosures share one inspection.
    world.clock.advance(DAY);
    let claims = world.issuer.claims("sub-emma", now(&world));
    let answered = ten_disclosures(&world, &claims).await;
    assert_eq!(answered, 10);
    assert_eq!(world.log.kinds().len(), 4);
}

async fn ten_disclosures(world: &World, claims: &Value) -> usize {
    let token = world.issuer.token(claims);
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (identity, id_token) = (std::sync::Arc::clone(&world.identity), token.clone());
            tokio::spawn(async move {
                let nonce = NONCE.into();
                identity.disclose(&DisclosureRequest { id_token, nonce }).await
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += usize::from(task.await.unwrap().is_ok());
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_inspection_in_the_log_nothing_is_opened() {
    let world = World::new().await;
    recorded_exchange(&world, 1).await;
    world.log.set_down(true);
    let claims = world.issuer.claims("sub-emma", now(&world));
    let problem = disclose(&world, &claims).await.unwrap_err();
    assert!(problem.retryable(), "{problem}");
    world.log.set_down(false);
    // The reserved number becomes void after ten seconds, and the next disclosure succeeds.
    world.clock.advance(10);
    let disclosure = disclose_to(&world, "sub-emma").await;
    let kinds: Vec<_> = disclosure.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::Intent, Kind::Outcome, Kind::Void, Kind::Inspection]);
}

/// Claims with one fault each.
fn bad_claims(good: &Value) -> Vec<Value> {
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let mut no_acr = good.clone();
    no_acr.as_object_mut().unwrap().remove("acr");
    let mut no_nonce = good.clone();
    no_nonce.as_object_mut().unwrap().remove("nonce");
    vec![
        with("nonce", json!("another")),
        no_nonce,
        with("acr", json!("substantiell")),
        no_acr,
        with("aud", json!("another")),
        with("aud", json!(["cockpit", "another"])),
        with("iss", json!("http://issuer.invalid")),
        with("azp", json!("another")),
        with("iat", json!("now")),
        with("sub", json!("sub-nobody")),
    ]
}

/// Claims that are refused by their times alone.
fn claims_of_another_time(good: &Value) -> Vec<Value> {
    [("exp", NOON), ("iat", NOON - 301), ("iat", NOON + 31)]
        .map(|(name, value)| {
            let mut claims = good.clone();
            claims[name] = json!(value);
            claims
        })
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_not_accepted_opens_nothing() {
    let world = World::new().await;
    recorded_exchange(&world, 1).await;
    let entries = world.log.len();
    let good = world.issuer.claims("sub-emma", NOON);
    for claims in bad_claims(&good) {
        let problem = disclose(&world, &claims).await.unwrap_err();
        assert_eq!((problem.status, problem.slug.as_str()), (403, "login"), "{claims}");
        let text = problem.to_string();
        assert!(
            !text.contains("sub-") && !text.contains("invalid") && !text.contains("substantiell"),
            "{text}"
        );
    }
    for claims in claims_of_another_time(&good) {
        let problem = disclose(&world, &claims).await.unwrap_err();
        assert_eq!((problem.status, problem.slug.as_str()), (403, "login-time"), "{claims}");
    }
    let header = |alg: &str| json!({"alg": alg, "kid": "1"});
    let foreign = SigningKey::from_bytes(&[66; 32]);
    let mut unsigned = world.issuer.signed(&header("none"), &good, &foreign);
    unsigned.truncate(unsigned.rfind('.').unwrap() + 1);
    for id_token in [
        world.issuer.signed(&header("EdDSA"), &good, &foreign),
        world.issuer.signed(&header("HS256"), &good, &world.issuer.key),
        world
            .issuer
            .signed(&json!({"alg": "EdDSA", "kid": "2"}), &good, &world.issuer.key),
        unsigned,
        "rubbish".into(),
        String::new(),
    ] {
        let nonce = NONCE.into();
        let problem = world
            .identity
            .disclose(&DisclosureRequest { id_token, nonce })
            .await
            .unwrap_err();
        assert_eq!((problem.status, problem.slug.as_str()), (403, "login"));
    }
    assert_eq!(world.log.len(), entries);
    // The faultless login is accepted.
    disclose(&world, &good).await.unwrap();
}

/// Providers send such claims, and some of them in another form than the standard's.
#[tokio::test(flavor = "multi_thread")]
async fn claims_that_are_not_used_do_not_matter() {
    let world = World::new().await;
    let mut claims = world.issuer.claims("sub-emma", NOON);
    for (name, value) in [
        ("email_verified", json!("true")),
        ("address", json!(["Köln"])),
        ("updated_at", json!("2026-11-29T12:00:00Z")),
        ("auth_time", json!("just now")),
        ("amr", json!("pin")),
        ("gender", json!(7)),
    ] {
        claims[name] = value;
    }
    claims["exp"] = json!(NOON as f64 + 60.5);
    claims["aud"] = json!(["cockpit"]);
    disclose(&world, &claims).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_of_a_later_day_opens_with_that_days_key() {
    let world = World::new().await;
    let request = world.request(&emma());
    let answer = world.ask(&request).await.unwrap();
    let intent = record(&answer, &answer.intent, &answer.intent_key, 1, answer.expiry);
    world
        .log
        .write_labelled(LabelledKind::Intent, answer.period, answer.intent, Some(intent))
        .unwrap();
    world.clock.advance(DAY);
    let later = world
        .identity
        .outcome_key(&messages::OutcomeKeyRequest {
            token: answer.token.clone(),
            label: answer.label(Phase::Outcome),
            phase: Phase::Outcome,
            class: answer.class,
            s1: request.s1.digest(),
        })
        .await
        .unwrap();
    let outcome = record(&answer, &answer.label(Phase::Outcome), &later.key, 2, later.expiry);
    world
        .log
        .write_labelled(
            LabelledKind::Outcome,
            answer.period,
            answer.label(Phase::Outcome),
            Some(outcome),
        )
        .unwrap();
    let disclosure = disclose_to(&world, "sub-emma").await;
    assert_eq!(
        open_all(&world, &disclosure),
        [(Kind::Intent, 1), (Kind::Outcome, 2), (Kind::Inspection, 0)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_periods_are_shown_newest_last() {
    let world = World::new().await;
    recorded_exchange(&world, 1).await;
    world.clock.set(DECEMBER - DAY);
    world.tick().await.unwrap();
    world.clock.set(DECEMBER + 1);
    recorded_exchange(&world, 2).await;
    let disclosure = disclose_to(&world, "sub-emma").await;
    assert_eq!(disclosure.periods.len(), 2);
    let marks: Vec<_> = open_all(&world, &disclosure)
        .into_iter()
        .map(|(_, mark)| mark)
        .collect();
    assert_eq!(marks, [1, 1, 2, 2, 0]);
    assert!(
        disclosure
            .entries
            .iter()
            .all(|entry| entry.series != Series::DelayedExchanges)
    );
    let last = disclosure.entries.last().unwrap();
    assert_eq!(last.keys[0].shared, world.key_of(last, PartName::Shared));
}

/// Checks every label that a period's proof shows, and returns the labels that the map must not contain.
fn absent_labels(world: &World, idnr: &record::Idnr, period: &proof::bundle::PeriodProof<()>) -> Vec<[u8; 32]> {
    let evaluate = |series, number: usize, proof: &[u8; 80]| {
        let record::Body::Period {
            event: record::PeriodEvent::Begin { vrf_key, .. },
            ..
        } = world.log.entry(period.begin.index).entry().body
        else {
            panic!("not a begin")
        };
        let number = u32::try_from(number).unwrap();
        let alpha = record::label::alpha(idnr, record::Period(1), series, number);
        let key = tlog::vrf::PublicKey::from_bytes(vrf_key).unwrap();
        key.verify(&alpha, &tlog::vrf::Proof(*proof)).unwrap()
    };
    let mut absent = Vec::new();
    for (series, row) in [
        (Series::Exchanges, &period.exchanges),
        (Series::Inspections, &period.inspections),
    ] {
        for (number, shown) in row.numbers.iter().enumerate() {
            let output = evaluate(series, number, &shown.vrf_proof);
            let label = world.log.entry(shown.intent.index).entry().body.label().unwrap();
            assert_eq!(label, record::label::label(&output, Phase::Intent));
            if series == Series::Exchanges {
                assert!(shown.outcome.is_some() && shown.preview.is_none());
                absent.push(record::label::label(&output, Phase::Preview).0);
            }
        }
        let beyond = record::label::absence_set(u32::try_from(row.numbers.len()).unwrap());
        assert_eq!(beyond.len(), row.absent.len());
        for (number, proof) in beyond.into_iter().zip(&row.absent) {
            absent.push(record::label::label(&evaluate(series, number as usize, proof), Phase::Intent).0);
        }
    }
    absent
}

/// Looks up all labels in the person's map and checks what the proof claims about each, as a reader who trusts no
/// server would.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_comes_with_a_proof_of_completeness() {
    let world = World::new().await;
    assert!(
        disclose_to(&world, "sub-otto").await.complete.is_none(),
        "nothing is published"
    );
    recorded_exchange(&world, 1).await;
    recorded_exchange(&world, 2).await;
    disclose_to(&world, "sub-emma").await;
    world.log.write_map();
    // This exchange comes after the map entry: it is listed, but the proof does not cover it.
    recorded_exchange(&world, 3).await;
    let disclosure = disclose_to(&world, "sub-emma").await;
    assert_eq!(disclosure.entries.len(), 7);
    let proof = disclosure.complete.unwrap();
    assert_eq!((proof.first, proof.periods.len()), (record::Period(1), 1));
    let period = &proof.periods[0];
    assert_eq!(
        (period.exchanges.numbers.len(), period.inspections.numbers.len()),
        (2, 1)
    );
    assert!(period.end.is_none() && period.begin.index == 0);

    let absent = absent_labels(&world, &disclosure.idnr, period);
    let root = world
        .log
        .map(record::Period(1), usize::try_from(proof.map.index).unwrap())
        .root();
    let found = tlog::map::verify_lookups(&root, &absent, &period.map).unwrap();
    assert!(found.iter().all(Option::is_none));
    let verdict = policy().verify_checkpoint(&proof.checkpoint).unwrap();
    let mut leaves = vec![proof.map.index, period.begin.index];
    for number in period.exchanges.numbers.iter().chain(&period.inspections.numbers) {
        leaves.push(number.intent.index);
        leaves.extend(number.outcome.as_ref().map(|item| item.index));
    }
    leaves.sort_unstable();
    let leaves: Vec<_> = leaves
        .into_iter()
        .map(|index| {
            (
                tlog::merkle::Index::new(index).unwrap(),
                world.log.entry(index).leaf_hash(),
            )
        })
        .collect();
    let tlog::checkpoint::Checkpoint { size, root, .. } = verdict.checkpoint();
    tlog::merkle::verify_inclusion_batch(&leaves, *size, &proof.tree, root).unwrap();
}

/// Runs day by day over three years, with restarts. A record can be opened until the end of its expiry day and never
/// after it. The entry stays, still belongs to this person, and is still covered by the completeness proof.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_opens_until_its_expiry_day_ends_and_never_after() {
    let mut world = World::new().await;
    let answer = recorded_exchange(&world, 7).await;
    let folder = world.dir.path().join("daykeys");
    let files = || std::fs::read_dir(&folder).unwrap().count();
    let last = answer.expiry.0;
    for day in (record::LegalDay::of(record::Timestamp(NOON)).0..=last + 2).step_by(1) {
        world.clock.set(u64::from(day) * DAY + 13 * 3600);
        world.tick().await.unwrap();
        if day % 90 == 0 || (last - 1..=last + 1).contains(&day) {
            // The process may end before or after the due keys are destroyed.
            world.restart().await;
            world.identity.destroy_expired(world.agreed()).await.unwrap();
            world.restart().await;
        }
        world.identity.destroy_expired(world.agreed()).await.unwrap();
        if !(last - 1..).contains(&day) {
            continue;
        }
        let disclosure = disclose_to(&world, "sub-emma").await;
        let entries: Vec<_> = disclosure
            .entries
            .iter()
            .filter(|entry| entry.series == Series::Exchanges)
            .collect();
        assert_eq!(entries.len(), 2, "the entries remain listed");
        assert!(
            entries.iter().all(|entry| entry.keys.is_empty() == (day > last)),
            "day {day} of {last}"
        );
        assert!(
            disclosure.entries.iter().any(|entry| !entry.keys.is_empty()),
            "today's inspection can be opened"
        );
    }
    // Only the keys of the four inspections are left.
    assert_eq!(files(), 4);
}

/// The proof leaves out a destroyed period once the log says that it is destroyed, and only then.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_destroyed_period_the_proof_begins_with_the_next_period() {
    let world = World::new().await;
    recorded_exchange(&world, 1).await;
    for time in [DECEMBER - DAY, DECEMBER + 36 * DAY] {
        world.clock.set(time);
        world.tick().await.unwrap();
    }
    let expired = record::RetentionClass::last_expiry(record::Timestamp(now(&world)));
    world.clock.set(expired.end().0);
    world.log.write_map();
    world.tick().await.unwrap();
    assert!(world.identity.periods.get(record::Period(1)).is_none());
    let disclosure = disclose_to(&world, "sub-emma").await;
    assert!(disclosure.complete.is_none(), "the published map does not say so yet");
    assert_eq!(open_all(&world, &disclosure), [(Kind::Inspection, 0)]);

    let map = world.log.write_map();
    let proof = disclose_to(&world, "sub-emma").await.complete.unwrap();
    assert_eq!((proof.map.index, proof.first), (map, record::Period(2)));
    let count = u32::try_from(proof.periods.len()).unwrap();
    let event = |period, event| record::period_label(record::Period(period), event).0;
    let mut keys = vec![event(1, record::PeriodEvent::DESTROYED)];
    for period in 2..2 + count {
        keys.push(event(period, record::PeriodEvent::BEGIN));
        keys.push(event(period, record::PeriodEvent::FINAL));
    }
    keys.push(event(2 + count, record::PeriodEvent::BEGIN));
    let root = world
        .log
        .map(record::Period::MAP0, usize::try_from(map).unwrap())
        .root();
    let found = tlog::map::verify_lookups(&root, &keys, &proof.map0).unwrap();
    assert!(found[0].is_some() && found[1].is_some() && found[keys.len() - 1].is_none());
}

/// The proofs of absent numbers of ended periods are kept for the next disclosure, until the period is destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn absences_of_ended_periods_are_kept_until_the_period_is_destroyed() {
    let world = World::new().await;
    recorded_exchange(&world, 1).await;
    for time in [DECEMBER - DAY, DECEMBER + 36 * DAY] {
        world.clock.set(time);
        world.tick().await.unwrap();
    }
    world.log.write_map();
    let kept = |period: u32| {
        let state = &world.identity.state;
        let series = record::Series::Exchanges;
        state
            .kept_proofs(&idnr_of(EMMA), record::Period(period), series)
            .unwrap()
    };
    assert_eq!(
        kept(1).keys().collect::<Vec<_>>(),
        [&0],
        "only the number that was handed out"
    );
    let mut proofs = Vec::new();
    for _ in 0..2 {
        let proof = disclose_to(&world, "sub-emma").await.complete.unwrap();
        proofs.push(proof.periods[0].exchanges.absent.clone());
        assert_eq!(kept(1).get(&1), proofs[0].first());
        world.log.write_map();
    }
    assert!(!proofs[0].is_empty() && proofs[0] == proofs[1]);
    let current = world.identity.periods.current(now(&world)).unwrap();
    assert!(kept(current.period().0).is_empty(), "the current period's change");

    let expired = record::RetentionClass::last_expiry(record::Timestamp(now(&world)));
    world.clock.set(expired.end().0);
    world.log.write_map();
    world.tick().await.unwrap();
    assert!(world.identity.periods.get(record::Period(1)).is_none());
    let key = crate::state::NumberKey {
        period: record::Period(1),
        idnr: idnr_of(EMMA),
        series: record::Series::Exchanges,
        number: 1,
    };
    // A disclosure that began before the destruction.
    world.identity.state.keep_proofs(vec![(key, [1; 80])]).await.unwrap();
    assert!(kept(1).is_empty());
}
