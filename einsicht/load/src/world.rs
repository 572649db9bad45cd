//! The log, the keys and the configuration files of one run.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use certificates::Subject;
use fixtures::{FirstValues, Founders, grant, values};
use identity::persons::import::import;
use ledger_client::bootstrap::{Bootstrap, BootstrapError};
use ledger_client::{HttpLedger, Trust};
use messages::SealingKey;
use record::{Kind, SigningKey, TestNumbers, Timestamp};
use serde_json::{Value, json};
use service::clock::{Clock as _, SystemClock};
use service::durable::{create_private, create_private_directory, write_private};
use service::secret::{Credential, create_seed};
use tlog::note::SignerKey;

use crate::certifier::{Certifier, tls};
use crate::people::{self, EVIDENCE, Person};

const ORIGIN: &str = "load.example/log";
const CONSUMER: &str = "stadt";
const PROVIDER: &str = "amt";
const PURPOSE: &str = "bewohnerparkausweis";
/// How long the log may take to accept its first entries.
const LOG_TIMEOUT: Duration = Duration::from_secs(60);

/// The compartments, in the order of [`Addresses`].
pub(crate) const COMPARTMENTS: [&str; 6] = ["ledger", "identity", "broker", "consumer", "provider", "register"];

/// Those whose listener uses mutual TLS.
const SECURED: [&str; 3] = ["identity", "broker", "provider"];

/// The listeners of all compartments, on free ports of the loopback interface.
pub(crate) struct Addresses {
    pub(crate) listeners: Vec<TcpListener>,
    urls: Vec<String>,
    /// Where the ledger's writing entrance listens. The ledger binds it itself.
    writing: SocketAddr,
}

impl Addresses {
    fn bind() -> Result<Self> {
        let listeners = COMPARTMENTS.map(|_| TcpListener::bind("127.0.0.1:0"));
        let listeners = listeners.into_iter().collect::<Result<Vec<_>, _>>()?;
        let urls = listeners
            .iter()
            .zip(COMPARTMENTS)
            .map(|(listener, name)| {
                let scheme = if SECURED.contains(&name) { "https" } else { "http" };
                Ok(format!("{scheme}://{}", listener.local_addr()?))
            })
            .collect::<Result<_>>()?;
        let writing = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Self {
            listeners,
            urls,
            writing,
        })
    }

    /// The base URL of a compartment.
    pub(crate) fn url(&self, name: &str) -> &str {
        let at = COMPARTMENTS.iter().position(|known| *known == name);
        at.and_then(|at| self.urls.get(at)).map_or("", String::as_str)
    }
}

/// One run: a folder for each compartment, with its keys and its `config.json`.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) addresses: Addresses,
    /// What the register asks its connector for.
    pub(crate) register_credential: Credential,
    trust: Trust,
    bootstrap: Bootstrap,
}

/// The keys of one participant.
struct Keys {
    signing: SigningKey,
    sealing: SealingKey,
}

impl World {
    /// Creates keys, documents and files for these persons.
    pub(crate) async fn found(folder: &Path, persons: &[Person]) -> Result<Self> {
        for name in COMPARTMENTS {
            create_private_directory(&folder.join(name))?;
        }
        let key = |path: &str| -> Result<SigningKey> { Ok(SigningKey::from_seed(create_seed(&folder.join(path))?)) };
        let keys = |name: &str| -> Result<Keys> {
            let sealing = create_seed(&folder.join(name).join("sealing.key"))?;
            Ok(Keys {
                signing: key(&format!("{name}/signing.key"))?,
                sealing: SealingKey::from_seed(sealing),
            })
        };
        let (identity, consumer, provider) = (keys("identity")?, keys("consumer")?, keys("provider")?);
        let (operator, authority) = (key("operator.key")?, key("authority.key")?);
        let [ledger, broker, recorder] = [
            key("ledger/writer.key")?,
            key("broker/writer.key")?,
            key("identity/writer.key")?,
        ];
        let log = SignerKey::for_notes(ORIGIN.parse()?, &service::secret::random()?);
        create_private(&folder.join("ledger/log.key"), log.to_private_text().as_bytes())?;
        let broker_kinds = [Kind::Intent, Kind::Outcome, Kind::Preview, Kind::Denial];
        let identity_kinds = [Kind::Period, Kind::Void, Kind::Inspection, Kind::Lost];
        let first = FirstValues {
            writers: vec![
                grant("ledger", &ledger, &[Kind::Map]),
                grant("broker", &broker, &broker_kinds),
                grant("identity", &recorder, &identity_kinds),
            ],
            components: vec![
                values::consumer(CONSUMER, consumer.signing.public(), consumer.sealing.public().0),
                values::provider(PROVIDER, provider.signing.public(), provider.sealing.public().0),
            ],
            evidence: vec![values::evidence(
                EVIDENCE,
                "Zulassungsbescheinigung Teil I",
                &["Fahrzeugdaten"],
            )],
            rules: vec![values::rule("parken", EVIDENCE, PURPOSE, "Bewohnerparkausweis")],
            identity_sealing: Some(identity.sealing.public().0),
            supervision: Some(SealingKey::from_seed(service::secret::random()?).public().0),
            certificate_authorities: None,
        };
        let founders = Founders {
            origin: ORIGIN,
            log: &log,
            operator: &operator,
            authority: &authority,
            identity: &identity.signing,
        };
        let founding = founders.found_with(first, Timestamp(0))?;
        let [directory, registry] = &founding.sets;
        let now = Timestamp(SystemClock.now());
        let component = |id: &str| anyhow::Ok(Subject::Component(id.parse()?));
        let all = [
            ("ledger", Subject::Writer(ledger.id()), &ledger),
            ("identity", Subject::Writer(recorder.id()), &recorder),
            ("broker", Subject::Writer(broker.id()), &broker),
            ("consumer", component(CONSUMER)?, &consumer.signing),
            ("provider", component(PROVIDER)?, &provider.signing),
        ];
        Certifier::new(folder, &founding.history, now)?.certify(all).await?;
        let bootstrap = Bootstrap::new(&operator, &founding.genesis, directory, registry, now)?;
        let policy = format!("log {}\nquorum none\n", log.verifier_key()?);
        for name in COMPARTMENTS {
            write_private(&folder.join(name).join("trust.policy"), policy.as_bytes())?;
        }
        let world = Self {
            folder: folder.to_path_buf(),
            addresses: Addresses::bind()?,
            register_credential: Credential::create(&folder.join("provider/register.credential"))?,
            trust: Trust {
                policy: policy.parse()?,
                genesis: bootstrap.genesis_hash(),
            },
            bootstrap,
        };
        world.configure()?;
        let register = folder.join("register");
        write_private(&register.join("schema.json"), people::schema().to_string().as_bytes())?;
        people::write_register(&register.join("data.json"), persons)?;
        let (file, store) = (
            folder.join("identity/persons.json"),
            folder.join("identity/persons.redb"),
        );
        people::write_population(&file, persons)?;
        import(&file, &store, TestNumbers::Allowed)?;
        Ok(world)
    }

    fn configure(&self) -> Result<()> {
        let writing = format!("https://{}", self.addresses.writing);
        let ledger = json!({
            "origin": ORIGIN, "log_keys": [{ "file": "log.key" }], "writer_key": "writer.key", "policy": "trust.policy",
            "writing": { "listen": self.addresses.writing, "tls": tls() },
        });
        let identity = json!({
            "persons": "persons.redb", "test_numbers": "allowed",
            "writer_key": "writer.key", "signing_key": "signing.key", "sealing_key": "sealing.key",
            "ledger_writing": writing, "tls": tls(), "cockpit": "portal",
            "login": { "issuer": "http://127.0.0.1:1", "client_id": "portal", "acr": "high" },
        });
        let broker = json!({
            "identity": self.addresses.url("identity"),
            "routes": { PROVIDER: self.addresses.url("provider") },
            "writer_key": "writer.key", "ledger_writing": writing, "tls": tls(),
        });
        let connector = |participant: &str, role: Value| {
            json!({
                "participant": participant, "test": true, "role": role,
                "signing_key": "signing.key", "sealing_key": "sealing.key", "tls": tls(),
            })
        };
        let consumer = connector(
            CONSUMER,
            json!({ "consumer": { "broker": self.addresses.url("broker") } }),
        );
        let at_register = json!({ "provider": {
            "register": self.addresses.url("register"), "register_credential": "register.credential",
        } });
        self.write("ledger", ledger, false)?;
        for (name, config) in [("identity", identity), ("broker", broker), ("consumer", consumer)] {
            self.write(name, config, true)?;
        }
        self.write("provider", connector(PROVIDER, at_register), true)?;
        let register = json!({
            "directory": ".", "schema": "schema.json", "data": "data.json",
            "credential_digest": hex::encode(self.register_credential.digest().0),
        });
        let path = self.config("register");
        std::fs::write(&path, register.to_string()).with_context(|| path.display().to_string())
    }

    /// Writes a configuration with what all compartments that read the log have in common.
    fn write(&self, name: &str, mut config: Value, reads_the_log: bool) -> Result<()> {
        config["data"] = ".".into();
        config["genesis"] = self.trust.genesis.to_string().into();
        if reads_the_log {
            config["ledger"] = self.addresses.url("ledger").into();
            config["policy"] = "trust.policy".into();
        }
        let path = self.config(name);
        std::fs::write(&path, config.to_string()).with_context(|| path.display().to_string())
    }

    /// The configuration file of a compartment.
    pub(crate) fn config(&self, name: &str) -> PathBuf {
        self.folder.join(name).join("config.json")
    }

    /// Appends the log's first entries.
    pub(crate) async fn begin_log(&self) -> Result<()> {
        let api = HttpLedger::new(self.addresses.url("ledger"))?;
        let since = Instant::now();
        loop {
            match self.bootstrap.append(&api, &self.trust).await {
                Err(BootstrapError::NotYet(_)) if since.elapsed() < LOG_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                done => return done.context("the log does not accept its first entries"),
            }
        }
    }

    /// The query about a person to the consumer's connector.
    pub(crate) fn query(&self, person: &Person) -> Vec<u8> {
        let query = json!({
            "provider": PROVIDER, "evidence_type": EVIDENCE, "purpose": PURPOSE,
            "request_reference": "LOAD", "official": "load", "assurance": "high", "person": person.in_query(),
        });
        query.to_string().into_bytes()
    }

    /// The same question, put to the register itself.
    pub(crate) fn lookup(&self, person: &Person) -> Vec<u8> {
        let lookup = json!({ "idnr": person.idnr.expose(), "evidence_type": EVIDENCE });
        lookup.to_string().into_bytes()
    }
}
