//! Keys and their answers across restarts, and their limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use axum::http::HeaderMap;

use super::*;
use crate::consumer::query::ResultState;

const NOW: Timestamp = Timestamp(1_800_000_000);

fn request(letter: &str, body: &[u8]) -> KeyedRequest {
    let mut headers = HeaderMap::new();
    headers.insert(key::HEADER, format!("\"{}\"", letter.repeat(36)).parse().unwrap());
    KeyedRequest::read(&headers, body).unwrap().unwrap()
}

fn result() -> EvidenceResult {
    let evidence = r#"{"title":"Auszug","issued_at":"2026-11-29T08:00:00Z","fields":{"halter":"Kanarienvogel"}}"#;
    EvidenceResult {
        outcome_entry: Some(8),
        evidence: Some(serde_json::from_str(evidence).unwrap()),
        ..EvidenceResult::new(Uuid::from_u128(1), ResultState::Delivered, 7)
    }
}

async fn open(directory: &std::path::Path) -> KeptAnswers {
    KeptAnswers::open(&state::open_file(directory).unwrap()).await.unwrap()
}

async fn kept(answers: &KeptAnswers, keyed: &KeyedRequest, answer: Result<EvidenceResult, Problem>) -> ExchangeKey {
    let key = ExchangeKey::new(keyed, Uuid::from_u128(1), b"message").unwrap();
    answers
        .keep(Some(&key), Uuid::from_u128(1), &answer, NOW)
        .await
        .unwrap();
    key
}

async fn found(answers: &KeptAnswers, keyed: &KeyedRequest) -> Option<Result<serde_json::Value, Problem>> {
    match answers.find(keyed).await {
        Ok(answer) => answer.map(|answer| answer.map(|result| serde_json::to_value(result).unwrap())),
        Err(FindError::Problem(problem)) => Some(Err(problem)),
        Err(FindError::State(error)) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_key_has_the_same_answer_after_a_restart_and_the_file_does_not_show_it() {
    let directory = tempfile::tempdir().unwrap();
    let (keyed, other) = (request("k", b"{}"), request("o", b"{}"));
    let answers = open(directory.path()).await;
    assert!(found(&answers, &keyed).await.is_none());
    let key = kept(&answers, &keyed, Ok(result())).await;
    let closed = Err(closed_without_caller());
    answers
        .keep(Some(&key), Uuid::from_u128(1), &closed, NOW)
        .await
        .unwrap();
    drop(answers);
    let file = std::fs::read(directory.path().join(state::FILE)).unwrap();
    assert!(!String::from_utf8_lossy(&file).contains("Kanarienvogel"));
    let answers = open(directory.path()).await;
    let answer = found(&answers, &keyed).await.unwrap().unwrap();
    assert_eq!(
        answer,
        serde_json::to_value(result()).unwrap(),
        "the first answer stays"
    );
    assert!(found(&answers, &other).await.is_none());
    let reused = found(&answers, &request("k", b"{ }")).await.unwrap().unwrap_err();
    assert_eq!((reused.status, reused.slug.as_str()), (422, "idempotency-key-reused"));
}

#[tokio::test]
async fn without_a_caller_the_evidence_is_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let answers = open(directory.path()).await;
    let keyed = request("k", b"{}");
    let key = ExchangeKey::new(&keyed, Uuid::from_u128(1), b"message")
        .unwrap()
        .without_seal();
    answers
        .keep(Some(&key), Uuid::from_u128(1), &Ok(result()), NOW)
        .await
        .unwrap();
    assert_eq!(
        found(&answers, &keyed).await.unwrap().unwrap_err(),
        closed_without_caller()
    );
}

#[tokio::test]
async fn keys_end_after_a_day_and_are_bounded_in_number_and_size() {
    let directory = tempfile::tempdir().unwrap();
    let answers = open(directory.path()).await;
    let keyed = request("k", b"{}");
    kept(&answers, &keyed, Err(Problem::forbidden("refused", ""))).await;
    answers.sweep(NOW.after(KEY_RETENTION)).await.unwrap();
    assert_eq!(found(&answers, &keyed).await.unwrap().unwrap_err().slug, "refused");
    answers.sweep(NOW.after(KEY_RETENTION + 1)).await.unwrap();
    assert!(found(&answers, &keyed).await.is_none());
    assert_eq!(answers.index().bytes, 0);
    assert!(answers.rows.all().await.unwrap().is_empty() && answers.answers.all().await.unwrap().is_empty());
    let row = |bytes| KeyRow {
        fingerprint: Hash([0; 32]),
        exchange: Uuid::nil(),
        at: NOW,
        bytes,
    };
    answers.index().add([1; 16], row(MAX_BYTES));
    assert_eq!(answers.has_room().unwrap_err().slug, "busy");
    answers.index().add([1; 16], row(1));
    answers.has_room().unwrap();
    for number in 0..u128::try_from(MAX_KEYS).unwrap() {
        answers.index().add(number.to_be_bytes(), row(1));
    }
    assert_eq!(answers.has_room().unwrap_err().slug, "busy");
}
