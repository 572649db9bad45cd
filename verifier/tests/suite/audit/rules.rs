//! Logs that sign entries that break a rule.

use record::{Body, LabelledKind, Period, PeriodEvent, Phase, ReferenceKind, RetentionClass, Series, Timestamp};
use tlog::Hash;
use tlog::merkle::Index;
use verifier::audit::TOLERANCE;

use super::{findings, small};
use fixtures::sample_log::exchanges::labelled;
use fixtures::sample_log::{START, SampleLog};

/// Each broken rule is found in the entry that breaks it.
#[test]
fn broken_rules_are_found() {
    type Break = fn(&mut SampleLog) -> u64;
    let cases: [(&str, Break); 19] = [
        ("may not write the kind", |log| {
            let (roots, newest) = (vec![(Period::MAP0, Hash([0; 32]))], log.newest());
            log.append_broker(Body::Map { roots, newest })
        }),
        ("closed already", |log| {
            let (intent, number) = log.intent();
            log.outcome(intent, number);
            log.lost(intent)
        }),
        ("its label does not follow from that of its intent", |log| {
            let (intent, _) = log.intent();
            log.outcome(intent, 901)
        }),
        ("its label does not follow from that of its intent", |log| {
            let (intent, number) = log.intent();
            let label = log.label_of(number, Series::Exchanges, Phase::Outcome).0;
            let commitment = record::Commitment(Hash([0; 32]));
            log.append_broker(labelled(LabelledKind::Preview, label, commitment, Some(intent)))
        }),
        ("not an earlier intent", |log| {
            let denial = log.denial();
            log.outcome(denial, 900)
        }),
        ("not an earlier intent", |log| {
            let next = log.size().get() + 1;
            log.outcome(next, 900)
        }),
        ("not an earlier intent", |log| log.lost(1)),
        ("its label is already in the map of period 1", |log| {
            log.intent_numbered(500);
            log.intent_numbered(500)
        }),
        ("recomputed", |log| {
            let roots = vec![(Period::MAP0, Hash([0; 32])), (Period(1), Hash([0; 32]))];
            let newest = log.newest();
            log.append_ledger(Body::Map { roots, newest })
        }),
        ("is missing", |log| {
            let (roots, newest) = (vec![(Period::MAP0, Hash([0; 32]))], log.newest());
            log.append_ledger(Body::Map { roots, newest })
        }),
        ("which is not open", |log| {
            let roots = vec![
                (Period::MAP0, Hash([0; 32])),
                (Period(1), Hash([0; 32])),
                (Period(2), Hash([0; 32])),
            ];
            let newest = log.newest();
            log.append_ledger(Body::Map { roots, newest })
        }),
        ("has not begun", |log| {
            let label = log.label_of(800, Series::Exchanges, Phase::Intent).0;
            let mut body = labelled(LabelledKind::Intent, label, record::Commitment(Hash([0; 32])), None);
            if let Body::Labelled { period, .. } = &mut body {
                *period = Period(7);
            }
            log.append_broker(body)
        }),
        ("outside of its period", |log| {
            log.now = START - 200;
            log.intent().0
        }),
        ("before an earlier entry's", |log| {
            log.now = START - TOLERANCE - 60;
            log.denial()
        }),
        ("but the last one was 1", |log| {
            let event = PeriodEvent::Begin {
                vrf_key: [1; 32],
                start: Timestamp(START + 10),
            };
            log.append_identity(Body::Period {
                period: Period(3),
                event,
            })
        }),
        ("not after the one before it", |log| {
            let event = PeriodEvent::Begin {
                vrf_key: [1; 32],
                start: Timestamp(START),
            };
            log.append_identity(Body::Period {
                period: Period(2),
                event,
            })
        }),
        ("less than 35 days", |log| {
            let event = PeriodEvent::Final { root: Hash([0; 32]) };
            log.append_identity(Body::Period {
                period: Period(1),
                event,
            })
        }),
        ("not final, or destroyed already", |log| {
            log.append_identity(Body::Period {
                period: Period(1),
                event: PeriodEvent::Destroyed,
            })
        }),
        ("not a hold in force", |log| {
            let refers = Index::new(4).unwrap();
            log.append_operator(Body::Reference {
                kind: ReferenceKind::HoldRelease,
                refers,
            })
        }),
    ];
    for (what, break_it) in cases {
        let mut log = small();
        let index = break_it(&mut log);
        let found = findings(&log);
        let named = |finding: &&String| finding.contains(&format!("entry {index}:")) && finding.contains(what);
        assert!(
            found.iter().any(|finding| named(&finding)),
            "{what}, entry {index}: {found:?}"
        );
    }
}

/// A log whose first period is final.
fn small_and_final() -> SampleLog {
    const MONTH: u64 = 31 * 24 * 3600;
    let mut log = small();
    let begin = PeriodEvent::Begin {
        vrf_key: [1; 32],
        start: Timestamp(START + MONTH),
    };
    log.now = START + MONTH - 24 * 3600;
    log.append_identity(Body::Period {
        period: Period(2),
        event: begin,
    });
    log.map();
    log.now = START + MONTH + 35 * 24 * 3600;
    let root = log.root_of(Period(1));
    log.append_identity(Body::Period {
        period: Period(1),
        event: PeriodEvent::Final { root },
    });
    log.close(Period(1));
    log.map();
    log
}

/// A period from its begin to its destruction, with all rules kept.
#[test]
fn a_final_period_is_sound_and_closed() {
    // It may be destroyed on the day after its last record has expired, and not a day earlier.
    let destroyed = |days_early: u64| {
        let mut log = small_and_final();
        let last_day = RetentionClass::last_expiry(Timestamp(log.now));
        log.now = last_day.end().0 - days_early * 24 * 3600;
        let index = log.append_identity(Body::Period {
            period: Period(1),
            event: PeriodEvent::Destroyed,
        });
        log.map();
        (log, index)
    };
    let (early, index) = destroyed(1);
    let found = findings(&early).join("; ");
    assert!(
        found.contains(&format!("entry {index}: period 1 is destroyed before")),
        "{found}"
    );
    let (mut log, _) = destroyed(0);
    assert_eq!(findings(&log), [""; 0]);
    let late = log.intent().0;
    let found = findings(&log);
    assert!(
        found.iter().any(|finding| finding.contains("which is final")),
        "{late}: {found:?}"
    );
}

#[test]
fn a_period_is_not_final_with_an_open_intent_or_another_root() {
    let mut log = small();
    let (intent, _) = log.intent();
    let event = PeriodEvent::Final { root: Hash([1; 32]) };
    let index = log.append_identity(Body::Period {
        period: Period(1),
        event,
    });
    let found = findings(&log).join("\n");
    assert!(found.contains(&format!("while the intent {intent} is open")), "{found}");
    assert!(found.contains(&format!("entry {index}: final root")), "{found}");
}

#[test]
fn entries_that_no_map_covers_in_time_are_found() {
    let mut log = small();
    let index = log.denial();
    assert_eq!(findings(&log), [""; 0]);
    log.now += TOLERANCE + 60;
    let found = findings(&log);
    assert!(
        found[0].contains(&format!("entry {index}: no map entry covers it")),
        "{found:?}"
    );
}
