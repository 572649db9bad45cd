//! Logging in over a network, on a server that demands TLS and a password or certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fixtures::postgres::ServerCertificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use service::durable;

use super::*;

const PASSWORD: &str = "correct-horse-battery";
const ROLE: &str = "ledger";

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// Certificate and key, in PEM, for a host or a role.
    fn issue(&self, host: Option<&str>, role: &str) -> (String, String) {
        let mut params = CertificateParams::new(host.map(str::to_owned).into_iter().collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, role);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn private(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    durable::create_private(&path, text.as_bytes()).unwrap();
    path
}

/// Everything that is logged in this process by the store and its driver, at every level.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn start() -> Self {
        let logged = Self::default();
        let writer = logged.clone();
        tracing_subscriber::fmt()
            .with_env_filter("ledger=trace,tokio_postgres=trace,tokio_postgres_rustls=trace")
            .with_writer(move || writer.clone())
            .init();
        logged
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of opening the store with this configuration. It must not have the password.
fn refusal(config: &PostgresConfig) -> String {
    let error = open_within(config, Duration::ZERO).err().unwrap();
    let read_only = PostgresStore::open_read_only(config).err().unwrap();
    for text in [format!("{error} {error:?}"), format!("{read_only} {read_only:?}")] {
        assert!(!text.contains(PASSWORD) && !text.contains("not-the-password"), "{text}");
    }
    error.to_string()
}

#[test]
fn a_database_over_a_network_is_reached_by_tls_under_its_own_name_or_not_at_all() {
    let (logged, authority, directory) = (Logged::start(), Authority::new(), tempfile::tempdir().unwrap());
    let (certificate, key) = authority.issue(Some("localhost"), "server");
    let cluster = Cluster::over_tls(&ServerCertificate {
        certificate: &certificate,
        key: &key,
        client_authority: &authority.pem,
    })
    .unwrap();
    for sql in [
        &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"),
        &format!("CREATE DATABASE {ROLE} OWNER {ROLE}"),
        "CREATE ROLE certified LOGIN",
        "CREATE DATABASE certified OWNER certified",
    ] {
        cluster.sql(0, sql).unwrap();
    }
    let ca = directory.path().join("ca.pem");
    fs::write(&ca, &authority.pem).unwrap();
    let right = PostgresConfig {
        hosts: vec![format!("localhost:{}", cluster.port())],
        database: ROLE.into(),
        user: ROLE.into(),
        password_file: Some(private(directory.path(), "password", &format!("{PASSWORD}\n"))),
        ca: Some(ca),
        certificate: None,
        key: None,
        failover_seconds: 60,
    };

    write_encrypted(&cluster, &right);
    let (certificate, key) = authority.issue(None, "certified");
    let by_certificate = PostgresConfig {
        database: "certified".into(),
        user: "certified".into(),
        password_file: None,
        certificate: Some(private(directory.path(), "client.pem", &certificate)),
        key: Some(private(directory.path(), "client.key", &key)),
        ..right.clone()
    };
    write_encrypted(&cluster, &by_certificate);
    wrong_settings_are_refused(&right, directory.path());
    a_server_without_tls_gets_no_password(&cluster, &right);
    let logged = logged.text();
    assert!(logged.contains("preparing query"), "the driver's log is missing");
    assert!(!logged.contains(PASSWORD) && !logged.contains("not-the-password"));
}

fn write_encrypted(cluster: &Cluster, config: &PostgresConfig) {
    let store = PostgresStore::open(config).unwrap();
    store.write(&batch(b"encrypted"), Durability::Synced).unwrap();
    assert!(has(&store, b"encrypted"));
    let plain = "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) \
                 WHERE application_name = 'ledger' AND NOT ssl";
    assert_eq!(cluster.sql(0, plain).unwrap(), "0");
    let encrypted = "SELECT count(*) > 1 FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) \
                     WHERE application_name = 'ledger' AND version IN ('TLSv1.2', 'TLSv1.3')";
    assert_eq!(cluster.sql(0, encrypted).unwrap(), "t");
}

fn wrong_settings_are_refused(right: &PostgresConfig, directory: &Path) {
    let stranger = directory.join("stranger.pem");
    fs::write(&stranger, Authority::new().pem).unwrap();
    let wrong_authority = PostgresConfig {
        ca: Some(stranger),
        ..right.clone()
    };
    let wrong_host = PostgresConfig {
        hosts: vec![right.hosts[0].replace("localhost", "127.0.0.1")],
        ..right.clone()
    };
    let no_authority = PostgresConfig {
        ca: None,
        ..right.clone()
    };
    let wrong_password = PostgresConfig {
        password_file: Some(private(directory, "wrong", "not-the-password")),
        ..right.clone()
    };
    let no_password = PostgresConfig {
        password_file: None,
        ..right.clone()
    };
    for (config, expected) in [
        (wrong_authority, "invalid peer certificate: BadSignature"),
        (wrong_host, "not valid for name"),
        (no_authority, "it is required for hosts that are reached over a network"),
        (wrong_password, "password authentication failed"),
        (no_password, "password missing"),
    ] {
        let refusal = refusal(&config);
        assert!(refusal.contains(expected), "{expected}: {refusal}");
    }
}

fn a_server_without_tls_gets_no_password(cluster: &Cluster, right: &PostgresConfig) {
    // The server refuses a client without TLS before it asks for a password.
    let driver = Driver::start().unwrap();
    let mut plain = tokio_postgres::Config::new();
    plain.host("127.0.0.1").port(cluster.port()).user(ROLE).dbname(ROLE);
    plain
        .password(PASSWORD)
        .ssl_mode(tokio_postgres::config::SslMode::Disable);
    let refused = driver
        .handle()
        .block_on(plain.connect(tokio_postgres::NoTls))
        .err()
        .unwrap();
    assert!(
        ::store::postgres::describe(&refused).contains("no encryption"),
        "{refused:?}"
    );

    cluster.sql(0, "ALTER SYSTEM SET ssl = off").unwrap();
    cluster.sql(0, "SELECT pg_reload_conf()").unwrap();
    let started = Instant::now();
    while cluster.sql(0, "SHOW ssl").unwrap() != "off" {
        assert!(started.elapsed() < Duration::from_secs(20), "TLS stays on");
    }
    let refusal = refusal(right);
    assert!(refusal.contains("server does not support TLS"), "{refusal}");
}
