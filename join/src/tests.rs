//! The service's interface, and the renewal of a component's certificate with it.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router};
use certificates::renewal::RenewalConfig;
use certificates::{Authority, CertificateRequest, Names, Renewal, Subject, TlsConfig};
use fixtures::{FirstValues, Founders, grant, values};
use record::{Kind, SigningKey, Timestamp};
use service::clock::Sleep;
use service::http::{CallError, Client};
use service::tls::{PeerName, TlsIdentity};
use service::{Impairment, ManualClock, listen};
use tlog::note::SignerKey;
use tokio::net::TcpListener;
use trust::{CertificateAuthorities, ComponentState, History};

use super::*;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// A directory with the consumer `amt` and the broker.
fn history(state: ComponentState) -> Arc<History> {
    founded(state, None)
}

fn founded(state: ComponentState, certificate_authorities: Option<CertificateAuthorities>) -> Arc<History> {
    let log = SignerKey::for_notes("log.example".parse().unwrap(), &[5; 32]);
    let founders = Founders {
        origin: "log.example",
        log: &log,
        operator: &key(6),
        authority: &key(7),
        identity: &key(3),
    };
    let mut amt = values::consumer("amt", key(11).public(), [1; 32]);
    amt.state = state;
    let first = FirstValues {
        writers: vec![grant("broker", &key(12), &[Kind::Intent])],
        components: vec![amt],
        certificate_authorities,
        ..FirstValues::default()
    };
    founders.found_with(first, Timestamp(NOW)).unwrap().history
}

/// A clock that tests move, and whose pauses are short.
#[derive(Debug)]
struct QuickClock(Arc<ManualClock>);

impl Clock for QuickClock {
    fn now(&self) -> u64 {
        self.0.now()
    }

    fn steady(&self) -> Duration {
        self.0.steady()
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(Duration::from_millis(10)))
    }
}

/// An issuer with a directory that tests replace.
struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    live: LiveTrust,
    url: String,
    shutdown: Shutdown,
}

async fn served(routes: Router, listener: Listener, shutdown: &Shutdown) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::serve(listener, routes, shutdown.clone()));
    address
}

async fn loopback() -> Listener {
    TcpListener::bind("127.0.0.1:0").await.unwrap().into()
}

fn authority(folder: &Path, name: &str) -> Authority {
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    Authority::create(&file("key"), &file("pem"), name, Timestamp(NOW)).unwrap()
}

impl World {
    async fn start() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new(NOW));
        let live = LiveTrust::fixed(history(ComponentState::Active), clock.clone());
        let shutdown = Shutdown::new();
        let url = Self::issuer(vec![authority(folder.path(), "ca")], &live, &clock, &shutdown).await;
        Self {
            folder,
            clock,
            live,
            url,
            shutdown,
        }
    }

    async fn issuer(
        authorities: Vec<Authority>,
        live: &LiveTrust,
        clock: &Arc<ManualClock>,
        shutdown: &Shutdown,
    ) -> String {
        let mut engines = Engines::default();
        for authority in authorities {
            engines.add(authority).unwrap();
        }
        let issuer = Issuer {
            admission: Admission::default(),
            engines,
            hosts: [("broker".to_owned(), vec!["127.0.0.1".parse().unwrap()])].into(),
            live: live.clone(),
            clock: clock.clone(),
        };
        let address = served(http::routes(Arc::new(issuer)), loopback().await, shutdown).await;
        format!("http://{address}")
    }

    /// A process with its own directory `name` that keeps its certificate valid.
    fn process(&self, name: &str, subject: Subject, key: SigningKey) -> (TlsIdentity, Renewal) {
        let data = self.folder.path().join(name);
        service::durable::private_directory(&data).unwrap();
        let hosts = matches!(subject, Subject::Writer(_)).then(|| "127.0.0.1".parse().unwrap());
        let tls = TlsConfig {
            issuer: self.url.clone(),
            authorities: self.folder.path().join("ca.pem"),
            hosts: hosts.into_iter().collect(),
        };
        let config = RenewalConfig {
            tls,
            subject,
            signer: key.into(),
            directory: Arc::new(self.live.clone()),
            data,
            clock: Arc::new(QuickClock(self.clock.clone())),
        };
        let renewal = Renewal::start(config, self.shutdown.clone()).unwrap();
        (renewal.identity().clone(), renewal)
    }

    fn consumer(&self, name: &str) -> (TlsIdentity, Renewal) {
        self.process(name, "urn:einsicht:component:amt".parse().unwrap(), key(11))
    }

    fn stored(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name).join("tls.pem")).unwrap_or_default()
    }

    fn pem(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{name}.pem"))).unwrap()
    }

    /// Lets so many seconds pass, after which the directory is confirmed again.
    fn pass(&self, seconds: u64) {
        self.clock.advance(seconds);
        self.live.replace(self.live.history());
    }

    async fn request(&self, request: &CertificateRequest) -> Result<Vec<u8>, CallError> {
        let url = format!("{}/certificates", self.url);
        Client::new().unwrap().post_cbor(&url, request.to_bytes()).await
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(holds(), "{what}");
}

#[tokio::test]
async fn a_request_gets_a_certificate_or_a_problem() {
    let world = World::start().await;
    let directory = world.live.history().state().directory().clone();
    let subject: Subject = "urn:einsicht:component:amt".parse().unwrap();
    let names = Names::new(subject, Vec::new()).unwrap();
    let prepare = |names: &Names, key: &SigningKey, now: u64| {
        CertificateRequest::prepare(names, key, directory.version(), Timestamp(now))
            .unwrap()
            .request
    };
    let good = prepare(&names, &key(11), NOW);
    let chain = world.request(&good).await.unwrap();
    assert!(chain.starts_with(b"-----BEGIN CERTIFICATE-----"));
    let with_host = Names::new(names.subject.clone(), vec!["amt.example".parse().unwrap()]).unwrap();
    for (request, status, slug) in [
        (&good, 409, "used"),
        (&prepare(&names, &key(12), NOW), 403, "not-listed"),
        (&prepare(&names, &key(11), NOW + 61), 400, "clock"),
        (&prepare(&with_host, &key(11), NOW), 403, "names"),
    ] {
        let error = world.request(request).await.unwrap_err();
        let problem = error.problem().unwrap();
        assert_eq!((problem.status, problem.slug.as_str()), (status, slug));
    }
    world.live.replace(history(ComponentState::Suspended));
    let error = world.request(&prepare(&names, &key(11), NOW)).await.unwrap_err();
    assert_eq!(error.problem().unwrap().slug, "not-listed");
    let url = format!("{}/certificates", world.url);
    let malformed = Client::new().unwrap().post_cbor(&url, vec![0xa0]).await.unwrap_err();
    assert_eq!(malformed.problem().unwrap().slug, "malformed-request");
    world.shutdown.trigger();
}

#[tokio::test]
async fn two_processes_get_their_certificates_and_talk() {
    let world = World::start().await;
    let (server, server_renewal) = world.process("broker", Subject::Writer(key(12).id()), key(12));
    let (client, client_renewal) = world.consumer("amt");
    until("certificates", || {
        server_renewal.health().and(client_renewal.health()).is_ok()
    })
    .await;
    let name = |Extension(name): Extension<PeerName>| async move { name.0.to_string() };
    let listener = loopback().await.secured(&server, |_| true).unwrap();
    let address = served(Router::new().route("/", get(name)), listener, &world.shutdown).await;
    let broker = Subject::Writer(key(12).id()).to_string();
    let client = Client::mutual(&client, move |name| name == broker).unwrap();
    let answer = client.get_bytes(&format!("https://{address}/")).await.unwrap();
    assert_eq!(answer, b"urn:einsicht:component:amt");
    world.shutdown.trigger();
}

#[tokio::test]
async fn a_certificate_is_renewed_at_two_thirds_and_kept_over_a_restart_and_none_is_of_the_future() {
    let world = World::start().await;
    let (_, renewal) = world.consumer("amt");
    until("the first certificate", || !world.stored("amt").is_empty()).await;
    let first = world.stored("amt");
    // Another run of the process presents the stored one.
    let (_, restarted) = world.consumer("amt");
    assert!(restarted.health().is_ok());
    assert_eq!(world.stored("amt"), first);
    drop(restarted);
    world.pass(DAY / 2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.stored("amt"), first, "half of its life is not enough");
    world.pass(DAY / 5);
    until("a second certificate", || world.stored("amt") != first).await;
    // A suspended component gets no other one, and its certificate ends.
    world.live.replace(history(ComponentState::Suspended));
    world.clock.advance(DAY + 1);
    assert!(matches!(renewal.health(), Err(Impairment::Behind(_))));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(renewal.health().is_err());
    world.pass(0);
    world.live.replace(history(ComponentState::Active));
    until("a third certificate", || renewal.health().is_ok()).await;
    // After a clock that was ahead is right again, peers would not accept the certificate for a day.
    world.clock.set(NOW);
    world.pass(0);
    until("a certificate of today", || renewal.health().is_ok()).await;
    world.shutdown.trigger();
}

#[tokio::test]
async fn the_authority_is_replaced_while_processes_run() {
    let mut world = World::start().await;
    let (server, first) = world.process("broker", Subject::Writer(key(12).id()), key(12));
    until("a certificate of the old authority", || first.health().is_ok()).await;
    let new = authority(world.folder.path(), "new");
    let (old_pem, new_pem) = (world.pem("ca"), world.pem("new"));
    std::fs::write(world.folder.path().join("ca.pem"), format!("{old_pem}{new_pem}")).unwrap();
    world.url = World::issuer(vec![new], &world.live, &world.clock, &world.shutdown).await;
    let (client, second) = world.consumer("amt");
    until("a certificate of the new authority", || second.health().is_ok()).await;
    let listener = loopback().await.secured(&server, |_| true).unwrap();
    let address = served(Router::new().route("/", get(|| async {})), listener, &world.shutdown).await;
    let url = format!("https://{address}/");
    let mut answered = false;
    for _ in 0..100 {
        answered = Client::mutual(&client, |_| true).unwrap().get(&url).await.is_ok();
        if answered {
            break;
        }
        // The server reads the file again after a moment.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answered, "both authorities are trusted");
    world.shutdown.trigger();
}

/// The certificate in this file, as the directory has it.
fn der(world: &World, name: &str) -> Vec<u8> {
    service::tls::certificates(&world.pem(name)).unwrap()[0].to_vec()
}

fn authorities(issuing: Vec<u8>, accepted: &[Vec<u8>]) -> Option<CertificateAuthorities> {
    Some(CertificateAuthorities {
        issuing,
        accepted: accepted.to_vec(),
    })
}

#[tokio::test]
async fn the_directory_replaces_the_authority() {
    let mut world = World::start().await;
    let old = || Authority::open(&world.folder.path().join("ca.key"), &world.folder.path().join("ca.pem")).unwrap();
    let new = authority(world.folder.path(), "new");
    let (old_der, new_der) = (der(&world, "ca"), der(&world, "new"));
    world.url = World::issuer(vec![old(), new], &world.live, &world.clock, &world.shutdown).await;
    let (server, first) = world.process("broker", Subject::Writer(key(12).id()), key(12));
    let (client, second) = world.consumer("amt");
    until("certificates of the first authority", || {
        first.health().and(second.health()).is_ok()
    })
    .await;
    let before = ["broker", "amt"].map(|name| world.stored(name));
    let lists = |issuing, accepted: &[Vec<u8>]| {
        let history = founded(ComponentState::Active, authorities(issuing, accepted));
        world.live.replace(history);
    };

    // The new one is accepted first, and nothing is renewed.
    lists(old_der.clone(), std::slice::from_ref(&new_der));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(["broker", "amt"].map(|name| world.stored(name)), before);
    // Then it issues, and everyone renews within half a minute. A process that only has the old one issues nothing.
    lists(new_der.clone(), std::slice::from_ref(&old_der));
    let names = Names::new("urn:einsicht:component:amt".parse().unwrap(), Vec::new()).unwrap();
    let version = world.live.history().state().directory().version();
    let request = CertificateRequest::prepare(&names, &key(11), version, Timestamp(NOW))
        .unwrap()
        .request;
    let issuer = World::issuer(vec![old()], &world.live, &world.clock, &world.shutdown);
    let url = format!("{}/certificates", issuer.await);
    let refused = Client::new()
        .unwrap()
        .post_cbor(&url, request.to_bytes())
        .await
        .unwrap_err();
    assert_eq!(refused.problem().unwrap().slug, "authority");
    world.pass(30);
    until("certificates of the second authority", || {
        let after = ["broker", "amt"].map(|name| world.stored(name));
        after[0] != before[0] && after[1] != before[1]
    })
    .await;
    // The old one ends: its certificates are refused. A process that was away gets one of the new authority.
    lists(new_der, &[]);
    let listener = loopback().await.secured(&server, |_| true).unwrap();
    let address = served(Router::new().route("/", get(|| async {})), listener, &world.shutdown).await;
    let url = format!("https://{address}/");
    let clock: Arc<dyn Clock> = world.clock.clone();
    let kept = TlsIdentity::new(&format!("{}{}", world.pem("ca"), world.pem("new")), clock).unwrap();
    kept.present(&before[1]).unwrap();
    until("the old authority has ended", || {
        first.health().and(second.health()).is_ok()
    })
    .await;
    let mut refused = false;
    for _ in 0..100 {
        refused = Client::mutual(&kept, |_| true).unwrap().get(&url).await.is_err();
        if refused {
            break;
        }
        // The server follows after a moment.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(refused);
    assert!(Client::mutual(&client, |_| true).unwrap().get(&url).await.is_ok());
    let away = world.folder.path().join("away");
    service::durable::private_directory(&away).unwrap();
    service::durable::write_private(&away.join("tls.pem"), before[1].as_bytes()).unwrap();
    let (_, away) = world.consumer("away");
    until("a certificate for the one that was away", || away.health().is_ok()).await;
    world.shutdown.trigger();
}
