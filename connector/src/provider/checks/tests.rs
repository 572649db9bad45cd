//! Each check with what it must refuse: one thing changed, the rest consistent. P6 to P8 are in [`content`], the
//! versions of directory and Registerlandkarte in [`trust_in_force`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use messages::xnachweis::{LegalPerson, NaturalPerson, Representative, Subject};
use messages::{AnswerResult, CheckName, FailureReason, ProviderContent, ProviderContext, ProviderPart, S2Statement};
use record::{Idnr, Kind, Label, Outcome, PartKey, Period, Series, SigningKey, TestNumbers};
use registerlandkarte::Interval;
use tlog::Hash;

use super::*;
use crate::fixture::{NOW, OTHER_IDNR, Plan, Prepared, World, id, query, rule};

mod content;
mod trust_in_force;

fn run(prepared: &Prepared, after: u64) -> Result<Checked, CheckFailed> {
    prepared.check(&prepared.world.context("kba"), after)
}

/// The check that refuses what the plan builds, one second after the intent.
fn refused(plan: Plan) -> CheckName {
    run(&plan.build(), 1).unwrap_err().check
}

fn forward(change: impl Fn(&mut Forward) + 'static) -> Plan {
    Plan {
        forward: Box::new(change),
        ..Plan::default()
    }
}

fn part(change: impl Fn(&mut ProviderContent) + 'static) -> Plan {
    Plan {
        content: Box::new(change),
        ..Plan::default()
    }
}

fn flip(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

#[test]
fn a_valid_forward_passes_with_and_without_a_chain_and_for_nobody() {
    for (plan, nobody) in [
        (Plan::default(), false),
        (
            Plan {
                number: 0,
                ..Plan::default()
            },
            false,
        ),
        (
            Plan {
                number: 4095,
                ..Plan::default()
            },
            false,
        ),
        (Plan::nobody(), true),
    ] {
        let prepared = plan.build();
        let checked = run(&prepared, crate::fixture::DEADLINE).unwrap();
        assert_eq!(checked.idnr().is_nobody(), nobody);
        assert_eq!(checked.intent().index(), prepared.intent);
        assert_eq!(checked.permission().rule, rule());
    }
}

#[test]
fn p1_a_changed_or_foreign_receipt_is_refused() {
    for at in [10, 40, 200] {
        let plan = forward(move |forward| flip(&mut forward.intent_receipt, at));
        assert_eq!(refused(plan), CheckName::P1, "byte {at}");
    }
    let mut prepared = Plan::default().build();
    prepared.forward.intent_receipt = prepared.log.receipt_of_other(prepared.intent);
    let failure = run(&prepared, 1).unwrap_err();
    assert_eq!(
        failure,
        CheckFailed {
            check: CheckName::P1,
            why: "the receipt is of another log"
        }
    );
}

#[test]
fn p1_an_entry_of_another_kind_is_refused() {
    let mut prepared = Plan::default().build();
    let completion = prepared.close(None, Outcome::TimedOut);
    prepared.forward.intent_receipt = completion.notice.outcome_receipt;
    assert_eq!(run(&prepared, 1).unwrap_err().check, CheckName::P1);
}

#[test]
fn p1_a_writer_without_the_right_is_refused() {
    let prepared = Plan::default().build();
    let world = World::found(|values| values.writers[0].kinds = vec![Kind::Outcome]);
    let refused = prepared.check(&world.context("kba"), 1);
    assert_eq!(refused.unwrap_err().check, CheckName::P1);
}

#[test]
fn p1_an_intent_older_than_a_minute_or_from_the_future_is_refused() {
    let prepared = Plan::default().build();
    assert!(run(&prepared, 0).is_ok());
    assert_eq!(
        run(&prepared, 60).unwrap_err().check,
        CheckName::P8,
        "not too old, but past the deadline"
    );
    assert_eq!(run(&prepared, 61).unwrap_err().check, CheckName::P1);
    let future = Plan {
        time: NOW.after(100),
        ..Plan::default()
    }
    .build();
    let context = future.world.context("kba");
    let sealing = &future.world.provider_sealing.clone().into();
    let authentic = authenticate(&context, sealing, &future.forward).unwrap();
    assert_eq!(
        authentic.untimely(&future.forward, NOW),
        Some(AnswerResult::Failed(FailureReason::Clock))
    );
    let refused = check(&context, sealing, &future.forward, authentic, NOW);
    assert_eq!(refused.unwrap_err().check, CheckName::P1);
}

#[test]
fn p2_parts_that_the_consumer_did_not_sign_are_refused() {
    assert_eq!(refused(forward(|forward| flip(&mut forward.s2.0, 0))), CheckName::P2);
    assert_eq!(
        refused(forward(|forward| flip(&mut forward.s1.signature.0, 0))),
        CheckName::P2
    );
    assert_eq!(
        refused(forward(|forward| flip(&mut forward.sealed_request, 50))),
        CheckName::P2
    );
    assert_eq!(
        refused(forward(
            |forward| forward.metadata.evidence_type = "zb2".parse().unwrap()
        )),
        CheckName::P2
    );
    assert_eq!(
        refused(forward(|forward| forward.metadata.deadline = NOW.after(9999))),
        CheckName::P2
    );
    assert_eq!(
        refused(forward(|forward| forward.answer_key.0 = [7; 32])),
        CheckName::P2
    );
    assert_eq!(
        refused(forward(|forward| forward.metadata.consumer = id("stadt-b"))),
        CheckName::P2
    );
    assert_eq!(
        refused(forward(|forward| forward.metadata.consumer = id("kba"))),
        CheckName::P2
    );
}

#[test]
fn p2_s1_and_s2_of_two_exchanges_are_refused() {
    let other = Plan::default().build().forward;
    let (s1, s2) = (other.s1.clone(), other.s2);
    assert_eq!(refused(forward(move |forward| forward.s1 = s1.clone())), CheckName::P2);
    assert_eq!(refused(forward(move |forward| forward.s2 = s2)), CheckName::P2);
}

#[test]
fn p2_a_request_for_another_provider_is_refused() {
    let prepared = Plan::default().build();
    let mut context = prepared.world.context("kba");
    context.me = id("other");
    let failure = prepared.check(&context, 1).unwrap_err();
    assert_eq!(
        failure,
        CheckFailed {
            check: CheckName::P2,
            why: "the request is for another provider"
        }
    );
}

#[test]
fn p3_a_part_for_another_label_provider_or_s1_is_refused() {
    let context = |change: fn(&mut ProviderContext)| Plan {
        context: Box::new(change),
        ..Plan::default()
    };
    assert_eq!(
        refused(context(|context| context.label = Label([1; 32]))),
        CheckName::P3
    );
    assert_eq!(
        refused(context(|context| context.provider = id("other"))),
        CheckName::P3
    );
    assert_eq!(refused(context(|context| context.s1 = Hash([1; 32]))), CheckName::P3);
    assert_eq!(
        refused(forward(|forward| flip(&mut forward.for_provider, 100))),
        CheckName::P3
    );
}

#[test]
fn p3_a_part_that_identity_did_not_sign_is_refused() {
    let mut prepared = Plan::default().build();
    let context = prepared.world.context("kba");
    let proved = origin::p1_receipt(&context, &prepared.forward.intent_receipt).unwrap();
    let binding = ProviderContext {
        label: proved.label,
        provider: id("kba"),
        s1: prepared.forward.s1.digest(),
    };
    let part = ProviderPart::open(
        &prepared.forward.for_provider,
        &prepared.world.provider_sealing,
        &binding,
    )
    .unwrap();
    let forged = ProviderPart::sign(part.content, &binding, &SigningKey::from_seed([99; 32]));
    prepared.forward.for_provider = forged
        .seal(&binding, &prepared.world.provider_sealing.public())
        .unwrap();
    let failure = run(&prepared, 1).unwrap_err();
    let why = "identity did not sign its part for this label, provider and S1";
    assert_eq!(
        failure,
        CheckFailed {
            check: CheckName::P3,
            why
        }
    );
}

#[test]
fn p3_the_part_of_another_exchange_is_refused() {
    let other = Plan {
        number: 12,
        ..Plan::default()
    }
    .build()
    .forward
    .for_provider;
    assert_eq!(
        refused(forward(move |forward| forward.for_provider = other.clone())),
        CheckName::P3
    );
}

#[test]
fn p4_proofs_that_do_not_give_the_label_are_refused() {
    assert_eq!(refused(part(|content| flip(&mut content.vrf_proof, 70))), CheckName::P4);
    assert_eq!(refused(part(|content| content.number = 12)), CheckName::P4);
    assert_eq!(refused(part(|content| content.period = Period(4))), CheckName::P4);
    assert_eq!(
        refused(part(|content| content.series = Series::DelayedExchanges)),
        CheckName::P4
    );
    assert_eq!(
        refused(part(|content| flip(&mut content.chain[1].vrf_proof, 70))),
        CheckName::P4
    );
    let other = Idnr::parse(OTHER_IDNR, TestNumbers::Allowed).unwrap();
    assert_eq!(
        refused(part(move |content| content.idnr = other.clone())),
        CheckName::P4
    );
    // A proof that holds, but for another number of the person.
    let plan = part(|content| {
        content.vrf_proof = content.chain[0].vrf_proof;
        content.number = content.chain[0].number;
    });
    assert_eq!(refused(plan), CheckName::P4);
}

#[test]
fn p4_numbers_and_series_that_no_exchange_has_are_refused() {
    assert_eq!(
        refused(Plan {
            number: 4096,
            ..Plan::default()
        }),
        CheckName::P4
    );
    assert_eq!(
        refused(Plan {
            series: Series::Inspections,
            ..Plan::default()
        }),
        CheckName::P4
    );
}

#[test]
fn p4_a_key_that_the_period_does_not_begin_with_is_refused() {
    assert_eq!(
        refused(part(|content| flip(&mut content.period_begin.leaf, 90))),
        CheckName::P4
    );
    assert_eq!(refused(part(|content| content.period_begin.index += 1)), CheckName::P4);
    assert_eq!(
        refused(part(|content| content.period_begin = content.chain[0].entry.clone())),
        CheckName::P4
    );
    assert_eq!(
        refused(part(|content| flip(&mut content.checkpoint, 30))),
        CheckName::P4
    );
    let mut prepared = Plan::default().build();
    let context = prepared.world.context("kba");
    let begun = Plan {
        start: NOW.after(121),
        ..Plan::default()
    };
    assert_eq!(refused(begun), CheckName::P4, "not begun");
    let other = prepared.log.checkpoint_of_other();
    prepared = part(move |content| content.checkpoint = other.clone().into_bytes()).build();
    assert_eq!(
        prepared.check(&context, 1).unwrap_err().check,
        CheckName::P4,
        "another log"
    );
}

#[test]
fn p5_a_chain_with_gaps_surplus_or_for_nobody_is_refused() {
    let removed = part(|content| {
        content.chain.remove(1);
    });
    assert_eq!(refused(removed), CheckName::P5);
    assert_eq!(refused(part(|content| content.chain.clear())), CheckName::P5);
    assert_eq!(refused(part(|content| content.chain.swap(0, 1))), CheckName::P5);
    let surplus = part(|content| content.chain.push(content.chain[2].clone()));
    assert_eq!(refused(surplus), CheckName::P5);
    let mut nobody = Plan::nobody();
    nobody.content = Box::new(|content| {
        let (number, vrf_proof, entry) = (content.number, content.vrf_proof, content.period_begin.clone());
        content.chain.push(messages::ChainLink {
            number,
            vrf_proof,
            entry,
        });
    });
    assert_eq!(refused(nobody), CheckName::P5);
}

#[test]
fn p5_links_that_are_not_in_the_log_are_refused() {
    assert_eq!(
        refused(part(|content| flip(&mut content.chain[0].entry.leaf, 90))),
        CheckName::P5
    );
    assert_eq!(
        refused(part(|content| content.chain[1].entry.index += 1)),
        CheckName::P5
    );
    assert_eq!(
        refused(part(|content| content.chain[2].entry.hashes[0] = Hash([0; 32]))),
        CheckName::P5
    );
    let exchanged = part(|content| content.chain[1].entry = content.chain[2].entry.clone());
    assert_eq!(refused(exchanged), CheckName::P5, "an entry with another label");
    assert_eq!(
        refused(part(|content| content.chain[1].entry = content.period_begin.clone())),
        CheckName::P5
    );
    assert_eq!(
        refused(Plan {
            links: Kind::Inspection,
            ..Plan::default()
        }),
        CheckName::P5,
        "another kind"
    );
}

#[test]
fn p2_another_provider_in_the_signed_metadata_is_refused() {
    let mut prepared = Plan::default().build();
    let forward = &mut prepared.forward;
    forward.metadata.provider = id("other");
    forward.s2 = S2Statement::new(
        &forward.metadata,
        forward.answer_key,
        &forward.sealed_request,
        &forward.s1,
    )
    .sign(&prepared.world.consumer);
    assert_eq!(run(&prepared, 1).unwrap_err().check, CheckName::P2);
}

#[test]
fn a_late_forward_is_authentic_and_too_late() {
    let prepared = Plan::default().build();
    let context = prepared.world.context("kba");
    let sealing = &prepared.world.provider_sealing.clone().into();
    let authentic = authenticate(&context, sealing, &prepared.forward).unwrap();
    for (after, late) in [(30, false), (31, true), (3600, true)] {
        let result = authentic.untimely(&prepared.forward, NOW.after(after));
        assert_eq!(result, late.then_some(AnswerResult::TimedOut), "{after}");
    }
}
