//! Property test: for any sequence of events, there is no gap and no number is given out twice.
//!
//! The events are requests, uses of labels, passing time, an unavailable ledger, crashes, and callers that hang up.
//! After each run the log holds exactly the numbers 0 … k without a gap, every answered number belongs to one S1, and
//! every provider part verifies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use messages::{LabelAnswer, LabelRequest};
use proptest::prelude::*;
use record::Series;

use super::world::{EMMA, World, blocked, emma};
use crate::log::TransparencyLog as _;

#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    AskAndHangUp(u64),
    AskForNobody,
    RepeatLast,
    Use,
    Wait(u64),
    Sweep,
    Crash,
    LedgerDown,
    LedgerUp,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Ask),
        2 => (0..4000_u64).prop_map(Step::AskAndHangUp),
        1 => Just(Step::AskForNobody),
        2 => Just(Step::RepeatLast),
        4 => Just(Step::Use),
        3 => (1..12_u64).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
        1 => Just(Step::Crash),
        1 => Just(Step::LedgerDown),
        2 => Just(Step::LedgerUp),
    ]
}

struct Run {
    world: World,
    answered: Vec<(LabelRequest, LabelAnswer)>,
    unused: Vec<LabelAnswer>,
    last: Option<LabelRequest>,
}

impl Run {
    async fn ask(&mut self, request: LabelRequest, used_by_broker: bool) {
        if let Ok(answer) = self.world.ask(&request).await {
            if used_by_broker {
                self.unused.push(answer.clone());
            }
            self.answered.push((request.clone(), answer));
        }
        self.last = Some(request);
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Ask => self.ask(self.world.request(&emma()), true).await,
            Step::AskForNobody => self.ask(self.world.request(&blocked()), true).await,
            Step::AskAndHangUp(micros) => {
                let request = self.world.request(&emma());
                let asking = self.world.identity.labels(request.clone());
                let _ = tokio::time::timeout(Duration::from_micros(micros), asking).await;
                self.last = Some(request);
            }
            Step::RepeatLast => {
                if let Some(request) = self.last.clone() {
                    self.ask(request, false).await;
                }
            }
            Step::Use => {
                if let Some(answer) = self.unused.pop() {
                    let kind = record::LabelledKind::Intent;
                    // A void may have come first, or the ledger may be unavailable.
                    let _ = self.world.log.write_labelled(kind, answer.period, answer.intent, None);
                }
            }
            Step::Wait(seconds) => self.world.clock.advance(seconds),
            Step::Sweep => drop(self.world.identity.sweep().await),
            Step::Crash => self.world.restart().await,
            Step::LedgerDown => self.world.log.set_down(true),
            Step::LedgerUp => self.world.log.set_down(false),
        }
    }

    async fn check(mut self) {
        self.world.log.set_down(false);
        self.world.restart().await;
        self.world.clock.advance(11);
        self.world.identity.sweep().await.unwrap();
        // One more exchange succeeds at once, so nothing is stuck.
        let (request, answer) = self.world.exchange(&emma()).await;
        let count = self.world.provider_checks(&request, &answer).number + 1;
        self.answered.push((request, answer));
        self.world.log.refresh().await.unwrap();
        for number in 0..count + 8 {
            let label = self.world.label_of(EMMA, Series::Exchanges, number);
            let located = self.world.log.locate(record::Period(1), &label).unwrap();
            assert_eq!(located.is_some(), number < count, "number {number} of {count}");
        }
        let mut owners: BTreeMap<u32, tlog::Hash> = BTreeMap::new();
        for (request, answer) in &self.answered {
            let content = self.world.provider_checks(request, answer);
            if !content.idnr.is_nobody() {
                let owner = owners.entry(content.number).or_insert(request.s1.digest());
                assert_eq!(
                    *owner,
                    request.s1.digest(),
                    "number {} was given out twice",
                    content.number
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn there_is_no_gap_and_no_number_is_given_out_twice(steps in proptest::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            Arc::get_mut(&mut world.identity).unwrap().wait = Duration::from_millis(20);
            let mut run = Run { world, answered: Vec::new(), unused: Vec::new(), last: None };
            for step in steps {
                run.step(step).await;
            }
            run.check().await;
        });
    }
}
