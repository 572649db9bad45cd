//! Tests of the writer with a ledger that fails, forgets and lies at random.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::common::bench::{Bench, simulate};
use crate::common::log::START;
use crate::common::{InjectedFault, TokioClock, labelled, start_writer};
use ledger_client::recorded::{Inspection, Intent, Void};
use ledger_client::{AppendError, Draft, Recorded, Writer};
use proptest::prelude::*;
use record::{Body, Kind, LabelledKind};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Much longer than the outages of any test.
const LONG: Duration = Duration::from_secs(600);

#[derive(Debug, Clone)]
struct Call {
    at: u16,
    kind: LabelledKind,
    /// Calls with the same number and different kinds have the same label.
    number: u64,
}

impl Call {
    fn body(&self) -> Body {
        labelled(self.kind, self.number)
    }

    async fn run(&self, writer: &Writer) -> Result<(u64, Body), AppendError> {
        let draft = Draft::now(self.body());
        match self.kind {
            LabelledKind::Intent => outcome(writer.append::<Intent>(draft, None, None).await),
            LabelledKind::Void => outcome(writer.append::<Void>(draft, None, None).await),
            _ => outcome(writer.append::<Inspection>(draft, None, None).await),
        }
    }
}

fn outcome<K>(answer: Result<Recorded<K>, AppendError>) -> Result<(u64, Body), AppendError> {
    answer.map(|recorded| (recorded.index().get(), recorded.entry().body.clone()))
}

fn calls(most: usize) -> impl Strategy<Value = Vec<Call>> {
    // The broker has no right to write inspections.
    let kind = prop_oneof![
        6 => Just(LabelledKind::Intent),
        4 => Just(LabelledKind::Void),
        1 => Just(LabelledKind::Inspection),
    ];
    let call = (0..20_000_u16, kind, 0..40_u64).prop_map(|(at, kind, number)| Call { at, kind, number });
    prop::collection::vec(call, 1..most)
}

fn failure() -> impl Strategy<Value = InjectedFault> {
    prop_oneof![
        4 => Just(InjectedFault::None),
        2 => Just(InjectedFault::NotConnected),
        2 => Just(InjectedFault::LoseRequest),
        3 => Just(InjectedFault::LoseAnswer),
        1 => Just(InjectedFault::Busy),
        2 => Just(InjectedFault::Half),
        1 => Just(InjectedFault::TooLarge),
        2 => (0..8000_u16).prop_map(InjectedFault::Slow),
    ]
}

fn lie() -> impl Strategy<Value = InjectedFault> {
    prop_oneof![
        3 => failure(),
        1 => Just(InjectedFault::DamagedReceipt),
        1 => Just(InjectedFault::OtherReceipt),
        1 => Just(InjectedFault::OtherIndex),
        1 => Just(InjectedFault::Swapped),
        1 => Just(InjectedFault::ShortAnswer),
        1 => Just(InjectedFault::FalseRefusal),
        1 => Just(InjectedFault::FalseChain),
    ]
}

type Answers = Vec<(Call, Result<(u64, Body), AppendError>)>;

/// Runs each call at its time, and waits for all answers.
async fn run_all(writer: &Writer, calls: &[Call]) -> Answers {
    let begin = Instant::now();
    let running: Vec<_> = calls
        .iter()
        .map(|call| {
            let (call, writer) = (call.clone(), writer.clone());
            tokio::spawn(async move {
                sleep_until(begin + Duration::from_millis(call.at.into())).await;
                let answer = timeout(LONG, call.run(&writer))
                    .await
                    .expect("an answer before the timeout");
                (call, answer)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await.unwrap());
    }
    answers
}

/// Checks that the log has every label at most once. The fake ledger itself checks that chains have no gaps.
fn assert_once(bench: &Bench) {
    let bodies: Vec<Body> = bench.ledger.with(|log| {
        let all = 0..log.leaves.len() as u64;
        all.map(|index| log.entry(index).entry().body.clone()).collect()
    });
    let labels: Vec<_> = bodies.iter().filter_map(Body::map_key).collect();
    let distinct: BTreeSet<_> = labels.iter().map(|(period, label)| (period.0, label.0)).collect();
    assert_eq!(distinct.len(), labels.len(), "a label is in the log twice");
}

fn assert_true(bench: &Bench, answers: &Answers) {
    let mut by_body: BTreeMap<String, u64> = BTreeMap::new();
    for (call, answer) in answers {
        if let Ok((index, body)) = answer {
            assert_eq!(*body, call.body());
            assert_eq!(bench.positions(body), [*index], "not at the index of the receipt");
            let before = by_body.insert(format!("{body:?}"), *index);
            assert!(before.is_none_or(|before| before == *index));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_writer_survives_a_failing_ledger(calls in calls(40), faults in prop::collection::vec(failure(), 0..25)) {
        let bench = Bench::new();
        let answers = simulate(async {
            let writer = bench.writer();
            bench.ledger.script(faults);
            let answers = run_all(&writer, &calls).await;
            assert!(writer.alarm().is_none(), "{:?}", writer.alarm());
            answers
        });
        assert_once(&bench);
        assert_true(&bench, &answers);
        for (call, answer) in &answers {
            let there = !bench.positions(&call.body()).is_empty();
            match answer {
                Ok(_) => assert!(there && call.kind != LabelledKind::Inspection),
                // Another call may have recorded the same body.
                Err(AppendError::GivenUp) => assert_eq!(call.body().kind(), Kind::Intent),
                Err(AppendError::LabelUsed) => assert!(!there),
                Err(AppendError::Refused(_)) => assert!(!there && call.kind == LabelledKind::Inspection),
                Err(other) => panic!("{other:?}"),
            }
        }
        let given_up = answers.iter().filter(|(_, answer)| matches!(answer, Err(AppendError::GivenUp)));
        for (call, _) in given_up {
            let others = answers.iter().any(|(other, answer)| other.body() == call.body() && answer.is_ok());
            assert!(others || bench.positions(&call.body()).is_empty(), "given up, but in the log");
        }
    }

    #[test]
    fn the_writer_does_not_accept_lies(calls in calls(30), faults in prop::collection::vec(lie(), 0..25)) {
        let bench = Bench::new();
        let answers = simulate(async {
            let writer = bench.writer();
            bench.ledger.script(faults);
            run_all(&writer, &calls).await
        });
        assert_once(&bench);
        assert_true(&bench, &answers);
    }

    #[test]
    fn restarts_lose_nothing_and_write_nothing_twice(
        calls in calls(30),
        faults in prop::collection::vec(failure(), 0..20),
        lives in prop::collection::vec(1..15_000_u64, 1..4),
    ) {
        let bench = Bench::new();
        bench.ledger.script(faults);
        let mut open = calls;
        let mut recorded = Vec::new();
        let mut now = START;
        // Each life but the last ends with a crash: the runtime is dropped while calls are in progress.
        for life in lives.iter().copied().map(Some).chain([None]) {
            let answers = Arc::new(std::sync::Mutex::new(Vec::new()));
            simulate(async {
                let writer = start_writer(&bench.ledger, bench.dir.path(), TokioClock::starting_at(now));
                let begin = Instant::now();
                let work: Vec<_> = open.iter().cloned().map(|call| {
                    let (writer, answers) = (writer.clone(), answers.clone());
                    tokio::spawn(async move {
                        sleep_until(begin + Duration::from_millis(u64::from(call.at) / 2)).await;
                        let answer = call.run(&writer).await;
                        answers.lock().unwrap().push((call, answer));
                    })
                }).collect();
                match life {
                    Some(life) => sleep(Duration::from_millis(life)).await,
                    None => {
                        for call in work {
                            timeout(LONG, call).await.expect("an answer before the timeout").unwrap();
                        }
                    }
                }
                assert!(writer.alarm().is_none(), "{:?}", writer.alarm());
                now += begin.elapsed().as_secs() + 1;
            });
            let answers = std::mem::take(&mut *answers.lock().unwrap());
            let answered: Vec<Body> = answers.iter().map(|(call, _)| call.body()).collect();
            // Like the broker, the test appends the bodies without an answer again.
            open.retain(|call| !answered.contains(&call.body()));
            recorded.extend(answers);
        }
        assert_once(&bench);
        assert_true(&bench, &recorded);
        assert!(open.is_empty());
    }
}
