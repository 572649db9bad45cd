//! Beside a writing entrance, the public one takes the operator's entries alone. The writing one takes those of the
//! writer in the certificate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use axum::Extension;
use axum::http::Method;
use certificates::{Peer, Peers, Subject};
use record::{Kind, SigningKey};
use service::tls::PeerName;
use trust::TrustKind;

use super::testing::{Server, answers};
use super::{Roles, routes, writing_routes};
use crate::rules::testing::*;
use crate::server::start;
use crate::store::memory::MemoryStore;

/// A ledger with a writing entrance, and its public entrance.
async fn started() -> (Server, World) {
    let world = World::new();
    let mut setup = world.setup(Arc::new(MemoryStore::new()));
    setup.writing_entrance = true;
    let shared = start(setup).unwrap();
    (Server::at(routes(Roles::new(shared.clone())), shared).await, world)
}

/// The writing entrance for the client that this writer's certificate names. Writers of periods may read records.
async fn writing(public: &Server, seed: u8) -> Server {
    let shared = public.shared.clone();
    let roles = Roles::new(shared.clone());
    let directory = Arc::new(roles.clone());
    let readers = Peers::new(directory, [Peer::WriterOf(Kind::Period)]);
    let subject = Subject::Writer(SigningKey::from_seed([seed; 32]).id());
    let name = PeerName(subject.to_string().into());
    Server::at(writing_routes(roles, readers).layer(Extension(name)), shared).await
}

#[tokio::test]
async fn the_public_entrance_takes_the_entries_of_the_operator_alone_and_shows_no_records() {
    let (public, world) = started().await;
    assert_eq!(
        answers(&public.post(&world.founding()).await.body),
        [Ok(0), Ok(1), Ok(2)]
    );
    let mut identity = TimedWriter::new(IDENTITY);
    let period = raw(&identity.write(begin(1, NOW - 86_400)), 0);
    let mut operator = world.operator();
    let draft = World::draft(&world.state, TrustKind::Directory, Vec::new());
    let set = World::set(
        &mut operator,
        &draft.sign(&[&SigningKey::from_seed([AUTHORITY; 32])]).unwrap(),
    );
    for entries in [vec![period.clone()], vec![set.clone(), period.clone()]] {
        assert_eq!(public.post(&entries).await.problem(), (403, "peer".into()));
    }
    assert_eq!(public.checkpoint("/head").await.size.get(), 3, "nothing was stored");
    assert_eq!(answers(&public.post(&[set]).await.body).len(), 1, "it is judged");
    let bearer = format!("Bearer {}", credential().to_hex().as_str());
    let headers = [("authorization", bearer.as_str())];
    let read = public.request(Method::GET, "/records/1", &headers, Vec::new()).await;
    assert_eq!(read.status, 404);
    let writing = writing(&public, IDENTITY).await;
    assert_eq!(answers(&writing.post(&[period]).await.body).len(), 1);
}

#[tokio::test]
async fn the_writing_entrance_takes_the_entries_of_the_certified_writer_alone() {
    let (public, world) = started().await;
    public.post(&world.founding()).await;
    let (of_identity, of_broker) = (writing(&public, IDENTITY).await, writing(&public, BROKER).await);
    let mut identity = TimedWriter::new(IDENTITY);
    let period = raw(&identity.write(begin(1, NOW - 86_400)), 0);
    assert_eq!(
        of_broker.post(std::slice::from_ref(&period)).await.problem(),
        (403, "peer".into())
    );
    assert_eq!(answers(&of_identity.post(&[period]).await.body), [Ok(3)]);
    let intent = raw(&TimedWriter::new(BROKER).write(intent(1)), 1);
    assert_eq!(answers(&of_broker.post(&[intent]).await.body), [Ok(4)]);
    // The log is read at the public entrance alone, and records by those whom the configuration names.
    assert_eq!(of_broker.get("/head").await.status, 404);
    assert_eq!(of_broker.get("/records/4").await.problem(), (403, "peer".into()));
    let read = of_identity.get("/records/4").await;
    assert_eq!((read.status, read.body), (200, record(1)));
    assert_eq!(public.get("/records/4").await.status, 404);
}
