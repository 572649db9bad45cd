#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::*;
use super::*;
use crate::rules::testing::*;

#[tokio::test]
async fn many_answers_are_a_stream_and_few_are_one_body() {
    let (server, _, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let raws: Vec<_> = (0..100).map(|label| raw(&broker.write(intent(label)), label)).collect();
    let (few, many) = raws.split_at(CHUNK);
    let got = server.post(few).await;
    assert_eq!(got.header("content-length"), got.body.len().to_string());
    assert_eq!(answers(&got.body), (4..36).map(Ok).collect::<Vec<_>>());
    let got = server.post(many).await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/cbor-seq"));
    assert_eq!(got.header("transfer-encoding"), "chunked");
    assert_eq!(answers(&got.body), (36..104).map(Ok).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_keeps_the_order_and_is_produced_while_it_is_read() {
    let (server, _, _) = Server::started().await;
    let shared = server.shared.clone();
    let entry = raw(&TimedWriter::new(BROKER).write(intent(1)), 1);
    server.post(std::slice::from_ref(&entry)).await;
    let submission = Arc::new(shared.checker.check(vec![entry], None).pop().unwrap().unwrap());
    let snapshot = shared.log.snapshot();
    let pieces = 3 * PREFETCH_DEPTH;
    // Outcomes for the entry itself and for the four entries before it.
    let outcomes = (0..(pieces * CHUNK) as u64).map(|number| match number % 5 {
        4 => (Some(submission.clone()), Outcome::Recorded(4)),
        index => (None, Outcome::Recorded(index)),
    });
    let submissions = pieces * CHUNK / 5;
    let mut stream = AnswerBuilder { shared, snapshot }
        .stream(outcomes.collect())
        .into_data_stream();
    let mut all = stream.next().await.unwrap().unwrap().to_vec();
    assert_eq!(answers(&all).len(), CHUNK);
    let not_made = submissions - (PREFETCH_DEPTH + 1) * CHUNK / 5 - 1;
    assert!(
        Arc::strong_count(&submission) > not_made,
        "all answers were produced at once"
    );
    while let Some(piece) = stream.next().await {
        all.extend(piece.unwrap());
    }
    let expected: Vec<_> = (0..(pieces * CHUNK) as u64).map(|number| Ok(number % 5)).collect();
    assert_eq!(answers(&all), expected);
}

#[tokio::test]
async fn a_client_that_stops_reading_loses_the_answers_but_not_the_entries() {
    let (server, _, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let raws: Vec<_> = (0..200).map(|label| raw(&broker.write(intent(label)), label)).collect();
    let request = server.client.post(format!("{}/entries", server.url));
    let request = request
        .header("content-type", "application/cbor-seq")
        .body(sequence(&raws));
    let mut response = request.send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    let got = server.post(&raws).await;
    assert_eq!(
        answers(&got.body),
        (4..204).map(Ok).collect::<Vec<_>>(),
        "the same indices"
    );
}
