//! The test world: one consumer (a city), one register, a broker, a log and identity.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use fixtures::{FirstValues, Founders, Founding, grant, values};
use ledger_client::LiveTrust;
use messages::{
    LabelAnswer, LabelRequest, PersonQuery, ProviderContent, ProviderContext, ProviderPart, S1, SealingKey,
    SubjectQuery,
};
use record::{
    DisclosureClass, Idnr, Kind, Label, LabelledKind, ParticipantId, PeriodEvent, Phase, RetentionClass, SignedEntry,
    SigningKey, TestNumbers, Timestamp, VerifyingKey,
};
use registerlandkarte::BaseDatum;
use service::clock::{AgreedTime, CheckedClock, Confirmation};
use service::{ManualClock, Problem};
use tlog::checkpoint::SignedCheckpoint;
use tlog::merkle::{self, Index};
use trust::Component;
use uuid::Uuid;

use super::issuer::{ACR, CLIENT, Issuer};
use super::log::{ORIGIN, TestLog, broker_key, identity_key, log_key};
use crate::committer::StoreError;
use crate::day_keys::DayKeys;
use crate::identity::{Identity, IdentityKeyPairs};
use crate::locks::Locks;
use crate::login::{LoginConfig, LoginVerifier};
use crate::periods::Periods;
use crate::persons::import::import;
use crate::persons::population::Population;
use crate::refused_voids::RefusedVoids;
use crate::state::IdentityState;
use crate::token::MacKey;
use crate::wrapping::WrappingKeys;

/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: u64 = 1_795_262_400;

/// Emma is a person without a block, Otto is blocked, and the Müllers are twins with the same name and address.
pub(crate) const PERSONS: &str = r#"[
 {"idnr":"08214967384","family_name":"Mustermann","given_name":"Emma","date_of_birth":"1964-08-12","postal_code":"50667","place":"Köln","subject":"sub-emma"},
 {"idnr":"02476291358","family_name":"Schweigsam","given_name":"Otto","date_of_birth":"1970-01-31","postal_code":"70825","place":"Korntal-Münchingen","blocked":true,"subject":"sub-otto"},
 {"idnr":"08854869212","family_name":"Müller","given_name":"Kim","date_of_birth":"2000-02-29","postal_code":"10115","place":"Berlin"},
 {"idnr":"07465932380","family_name":"Müller","given_name":"Kim","date_of_birth":"2000-02-29","postal_code":"10115","place":"Berlin"},
 {"idnr":"09874368528","family_name":"Öztürk","given_name":"Ayşe Nur","date_of_birth":"1990-05-05","postal_code":"20095","place":"Hamburg","subject":"sub-ayse"}
]"#;
pub(crate) const EMMA: &str = "08214967384";
pub(crate) const OTTO: &str = "02476291358";

/// What the Registerlandkarte permits the register to have, for [`FILL_PURPOSE`].
pub(crate) const RELEASED: [BaseDatum; 3] = [BaseDatum::Idnr, BaseDatum::FamilyName, BaseDatum::Place];
pub(crate) const FILL_PURPOSE: &str = "registermodernisierung";

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) log: TestLog,
    pub(crate) issuer: Issuer,
    pub(crate) identity: Arc<Identity<TestLog>>,
}

pub(crate) fn consumer_key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

pub(crate) fn provider_sealing() -> SealingKey {
    SealingKey::from_seed([2; 32])
}

fn identity_keys() -> IdentityKeyPairs {
    IdentityKeyPairs {
        signing: SigningKey::from_seed([3; 32]),
        sealing: SealingKey::from_seed([4; 32]),
    }
}

fn participant(id: &str, signing: VerifyingKey, sealing: [u8; 32], consumer: bool) -> Component {
    Component {
        consumer,
        provider: !consumer,
        ..values::consumer(id, signing, sealing)
    }
}

/// The founding documents of the log.
pub(crate) fn founding() -> Founding {
    let keys = identity_keys();
    let founders = Founders {
        origin: ORIGIN,
        log: &log_key(),
        operator: &SigningKey::from_seed([103; 32]),
        authority: &authority(),
        identity: &keys.signing,
    };
    let values = FirstValues {
        writers: vec![
            grant("broker", &broker_key(), &[Kind::Intent, Kind::Outcome, Kind::Denial]),
            grant(
                "identity",
                &identity_key(),
                &[Kind::Period, Kind::Void, Kind::Inspection],
            ),
        ],
        components: vec![
            participant(
                "city",
                consumer_key().public(),
                SealingKey::from_seed([9; 32]).public().0,
                true,
            ),
            participant(
                "register",
                SigningKey::from_seed([5; 32]).public(),
                provider_sealing().public().0,
                false,
            ),
        ],
        evidence: RELEASED
            .map(|datum| values::evidence(datum.evidence(), datum.as_str(), &[datum.as_str()]))
            .to_vec(),
        rules: RELEASED
            .map(|datum| {
                values::rule(
                    datum.evidence(),
                    datum.evidence(),
                    FILL_PURPOSE,
                    "Aufnahme in ein Register",
                )
            })
            .to_vec(),
        identity_sealing: Some(keys.sealing.public().0),
        supervision: Some(SealingKey::from_seed([6; 32]).public().0),
        ..FirstValues::default()
    };
    founders.found_with(values, Timestamp(0)).unwrap()
}

/// The authority that signs change sets.
pub(crate) fn authority() -> SigningKey {
    SigningKey::from_seed([104; 32])
}

impl World {
    /// A world at noon, after period 1 has begun.
    pub(crate) async fn new() -> Self {
        let world = Self::at(NOON).await;
        world.tick().await.unwrap();
        world
    }

    pub(crate) async fn at(now: u64) -> Self {
        capture_logs();
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(now);
        let log = TestLog::new(Arc::clone(&clock));
        let issuer = Issuer::start().await;
        let identity = open(dir.path(), &clock, &log, &issuer).unwrap();
        Self {
            dir,
            clock,
            log,
            issuer,
            identity: Arc::new(identity),
        }
    }

    pub(crate) async fn tick(&self) -> Result<(), crate::periods::PeriodError> {
        let Identity {
            periods, state, log, ..
        } = &*self.identity;
        periods.follow(state, log).await?;
        match self.identity.agreed() {
            Ok(now) => periods.tick(state, log, &now).await,
            Err(_) => Ok(()),
        }
    }

    /// The time on which identity's clocks agree.
    pub(crate) fn agreed(&self) -> AgreedTime {
        self.identity.agreed().unwrap()
    }

    /// Stops identity, as if the process had ended. Its files are released a moment later.
    pub(crate) fn stop(&mut self) {
        let elsewhere = tempfile::tempdir().unwrap();
        let empty = open(elsewhere.path(), &self.clock, &self.log, &self.issuer).unwrap();
        drop(std::mem::replace(&mut self.identity, Arc::new(empty)));
    }

    /// Restarts identity on the same files.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        for _ in 0..500 {
            match open(self.dir.path(), &self.clock, &self.log, &self.issuer) {
                Ok(identity) => {
                    self.identity = Arc::new(identity);
                    // This fails while the ledger is unavailable. A later tick then sees that the period has begun.
                    let _ = self.tick().await;
                    return;
                }
                // The writer thread releases the file a moment after the last handle is dropped.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        panic!("the store remains locked");
    }

    pub(crate) fn request(&self, query: &PersonQuery) -> LabelRequest {
        self.request_for(query, Uuid::new_v4(), DisclosureClass::Immediate)
    }

    /// The request about a legal person.
    pub(crate) fn request_about_legal_person(&self) -> LabelRequest {
        self.request_about(&SubjectQuery::Legal, Uuid::new_v4(), DisclosureClass::Immediate)
    }

    pub(crate) fn request_for(&self, query: &PersonQuery, message: Uuid, disclosure: DisclosureClass) -> LabelRequest {
        self.request_about(&SubjectQuery::Natural(query.clone()), message, disclosure)
    }

    fn request_about(&self, query: &SubjectQuery, message: Uuid, disclosure: DisclosureClass) -> LabelRequest {
        let sealed = query.seal(&identity_keys().sealing.public(), message).unwrap();
        let id = |text: &str| ParticipantId::new(text).unwrap();
        let now = Timestamp(service::Clock::now(&*self.clock));
        LabelRequest {
            s1: S1::sign(&consumer_key(), id("city"), id("register"), message, now, sealed),
            retention: RetentionClass::IdnrG2y,
            disclosure,
        }
    }

    /// Requests labels and parses the answer.
    pub(crate) async fn ask(&self, request: &LabelRequest) -> Result<LabelAnswer, Problem> {
        let bytes = self.identity.labels(request.clone()).await?;
        Ok(record::cbor::from_slice(&bytes).unwrap())
    }

    /// Writes the broker's intent for the label.
    pub(crate) fn use_label(&self, answer: &LabelAnswer) -> u64 {
        self.log
            .write_labelled(LabelledKind::Intent, answer.period, answer.intent, None)
            .unwrap()
    }

    /// Makes a whole exchange about a person.
    pub(crate) async fn exchange(&self, query: &PersonQuery) -> (LabelRequest, LabelAnswer) {
        let request = self.request(query);
        let answer = self.ask(&request).await.unwrap();
        self.use_label(&answer);
        (request, answer)
    }

    /// Opens the provider part and checks everything that a provider can check (P3, P4, P5).
    pub(crate) fn provider_checks(&self, request: &LabelRequest, answer: &LabelAnswer) -> ProviderContent {
        let context = ProviderContext {
            label: answer.intent,
            provider: request.s1.statement.provider.clone(),
            s1: request.s1.digest(),
        };
        let part = ProviderPart::open(&answer.for_provider, &provider_sealing(), &context).unwrap();
        let key = identity_keys().signing.public();
        part.verify(&context, &key).unwrap();
        let content = part.content;
        let log_keys = [log_key().verifier_key().unwrap()];
        let head = SignedCheckpoint::open(&content.checkpoint, &ORIGIN.parse().unwrap(), &log_keys).unwrap();
        let head = head.checkpoint();
        let included = |entry: &messages::LinkedEntry| {
            let signed = SignedEntry::parse(entry.leaf.clone()).unwrap();
            let index = Index::new(entry.index).unwrap();
            merkle::verify_inclusion(&signed.leaf_hash(), index, head.size, &entry.hashes, &head.root).unwrap();
            signed.entry().body.clone()
        };
        let record::Body::Period {
            period,
            event: PeriodEvent::Begin { vrf_key, .. },
        } = included(&content.period_begin)
        else {
            panic!("not a begin");
        };
        assert_eq!(period, answer.period);
        let vrf = tlog::vrf::PublicKey::from_bytes(vrf_key).unwrap();
        let label = |number, proof: &[u8; 80]| {
            let alpha = record::label::alpha(&content.idnr, content.period, content.series, number);
            record::label::label(&vrf.verify(&alpha, &tlog::vrf::Proof(*proof)).unwrap(), Phase::Intent)
        };
        assert_eq!(label(content.number, &content.vrf_proof), answer.intent);
        for link in &content.chain {
            let logged = included(&link.entry).map_key().unwrap();
            assert_eq!(logged, (content.period, label(link.number, &link.vrf_proof)));
        }
        let numbers: Vec<u32> = content.chain.iter().map(|link| link.number).collect();
        let expected = if content.idnr.is_nobody() {
            Vec::new()
        } else {
            record::label::chain(content.number)
        };
        assert_eq!(numbers, expected);
        content
    }

    /// The key of a part of a disclosed entry, computed from the state.
    pub(crate) fn key_of(&self, entry: &messages::DisclosedEntry, part: record::PartName) -> record::PartKey {
        let (_, label) = self.log.entry(entry.index).entry().body.map_key().unwrap();
        let (key, _) = self.identity.state.owner(&label).unwrap().unwrap();
        let row = self.identity.state.number(&key).unwrap().unwrap();
        let today = self.identity.today();
        let day_key = self.identity.day_keys.existing(row.class, row.expiry, today).unwrap();
        day_key.record_key(&label).part(part)
    }

    /// The intent label of a person's number, computed with the period's secret.
    pub(crate) fn label_of(&self, idnr: &str, series: record::Series, number: u32) -> Label {
        let secret = self.identity.periods.all().pop().unwrap();
        secret.evaluate(&idnr_of(idnr), series, number).labels.intent
    }
}

impl Identity<TestLog> {
    /// Follows the log, as the background work does.
    pub(crate) async fn log_follow(&self) {
        crate::log::TransparencyLog::refresh(&self.log).await.unwrap();
    }
}

pub(crate) fn idnr_of(text: &str) -> Idnr {
    Idnr::parse(text, TestNumbers::Allowed).unwrap()
}

/// Opens identity as `start` does, but with the test's log and clock.
fn open(dir: &Path, clock: &Arc<ManualClock>, log: &TestLog, issuer: &Issuer) -> Result<Identity<TestLog>, StoreError> {
    let state = IdentityState::open(&dir.join("state.redb"))?;
    // The clocks of the tests jump by months, and nothing confirms the directory meanwhile.
    let live = LiveTrust::fixed(founding().history, ManualClock::new(NOON));
    let confirmation = Confirmation::Operator(dir.join("clock.stopped"));
    let checked = CheckedClock::new(clock.clone(), confirmation);
    let login = LoginConfig {
        issuer: issuer.url.clone(),
        client_id: CLIENT.into(),
        acr: ACR.into(),
    };
    Ok(Identity {
        persons: Box::new(population(dir, PERSONS)),
        live,
        periods: Periods::load(&state, WrappingKeys::open(&dir.join("wrapping")).unwrap())
            .map_err(|_| StoreError::Corrupt("periods"))?,
        day_keys: DayKeys::open(&dir.join("daykeys")).map_err(|_| StoreError::Corrupt("day keys"))?,
        keys: identity_keys(),
        mac: MacKey::new(state.secret("mac", service::secret::random().unwrap())?),
        log: log.clone(),
        login: LoginVerifier::new(login, checked.clone()).unwrap(),
        clock: checked,
        reader: "Datenschutzcockpit".into(),
        wait: Duration::from_millis(400),
        locks: Locks::default(),
        refused_voids: RefusedVoids::default(),
        state,
    })
}

/// A population with the persons of this file, in `dir`.
pub(crate) fn population(dir: &Path, json: &str) -> Population {
    let (file, store) = (dir.join("persons.json"), dir.join("persons.redb"));
    std::fs::write(&file, json).unwrap();
    import(&file, &store, TestNumbers::Allowed).unwrap();
    Population::open(&store).unwrap()
}

/// A query by name. Empty strings stand for missing data.
pub(crate) fn by_name(family: &str, given: &str, born: &str, postal_code: &str, place: &str) -> PersonQuery {
    PersonQuery {
        idnr: None,
        family_name: family.parse().unwrap(),
        given_name: given.parse().unwrap(),
        date_of_birth: born.parse().unwrap(),
        postal_code: postal_code.parse().unwrap(),
        place: place.parse().unwrap(),
    }
}

pub(crate) fn by_number(idnr: &str, born: &str) -> PersonQuery {
    PersonQuery {
        idnr: Some(idnr_of(idnr)),
        ..by_name("", "", born, "", "")
    }
}

pub(crate) fn emma() -> PersonQuery {
    by_number(EMMA, "1964-08-12")
}

pub(crate) fn blocked() -> PersonQuery {
    by_number(OTTO, "1970-01-31")
}

pub(crate) fn unknown() -> PersonQuery {
    by_name("Niemand", "Nora", "1980-01-01", "99999", "Nirgends")
}

pub(crate) fn ambiguous() -> PersonQuery {
    by_name("Müller", "Kim", "2000-02-29", "10115", "Berlin")
}

static LOGS: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Captures everything that identity logs in any test of this process, at every level.
fn capture_logs() {
    LOGS.get_or_init(|| {
        let buffer = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&buffer);
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || Sink(Arc::clone(&sink)))
            .init();
        buffer
    });
}

pub(crate) fn logs() -> String {
    let buffer = LOGS.get().unwrap().lock().unwrap();
    String::from_utf8_lossy(&buffer).into_owned()
}
