//! What the device remembers, and what a list says that is old, another person's, or of another log.

use tlog::Hash;
use tlog::merkle::{Size, consistency_proof};

use super::*;
use crate::proof::device::{Contradiction, Visit};
use crate::proof::statement::Consistency;
use crate::proof::verdict::{Caution, OLD, TOO_OLD};

#[test]
fn another_persons_list_is_never_green_on_a_device_that_knows_the_citizen() {
    let log = log_with(2);
    let (own, other) = (proof(&log, &idnr()), proof(&log, &other_person()));
    let mut memory = memory_of(&own);
    assert!(matches!(list_checked(&own, Some(&memory)).verdict, Verdict::Proved(_)));
    let shown = list_checked(&other, Some(&memory));
    let ending = match &shown.verdict {
        Verdict::Caution(proved, Caution::OtherPerson) => proved.ending.clone(),
        verdict => unreachable!("{verdict:?}"),
    };
    assert_eq!(ending, "358");
    assert_eq!(shown.memory.as_ref(), Some(&memory), "only the citizen can say so");
    memory.add_person(&other_person());
    assert!(matches!(
        list_checked(&other, Some(&memory)).verdict,
        Verdict::Proved(_)
    ));
    // An empty list with a proof of another person, under the citizen's own page.
    let document = served("/abrufe", &own);
    let verdict = checked("/abrufe", &document, &other, Some(&memory), 5).verdict;
    assert!(matches!(verdict, Verdict::Failed(Finding::Shown(_))), "{verdict:?}");
}

#[test]
fn an_old_list_is_not_green_and_one_of_yesterday_is_refused() {
    let answer = proof(&log_with(2), &idnr());
    let document = served("/abrufe", &answer);
    let at = |age| checked("/abrufe", &document, &answer, None, age).verdict;
    assert!(matches!(at(OLD), Verdict::Proved(_)));
    assert!(matches!(at(OLD + 1), Verdict::Caution(_, Caution::Old(_))));
    assert!(matches!(at(TOO_OLD + 1), Verdict::Failed(Finding::TooOld(_))));
    let target = &Target::of("/abrufe").unwrap();
    let shown = shown(&document, "/abrufe", target);
    let verdict = check(&shown, &answer.to_bytes(), &device(None, 1_000)).verdict;
    assert!(matches!(verdict, Verdict::Caution(_, Caution::Clock)), "{verdict:?}");
}

fn contradiction(answer: &PageProof, memory: &Memory) -> Option<Contradiction> {
    match list_checked(answer, Some(memory)).verdict {
        Verdict::Failed(Finding::Device(contradiction)) => Some(contradiction),
        _ => None,
    }
}

#[test]
fn a_device_refuses_an_older_state_and_a_past_that_was_rewritten() {
    let mut log = log_with(2);
    let old = proof(&log, &idnr());
    let before = memory_of(&old);
    log.exchange();
    let mut new = proof(&log, &idnr());
    let after = memory_of(&new);
    assert_eq!(contradiction(&old, &after), Some(Contradiction::Older(after.as_of)));

    let unlinked = list_checked(&new, Some(&before)).verdict;
    assert!(
        matches!(unlinked, Verdict::Caution(_, Caution::Unlinked)),
        "{unlinked:?}"
    );
    let size = |memory: &Memory| Size::new(memory.size).unwrap();
    let hashes = consistency_proof(&mut log.tree, size(&before), size(&after)).unwrap();
    new.list.as_mut().unwrap().consistency = Some(Consistency { hashes });
    let grown = list_checked(&new, Some(&before));
    assert!(matches!(grown.verdict, Verdict::Proved(_)), "{:?}", grown.verdict);
    let last = Visit {
        size: before.size,
        as_of: before.as_of,
    };
    let expected = Memory {
        last: Some(last),
        ..after.clone()
    };
    assert_eq!(grown.memory, Some(expected));
    let mut rewritten = before.clone();
    rewritten.root = Hash([9; 32]);
    assert_eq!(
        contradiction(&new, &rewritten),
        Some(Contradiction::Rewritten(before.as_of))
    );
    rewritten.size = after.size;
    assert_eq!(
        contradiction(&new, &rewritten),
        Some(Contradiction::Rewritten(before.as_of))
    );
}

#[test]
fn another_log_and_a_lowered_quorum_are_refused_by_the_device_and_by_the_build() {
    let answer = proof(&log_with(2), &idnr());
    let memory = memory_of(&answer);
    let mut lowered = answer.clone();
    lowered.trust.policy = lowered
        .trust
        .policy
        .lines()
        .filter(|line| !line.starts_with("quorum"))
        .fold(String::new(), |policy, line| policy + line + "\n")
        + "quorum none\n";
    assert_eq!(contradiction(&lowered, &memory), Some(Contradiction::OtherPolicy));
    let other = Memory {
        genesis: Hash([1; 32]),
        ..memory.clone()
    };
    assert_eq!(contradiction(&answer, &other), Some(Contradiction::OtherLog));
    let trust = lowered.trust.parse().unwrap();
    let pins = Pins {
        genesis: None,
        policy: Some(Box::leak(memory.policy.to_string().into_boxed_str())),
    };
    assert_eq!(check_trust(&trust, None, pins), Err(Contradiction::OtherPolicy));
    assert_eq!(check_trust(&answer.trust.parse().unwrap(), None, pins), Ok(()));
}

#[test]
fn what_is_not_a_proof_is_not_green() {
    let answer = proof(&log_with(2), &idnr());
    let document = served("/abrufe", &answer);
    for (failure, verdict) in [
        (Failure::Witnesses, Verdict::Unable(Unable::Unwitnessed)),
        (Failure::TooLong, Verdict::Unable(Unable::TooLong)),
        (Failure::Load, Verdict::Unable(Unable::Load)),
        (Failure::Hidden, Verdict::Failed(Finding::Proof(Failure::Hidden))),
    ] {
        let none = PageProof {
            list: Err(failure),
            ..answer.clone()
        };
        assert_eq!(checked("/abrufe", &document, &none, None, 0).verdict, verdict);
    }
    let bytes = answer.to_bytes();
    let target = &Target::of("/abrufe").unwrap();
    let (memory, now) = (memory_of(&answer), proved(&answer).claim.as_of);
    for at in (0..bytes.len()).step_by(97) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let verdict = check(
            &shown(&document, "/abrufe", target),
            &flipped,
            &device(Some(&memory), now),
        )
        .verdict;
        assert!(!matches!(verdict, Verdict::Proved(_)), "byte {at}: {verdict:?}");
    }
}

#[test]
fn a_memory_is_read_as_it_was_stored_and_shows_no_number() {
    let memory = memory_of(&proof(&log_with(1), &idnr()));
    let text = memory.to_text();
    assert_eq!(Memory::parse(&text), Some(memory));
    assert_eq!(Memory::parse(&text[1..]), None);
    assert_eq!(Memory::parse("ü"), None);
    assert!(!text.contains(idnr().expose()));
}

/// The overview shows what is new since the last visit with this device, and each page of one visit shows the same.
#[test]
fn what_is_new_follows_from_the_last_visit_of_the_device() {
    let mut log = log_with(2);
    let before = memory_of(&proof(&log, &idnr()));
    log.exchange();
    log.map();
    let mut new = proof(&log, &idnr());
    let size = |memory: &Memory| Size::new(memory.size).unwrap();
    let after = memory_of(&new);
    let hashes = consistency_proof(&mut log.tree, size(&before), size(&after)).unwrap();
    new.list.as_mut().unwrap().consistency = Some(Consistency { hashes });
    let shown = |memory: &Memory| {
        let path = "/uebersicht";
        let result = checked(path, &served(path, &new), &new, Some(memory), 5);
        let target = Target::of(path).unwrap();
        let (list, frame) = result.proved.unwrap();
        let page = page(&frame, &target, &list, &result.verdict, Input::default()).unwrap();
        (page.by_id("neu").unwrap().to_html(), result.memory.unwrap())
    };
    let (first, memory) = shown(&before);
    assert!(
        first.contains("Neu seit Ihrem letzten Besuch") && first.matches("data-row").count() == 1,
        "{first}"
    );
    let (second, again) = shown(&memory);
    assert_eq!((first, &memory), (second, &again), "the same visit");
}

/// A changed letter changes every hash up to the root, and the unchanged text gives the root of the checkpoint.
#[test]
fn a_changed_letter_leads_to_another_root() {
    let sample = Sample::new();
    let index = sample.list.accesses[1].first().index;
    let path = sample.list.path(index).unwrap();
    let hashes = path.hashes();
    assert_eq!(hashes.last(), Some(&sample.list.checkpoint.root));
    let reason = path.reason().unwrap().to_owned();
    assert_eq!(path.hashes_with_reason(&reason), Some(hashes.clone()));
    let changed = path.hashes_with_reason(&format!("{reason}!")).unwrap();
    assert_eq!(changed.len(), hashes.len());
    assert!(changed.iter().zip(&hashes).all(|(one, other)| one != other));
    let address = format!("/abrufe/{index}/pruefung");
    let verdict = sample.checked(&address, &sample.served(&address)).verdict;
    let with = |tried| {
        let input = Input {
            tried: Some(tried),
            copied: false,
        };
        page(
            &frame(&address),
            &Target::of(&address).unwrap(),
            &sample.list,
            &verdict,
            input,
        )
        .unwrap()
        .to_html()
    };
    assert!(with(reason.as_str()).contains("Diese Fassung steht im Protokoll."));
    let broken = with("Etwas anderes");
    assert!(broken.contains("Diese Fassung steht nicht im Protokoll.") && broken.contains("ec-node-wrong"));
}
