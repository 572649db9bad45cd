#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use record::{Body, LabelledKind, Receipt, StoredEntry};
use tlog::Hash;
use tlog::merkle::{leaf_hash, verify_inclusion_batch};
use trust::SetPage;

use super::testing::*;
use crate::rules::RawSubmission;
use crate::rules::testing::*;
use crate::store::memory::MemoryStore;

#[tokio::test]
async fn each_entry_of_a_request_gets_a_receipt() {
    let (server, _, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let got = server.post(&[raw(&broker.write(intent(1)), 1)]).await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/cbor-seq"));
    assert_eq!(answers(&got.body), [Ok(4)]);
    let many: Vec<_> = (2..150).map(|label| raw(&broker.write(intent(label)), label)).collect();
    let got = server.post(&many).await;
    assert_eq!(answers(&got.body), (5..153).map(Ok).collect::<Vec<_>>());
}

#[tokio::test]
async fn http_2_without_tls_is_answered_like_http_1() {
    let (mut server, _, _) = Server::started().await;
    server.client = service::http::client(reqwest::ClientBuilder::http2_prior_knowledge).unwrap();
    let mut broker = TimedWriter::new(BROKER);
    let many: Vec<_> = (1..100).map(|label| raw(&broker.write(intent(label)), label)).collect();
    let got = server.post(&many).await;
    assert_eq!(answers(&got.body), (4..103).map(Ok).collect::<Vec<_>>());
    let url = format!("{}/head", server.url);
    let response = server.client.get(url).send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    let head = response.bytes().await.unwrap();
    server.client = service::http::client(|builder| builder).unwrap();
    assert_eq!(server.get("/head").await.body, head);
}

#[tokio::test]
async fn the_history_returns_the_checkpoint_of_this_size_or_the_next_larger_one() {
    let (server, _, _) = Server::started().await;
    assert_eq!(
        server.get("/checkpoints/0").await.status,
        404,
        "no checkpoint was witnessed"
    );
    let head = server.shared.log.snapshot();
    server.shared.log.rows().store_published(4, &head.note).unwrap();
    for size in ["0", "4"] {
        let got = server.get(&format!("/checkpoints/{size}")).await;
        assert_eq!((got.status, got.body), (200, head.note.clone().into_bytes()));
    }
    for size in ["5", "04", "-1", "x"] {
        assert_eq!(server.get(&format!("/checkpoints/{size}")).await.status, 404, "{size}");
    }
}

#[tokio::test]
async fn bad_entries_are_refused_with_problem_details_and_the_chain_continues() {
    let (server, world, identity) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    server.post(&[raw(&broker.write(intent(1)), 1)]).await;
    let good = raw(&broker.draft(intent(2)), 2);
    let with = |change: &dyn Fn(&mut RawSubmission)| {
        let mut raw = good.clone();
        change(&mut raw);
        raw
    };
    let mut forged = good.leaf.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let mut gap = broker.clone();
    gap.chain.sequence = broker.chain.sequence.next();
    let cases = [
        ("malformed", 400, None, with(&|raw| raw.leaf = vec![1, 2, 3].into())),
        ("signature", 403, None, with(&|raw| raw.leaf = forged.clone().into())),
        ("right", 403, None, raw(&identity.draft(intent(2)), 2)),
        (
            "unknown-writer",
            403,
            None,
            raw(&TimedWriter::new(STRANGER).draft(intent(2)), 2),
        ),
        ("chain", 409, None, raw(&gap.draft(intent(2)), 2)),
        ("label-used", 409, Some(4), raw(&broker.draft(intent(1)), 1)),
        (
            "sequence-used",
            409,
            Some(4),
            raw(&TimedWriter::new(BROKER).draft(intent(2)), 2),
        ),
        ("too-large", 413, None, with(&|raw| raw.leaf = vec![0; 70_000].into())),
        (
            "too-large",
            413,
            None,
            with(&|raw| raw.record = Some(vec![0; 200_000].into())),
        ),
        ("record", 422, None, with(&|raw| raw.record = None)),
        (
            "refers",
            422,
            None,
            raw(&broker.draft(labelled(LabelledKind::Outcome, 1, 2, Some(0))), 2),
        ),
        (
            "clock-skew",
            422,
            None,
            raw(
                &TimedWriter {
                    time: NOW - 1000,
                    ..broker.clone()
                }
                .draft(intent(2)),
                2,
            ),
        ),
    ];
    let before = server.get("/head").await.body;
    for (slug, status, stored, raw) in &cases {
        let got = server.post(std::slice::from_ref(raw)).await;
        assert_eq!(got.status, *status, "{slug}");
        assert_eq!(answers(&got.body), [Err((slug.to_string(), *status, *stored))]);
    }
    assert_eq!(server.get("/head").await.body, before, "nothing was stored");
    assert_eq!(server.get("/records/5").await.status, 401);
    // All of them in one request, before a good one.
    let mut batch: Vec<RawSubmission> = cases.iter().map(|case| case.3.clone()).collect();
    batch.push(good);
    let got = server.post(&batch).await;
    assert_eq!(got.status, 200);
    let mut expected: Vec<_> = cases
        .iter()
        .map(|case| Err((case.0.to_owned(), case.1, case.2)))
        .collect();
    expected.push(Ok(5));
    assert_eq!(answers(&got.body), expected);
    drop(world);
}

#[tokio::test]
async fn bad_requests_are_refused_whole() {
    let (server, _, _) = Server::started().await;
    let post = async |content_type: &str, body: Vec<u8>| {
        server
            .request(Method::POST, "/entries", &[("content-type", content_type)], body)
            .await
            .problem()
    };
    let sequence = "application/cbor-seq";
    assert_eq!(
        post("application/cbor", vec![0x83, 0x40, 0xf6, 0xf6]).await,
        (415, "media-type".into())
    );
    assert_eq!(post("application/cose", vec![0xd2]).await, (415, "media-type".into()));
    assert_eq!(post(sequence, vec![]).await, (400, "malformed".into()));
    assert_eq!(post(sequence, vec![0x83, 0x40, 0xf6]).await, (400, "malformed".into()));
    assert_eq!(
        post(sequence, [0x83, 0x40, 0xf6, 0xf6].repeat(4097)).await,
        (413, "too-large".into())
    );
    assert_eq!(
        post(sequence, vec![0; super::receive::MAX_REQUEST + 1]).await,
        (413, "too-large".into())
    );
    assert_eq!(
        post(sequence, [0x83, 0x40, 0xf6, 0xf6].repeat(2)).await,
        (400, "malformed".into()),
        "an entry is twice in a request"
    );
    // The refusal of a single entry is a problem, too, unless the client asks for a sequence.
    assert_eq!(
        post(sequence, vec![0x83, 0x41, 0x00, 0xf6, 0xf6]).await,
        (400, "malformed".into())
    );
    assert_eq!(server.get("/entries").await.status, 405);
    assert_eq!(server.get("/nothing").await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_full_queue_is_429_with_retry_after() {
    let (server, world, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let two = [raw(&broker.write(intent(1)), 1), raw(&broker.write(intent(2)), 2)];
    let held = server
        .shared
        .log
        .sequenced()
        .unwrap()
        .occupy_queue(world.limits.queue as u32 - 1);
    let got = server.post(&two).await;
    assert_eq!((got.problem(), got.header("retry-after")), ((429, "busy".into()), "1"));
    assert_eq!(answers(&server.post(&two[..1]).await.body), [Ok(4)]);
    drop(held);
    assert_eq!(answers(&server.post(&two).await.body), [Ok(4), Ok(5)]);
}

#[tokio::test]
async fn entries_that_the_log_has_take_no_place_in_the_queue() {
    let (server, world, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let known = [raw(&broker.write(intent(1)), 1), raw(&broker.write(intent(2)), 2)];
    assert_eq!(answers(&server.post(&known).await.body), [Ok(4), Ok(5)]);
    let _held = server
        .shared
        .log
        .sequenced()
        .unwrap()
        .occupy_queue(world.limits.queue as u32);
    assert_eq!(answers(&server.post(&known).await.body), [Ok(4), Ok(5)]);
    let and_new = [&known[..], &[raw(&broker.write(intent(3)), 3)]].concat();
    assert_eq!(server.post(&and_new).await.problem(), (429, "busy".into()));
}

#[tokio::test]
async fn tt_11_the_read_api_is_cacheable_and_open_to_browsers() {
    let (server, _, _) = Server::started().await;
    for (path, content_type, cache) in [
        ("/checkpoint", "text/plain; charset=utf-8", "no-store"),
        ("/head", "text/plain; charset=utf-8", "no-store"),
        (
            "/tile/0/000.p/4",
            "application/octet-stream",
            "public, max-age=31536000, immutable",
        ),
        (
            "/tile/entries/000.p/4",
            "application/octet-stream",
            "public, max-age=31536000, immutable",
        ),
        ("/entries/2/receipt", "text/plain; charset=utf-8", "no-store"),
    ] {
        let got = server.get(path).await;
        assert_eq!(got.status, 200, "{path}");
        assert_eq!(
            (got.header("content-type"), got.header("cache-control")),
            (content_type, cache)
        );
        assert_eq!(got.header("access-control-allow-origin"), "*");
        assert_eq!(got.header("cross-origin-resource-policy"), "cross-origin");
        let head = server.request(Method::HEAD, path, &[], Vec::new()).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), got.body.len().to_string());
        assert_eq!(head.header("etag"), got.header("etag"));
        let tag = got.header("etag");
        for known in [tag, &format!("W/{tag}"), &format!("\"x\", W/{tag}"), "*"] {
            let again = server
                .request(Method::GET, path, &[("if-none-match", known)], Vec::new())
                .await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        }
        let other = server
            .request(Method::GET, path, &[("if-none-match", "\"x\"")], Vec::new())
            .await;
        assert_eq!(other.body, got.body);
    }
    let absent = server.get("/tile/0/001").await;
    assert_eq!((absent.problem().0, absent.header("cache-control")), (404, "no-store"));
    assert_eq!(absent.header("access-control-allow-origin"), "*");
    let preflight = [
        ("origin", "https://example.org"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "if-none-match"),
    ];
    let preflight = server
        .request(Method::OPTIONS, "/checkpoint", &preflight, Vec::new())
        .await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-headers")),
        (200, "if-none-match")
    );
}

#[tokio::test]
async fn tt_1_only_canonical_paths_up_to_the_head_exist() {
    let (server, _, _) = Server::started().await;
    let full = server.get("/tile/0/000.p/4").await.body;
    assert_eq!(full.len(), 4 * 32);
    for width in 1..4 {
        let got = server.get(&format!("/tile/0/000.p/{width}")).await;
        assert_eq!(got.body, full[..width * 32], "partial tiles are virtual");
        assert_eq!(server.get(&format!("/tile/entries/000.p/{width}")).await.status, 200);
    }
    for path in [
        "/tile/0/000",
        "/tile/0/000.p/5",
        "/tile/0/000.p/0",
        "/tile/0/000.p/04",
        "/tile/0/0",
        "/tile/00/000.p/1",
        "/tile/1/000.p/1",
        "/tile/entries/000",
        "/tile/entries/000.p/5",
        "/tile/entries/x000/000.p/1",
        "/tile/0/%3000.p/1",
        "/tile/0/000.p%2F1",
        "/tile/63/000.p/1",
        "/tile/64/000.p/1",
        "/tile/",
        "/tile//0/000.p/1",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_map_entry_that_names_the_newest_sets_and_the_sets_are_served() {
    let world = World {
        map_after: Duration::from_millis(500),
        ..World::new()
    };
    let (shared, _) = world.started(Arc::new(MemoryStore::new())).await;
    let server = Server::of(shared).await;
    let receipt = |body: &[u8]| Receipt::parse(body).unwrap().verify(&policy()).unwrap();
    for (from, indexes) in [("0", &[1, 2][..]), ("1", &[1, 2]), ("2", &[2]), ("3", &[])] {
        let got = server.get(&format!("/trust/sets/{from}")).await;
        assert_eq!((got.status, got.header("content-type")), (200, "application/cbor"));
        let page = SetPage::parse(&got.body).unwrap();
        let served: Vec<u64> = page.sets.iter().map(|set| set.index.get()).collect();
        assert_eq!(served, indexes, "{from}");
        let verdict = policy().verify_checkpoint(page.checkpoint.as_bytes()).unwrap();
        let head = verdict.checkpoint();
        let leaves: Vec<_> = page.sets.iter().map(|set| (set.index, leaf_hash(&set.leaf))).collect();
        if !leaves.is_empty() {
            verify_inclusion_batch(&leaves, head.size, &page.proof, &head.root).unwrap();
        }
        for (set, first) in page.sets.iter().zip(indexes) {
            let expected = &world.founding[usize::try_from(*first).unwrap()];
            assert_eq!(set.leaf, expected.0.bytes());
            assert_eq!([&set.header[..], &set.operations].concat(), expected.1);
        }
    }
    let body = loop {
        let got = server.get("/trust/newest").await;
        if got.status == 200 {
            break got.body;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let Body::Map { newest, .. } = receipt(&body).entry().entry().body else {
        panic!("not a map entry")
    };
    assert_eq!(newest, first_sets());
    for path in ["sets", "sets/01", "sets/-1", "sets/9223372036854775808", "map/1"] {
        assert_eq!(server.get(&format!("/trust/{path}")).await.status, 404, "{path}");
    }
}

/// Entry 4 has a record, and entry 0 has none.
async fn assert_batches_need_a_credential_and_known_entries(server: &Server) {
    let bearer = format!("Bearer {}", credential().to_hex().as_str());
    let ask = async |bearer: &str, body: Vec<u8>| {
        server
            .request(Method::POST, "/records/batch", &[("authorization", bearer)], body)
            .await
    };
    let got = ask(&bearer, record::cbor::to_vec(&[4, u64::MAX, 0])).await;
    assert_eq!(got.status, 200);
    let got: Vec<Option<StoredEntry>> = record::cbor::from_slice(&got.body).unwrap();
    let stored = async |index, record| {
        let got = server.get(&format!("/entries/{index}/receipt")).await;
        let leaf = Receipt::parse(&got.body).unwrap().entry().bytes().to_vec();
        Some(StoredEntry { leaf, record })
    };
    assert_eq!(got, [stored(4, Some(record(1))).await, None, stored(0, None).await]);
    let foreign = format!("Bearer {}", "00".repeat(32));
    assert_eq!(ask(&foreign, record::cbor::to_vec(&[4_u64])).await.problem().0, 401);
    for (status, body) in [
        (400, record::cbor::to_vec(&Vec::<u64>::new())),
        (400, record::cbor::to_vec(&vec![4_u64; 257])),
        (400, b"4".to_vec()),
        (413, vec![0; 5000]),
    ] {
        assert_eq!(ask(&bearer, body).await.status, status);
    }
}

#[tokio::test]
async fn receipts_records_documents_and_heads_are_served() {
    let (server, world, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let entry = broker.write(intent(1));
    server.post(&[raw(&entry, 1)]).await;
    for query in ["", "?witnessed"] {
        let got = server.get(&format!("/entries/4/receipt{query}")).await;
        let verified = Receipt::parse(&got.body).unwrap().verify(&policy()).unwrap();
        assert_eq!((verified.index().get(), verified.entry()), (4, &entry));
    }
    for path in [
        "/entries/5/receipt",
        "/entries/04/receipt",
        "/entries/x/receipt",
        "/entries/-1/receipt",
        "/entries/99999999999999999999/receipt",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/entries/4/receipt?x").await.status, 400);
    let bearer = format!("Bearer {}", credential().to_hex().as_str());
    let with = async |path: &str, bearer: &str| {
        server
            .request(Method::GET, path, &[("authorization", bearer)], Vec::new())
            .await
    };
    let got = with("/records/4", &bearer).await;
    assert_eq!((got.status, got.body), (200, record(1)));
    assert_eq!(
        with("/records/4", &format!("Bearer {}", "00".repeat(32)))
            .await
            .problem()
            .0,
        401
    );
    assert_eq!(server.get("/records/4").await.problem().0, 401);
    assert_eq!(
        (
            with("/records/3", &bearer).await.status,
            with("/records/04", &bearer).await.status
        ),
        (404, 404)
    );
    assert_batches_need_a_credential_and_known_entries(&server).await;
    let digest = world.genesis.digest();
    assert_eq!(
        server.get(&format!("/documents/{digest}")).await.body,
        world.genesis.to_bytes()
    );
    assert_eq!(server.get(&format!("/documents/{}", Hash([0; 32]))).await.status, 404);
    let kid = broker.chain.key.id();
    let (Value::Map(head), []) = take(&server.get(&format!("/writers/{kid}/head")).await.body) else {
        panic!()
    };
    let numbers: Vec<_> = head
        .iter()
        .map(|(key, value)| match value {
            Value::Number(number) => (key.as_str(), *number),
            Value::Bytes(leaf) => (key.as_str(), u64::from(*leaf == entry.leaf_hash().0)),
            _ => panic!(),
        })
        .collect();
    assert_eq!(numbers, [("leaf", 1), ("index", 4), ("sequence", 0)]);
    assert_eq!(
        server
            .get(&format!("/writers/{}/head", TimedWriter::new(STRANGER).chain.key.id()))
            .await
            .status,
        404
    );
    assert_eq!(server.get("/writers/abc/head").await.status, 404);
}
