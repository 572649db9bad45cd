//! Which entries make one access and which do not.

#![allow(clippy::unwrap_used)]
use record::{Outcome, PreviewDecision};

use super::*;
use crate::samples;

fn outcome_with(change: impl FnOnce(&mut OpenedEntry)) -> OpenedEntry {
    let mut outcome = samples::outcome(Outcome::Delivered);
    change(&mut outcome);
    outcome
}

#[test]
fn intent_and_outcome_are_one_access() {
    let access = Access::of(vec![samples::intent(), samples::outcome(Outcome::Delivered)]).unwrap();
    assert_eq!(access.first().index, 17);
    assert_eq!(
        access.stamps().iter().map(|stamp| stamp.index).collect::<Vec<_>>(),
        [17, 19]
    );
    let Access::Exchange(exchange) = access else {
        unreachable!("an exchange")
    };
    assert!(exchange.record.result.is_some());
    assert_eq!(
        exchange.internal_reason.as_deref(),
        Some("Halterdaten stimmen nicht überein")
    );
}

#[test]
fn entries_that_do_not_belong_together_are_refused() {
    let exchange = |opened: &mut OpenedEntry, change: &dyn Fn(&mut ExchangeRecord)| {
        if let Some(SharedPart::Exchange(record)) = &mut opened.shared {
            change(record);
        }
    };
    let other_intent = outcome_with(|outcome| outcome.refers = Some(18));
    let other_provider =
        outcome_with(|outcome| exchange(outcome, &|record| record.provider.name = "Anderes Amt".into()));
    let other_reason = outcome_with(|outcome| exchange(outcome, &|record| record.why.occasion = "anderes".into()));
    let no_result = outcome_with(|outcome| exchange(outcome, &|record| record.result = None));
    let not_an_outcome = outcome_with(|outcome| outcome.kind = Kind::Preview);
    for (second, mismatch) in [
        (other_intent, Mismatch::Refers),
        (other_provider, Mismatch::Content),
        (other_reason, Mismatch::Content),
        (no_result, Mismatch::Kinds),
        (not_an_outcome, Mismatch::Kinds),
        (samples::inspection(), Mismatch::Kinds),
    ] {
        assert_eq!(Access::of(vec![samples::intent(), second]).unwrap_err(), mismatch);
    }
    assert_eq!(Access::of(Vec::new()).unwrap_err(), Mismatch::Kinds);
    assert_eq!(
        Access::of(vec![samples::outcome(Outcome::Delivered)]).unwrap_err(),
        Mismatch::Kinds,
        "an outcome alone"
    );
    assert!(
        Access::of(vec![
            samples::intent(),
            samples::outcome(Outcome::Failed),
            samples::inspection()
        ])
        .is_err()
    );
}

#[test]
fn a_preview_belongs_to_the_access_of_its_intent() {
    let preview = || samples::preview(PreviewDecision::Rejected);
    let closed = || vec![samples::intent(), samples::outcome(Outcome::Delivered)];
    let with = |preview: OpenedEntry| Access::of(closed().into_iter().chain([preview]).collect());
    let access = with(preview()).unwrap();
    assert_eq!(access.indices(), [17, 19, 21]);
    let Access::Exchange(exchange) = access else {
        unreachable!("an exchange")
    };
    assert_eq!(
        exchange.record.preview.map(|preview| preview.decision),
        Some(PreviewDecision::Rejected)
    );
    assert!(exchange.internal_reason.is_some(), "the outcome's reason stays");
    let changed = |change: &dyn Fn(&mut ExchangeRecord)| {
        let mut preview = preview();
        if let Some(SharedPart::Exchange(record)) = &mut preview.shared {
            change(record);
        }
        with(preview).unwrap_err()
    };
    assert_eq!(changed(&|record| record.preview = None), Mismatch::Kinds);
    assert_eq!(
        changed(&|record| record.why.occasion = "anderes".into()),
        Mismatch::Content
    );
    let other_result = samples::result(Outcome::NothingFound);
    assert_eq!(
        changed(&|record| record.result = Some(other_result.clone())),
        Mismatch::Content
    );
    let mut foreign = preview();
    foreign.refers = Some(18);
    assert_eq!(with(foreign).unwrap_err(), Mismatch::Refers);
    assert_eq!(Access::of(vec![preview()]).unwrap_err(), Mismatch::Kinds);
    let mut erased: Vec<OpenedEntry> = closed().into_iter().chain([preview()]).collect();
    erased.iter_mut().for_each(|entry| entry.shared = None);
    assert_eq!(Access::of(erased).unwrap().indices(), [17, 19, 21]);
}

#[test]
fn an_outcome_may_expire_on_another_day() {
    let outcome = outcome_with(|outcome| {
        if let Some(SharedPart::Exchange(record)) = &mut outcome.shared {
            record.lifecycle.expiry.0 += 1;
        }
    });
    assert!(Access::of(vec![samples::intent(), outcome]).is_ok());
}
