//! What a page that was changed, or a server that shows something old or foreign, leads to.

#![allow(clippy::unwrap_used)]

use fixtures::sample_log::{SampleLog, idnr};
use record::{Idnr, TestNumbers};
use tlog::Hash;
use tlog::merkle::{Size, consistency_proof};

use super::*;
use crate::markup::{Change, Difference, Node, Place, el};
use crate::pages::SessionInfo;
use crate::proof::device::{Contradiction, Visit};
use crate::proof::statement::Consistency;
use crate::proof::verdict::{Caution, OLD, TOO_OLD};
use crate::proof::verify::TrustText;

const SALT: [u8; 16] = [7; 16];

/// The pages that are tried: the list, filtered, its second page; one access, overview, visits, proof, letter.
const PAGES: [&str; 8] = [
    "/abrufe",
    "/abrufe?bei=Kraftfahrt-Bundesamt&sort=aelteste",
    "/abrufe?seite=2",
    "/abrufe/",
    "/uebersicht",
    "/besuche",
    "/abrufe//pruefung",
    "/abrufe//fragen?was=auskunft&nummer=ja",
];
/// How many of them are pages of the list.
const LISTS: usize = 3;

fn log_with(exchanges: usize) -> SampleLog {
    let mut log = SampleLog::new();
    (0..exchanges).for_each(|_| log.exchange());
    log.inspection(0);
    log.map();
    log
}

fn other_person() -> Idnr {
    Idnr::parse("02476291358", TestNumbers::Allowed).unwrap()
}

fn proof(log: &SampleLog, person: &Idnr) -> PageProof {
    PageProof {
        trust: TrustText {
            policy: log.policy(),
            genesis: log.genesis().to_string(),
        },
        list: Ok(ListProof {
            bundle: log.bundle(person).to_bytes().unwrap(),
            later: Vec::new(),
            consistency: None,
        }),
    }
}

fn proved(answer: &PageProof) -> ProvedList {
    let list = answer.list.as_ref().unwrap();
    prove(&list.bundle, &list.later, &answer.trust.parse().unwrap()).unwrap()
}

/// The proof of a citizen with 26 exchanges, verified once.
struct Sample {
    answer: PageProof,
    list: ProvedList,
}

impl Sample {
    fn new() -> Self {
        let answer = proof(&log_with(26), &idnr());
        Self {
            list: proved(&answer),
            answer,
        }
    }

    /// The address of a page; of the first exchange for an access.
    fn path(&self, page: &str) -> String {
        let index = self.list.accesses[1].first().index;
        page.replacen("/abrufe/", &format!("/abrufe/{index}"), 1)
    }

    fn served(&self, path: &str) -> Element {
        served_of(path, &self.list)
    }

    /// Steps 3 to 5, which follow when the proof holds.
    fn checked(&self, path: &str, document: &Element) -> Checked {
        let trust = self.answer.trust.parse().unwrap();
        let proof = self.answer.list.as_ref().unwrap();
        let device = device(None, self.list.claim.as_of + 5);
        let target = &Target::of(path).unwrap();
        check_shown(
            &shown(document, path, target),
            &trust,
            proof,
            self.list.clone(),
            &device,
        )
    }
}

fn shown<'a>(document: &'a Element, path: &'a str, target: &'a Target) -> Shown<'a> {
    Shown {
        document,
        lang: Lang::De,
        path,
        target,
    }
}

fn device(memory: Option<&Memory>, now: u64) -> Device<'_> {
    Device {
        memory,
        pins: Pins::default(),
        now,
        salt: SALT,
    }
}

fn frame(path: &str) -> Frame {
    Frame {
        lang: Lang::De,
        path: path.to_owned(),
        banner: Some("Übungsbetrieb".to_owned()),
        session: Some(SessionInfo {
            name: "Emma <Muster>".to_owned(),
            seconds: 300,
            idle_end: 1_795_266_480,
            end: 1_795_267_980,
            warning: false,
        }),
        script: Some("sha256-AAAA".to_owned()),
        island: false,
    }
}

/// The page as the server sends it.
fn served_of(path: &str, list: &ProvedList) -> Element {
    let server = Verdict::Unchecked(ServerCheck::Complete(list.claim));
    page(
        &frame(path),
        &Target::of(path).unwrap(),
        list,
        &server,
        Input::default(),
    )
    .unwrap()
}

fn served(path: &str, answer: &PageProof) -> Element {
    served_of(path, &proved(answer))
}

fn checked(path: &str, document: &Element, answer: &PageProof, memory: Option<&Memory>, age: u64) -> Checked {
    let as_of = answer.list.as_ref().map_or(0, |_| proved(answer).claim.as_of);
    let target = &Target::of(path).unwrap();
    check(
        &shown(document, path, target),
        &answer.to_bytes(),
        &device(memory, as_of + age),
    )
}

fn list_checked(answer: &PageProof, memory: Option<&Memory>) -> Checked {
    checked("/abrufe", &served("/abrufe", answer), answer, memory, 5)
}

fn memory_of(answer: &PageProof) -> Memory {
    list_checked(answer, None).memory.unwrap()
}

#[test]
fn every_kind_of_page_is_proved_as_the_server_sends_it() {
    let sample = Sample::new();
    for page in PAGES {
        let path = sample.path(page);
        let result = sample.checked(&path, &sample.served(&path));
        assert!(
            matches!(result.verdict, Verdict::Proved(_)),
            "{path}: {:?}",
            result.verdict
        );
    }
    assert_eq!(
        sample.served("/abrufe?seite=2").to_html().matches("data-row").count(),
        1
    );
}

/// Applies `change` to the first element that it accepts.
fn change_first(element: &mut Element, change: &mut dyn FnMut(&mut Element) -> bool) -> bool {
    change(element)
        || element.children.iter_mut().any(|child| match child {
            Node::Element(child) => change_first(child, change),
            Node::Text(_) | Node::Html(_) => false,
        })
}

type Tampering = (&'static str, fn(&mut Element) -> bool);

fn is(element: &Element, name: &str) -> bool {
    element.name == name
}

fn replace_text(element: &mut Element, text: &str) -> bool {
    element.children.clear();
    element.push_text(text);
    true
}

const TAMPERINGS: [Tampering; 10] = [
    ("a time or fact", |element| {
        let leaf = is(element, "time") || is(element, "textarea") || element.name.ends_with(":text");
        leaf && replace_text(element, "01.01.2020, 00:00 Uhr")
    }),
    ("the heading", |element| {
        is(element, "h1") && replace_text(element, "Alles in Ordnung")
    }),
    ("a label", |element| {
        let label = is(element, "dt") || is(element, "label") || is(element, "b") || is(element, "h2");
        label && element.attribute("class") != Some("kern-title") && replace_text(element, "Anderes")
    }),
    ("a name or a sentence", |element| {
        let text = element.text_content();
        let name = is(element, "bdi") && !text.contains("Emma");
        let sentence = is(element, "span") && text.starts_with("Sie haben");
        let check = is(element, "li") && text.starts_with("Er steht");
        (name || sentence || check) && replace_text(element, "Finanzamt")
    }),
    ("the target of a link", |element| {
        let link = |href: &str| href.contains("/abrufe/") || href.contains("/abrufe?") || href.ends_with("/abrufe");
        let link = element.attribute("href").is_some_and(link);
        let href = element.attributes.iter_mut().find(|(name, _)| link && name == "href");
        href.map(|(_, value)| *value = "/de/abrufe/1".to_owned()).is_some()
    }),
    ("hidden content", |element| {
        is(element, "h1") && {
            element.attributes.push(("hidden".into(), String::new()));
            true
        }
    }),
    ("a green box of the server", |element| {
        let verdict = element.attribute("data-verdict").is_some();
        let value = element
            .attributes
            .iter_mut()
            .find(|(name, _)| verdict && name == "class");
        value
            .map(|(_, value)| *value = "kern-alert kern-alert--success".to_owned())
            .is_some()
    }),
    ("a second box", |element| {
        is(element, "main") && {
            let fake = el("div")
                .class("kern-alert kern-alert--success")
                .text("Ihr Browser hat alles geprüft");
            element.children.push(Node::Element(fake));
            true
        }
    }),
    ("a box beside the content", |element| {
        is(element, "header") && {
            element.children.push(Node::Element(el("p").text("Alles geprüft")));
            true
        }
    }),
    ("a style sheet", |element| {
        is(element, "head") && {
            element
                .children
                .push(Node::Element(el("style").text("tr { display: none }")));
            true
        }
    }),
];

#[test]
fn whatever_is_changed_on_a_page_is_refused() {
    let sample = Sample::new();
    for page in PAGES {
        let path = sample.path(page);
        for (what, tamper) in TAMPERINGS {
            let mut document = sample.served(&path);
            assert!(
                change_first(&mut document, &mut |element| tamper(element)),
                "{what} on {path}"
            );
            let result = sample.checked(&path, &document);
            let refused = matches!(&result.verdict, Verdict::Failed(Finding::Shown(_)));
            assert!(
                refused && result.memory.is_none(),
                "{what} on {path}: {:?}",
                result.verdict
            );
        }
    }
}

fn change_rows(document: &mut Element, change: impl FnOnce(&mut Vec<Node>)) {
    let mut change = Some(change);
    change_first(document, &mut |element| {
        let list = element.attribute("class") == Some("ec-rows");
        list && change.take().map(|change| change(&mut element.children)).is_some()
    });
}

#[test]
fn a_row_that_is_dropped_added_or_moved_is_named_on_every_page_of_the_list() {
    let sample = Sample::new();
    for path in &PAGES[..LISTS] {
        let of = |change: fn(&mut Vec<Node>)| {
            let mut document = sample.served(path);
            change_rows(&mut document, change);
            match sample.checked(path, &document).verdict {
                Verdict::Failed(Finding::Shown(found)) => found,
                verdict => unreachable!("{path}: {verdict:?}"),
            }
        };
        let named = |found: &[Difference]| found.iter().all(|one| matches!(one.place, Place::Row(_)));
        let dropped = of(|rows| drop(rows.remove(0)));
        assert!(
            named(&dropped) && matches!(dropped[0].change, Change::Missing(_)),
            "{dropped:?}"
        );
        let doubled = of(|rows| rows.push(rows[0].clone()));
        assert!(
            named(&doubled) && matches!(doubled[0].change, Change::Added(_)),
            "{doubled:?}"
        );
        if !path.ends_with("seite=2") {
            let moved = of(|rows| rows.swap(0, 1));
            assert!(named(&moved) && moved[0].change == Change::Order, "{moved:?}");
        }
    }
}

/// The whole page of another address is sent: the first page for the second one, everything for a filter, one access
/// for another one.
#[test]
fn the_page_of_another_address_is_refused() {
    let sample = Sample::new();
    let detail = |at: usize| format!("/abrufe/{}", sample.list.accesses[at].first().index);
    for (wanted, sent) in [
        ("/abrufe?seite=2".to_owned(), "/abrufe".to_owned()),
        ("/abrufe?q=nichts".to_owned(), "/abrufe".to_owned()),
        ("/besuche".to_owned(), "/abrufe".to_owned()),
        ("/uebersicht".to_owned(), "/besuche".to_owned()),
        (detail(1), detail(2)),
        (format!("{}/pruefung", detail(1)), format!("{}/pruefung", detail(2))),
        (
            format!("{}/fragen?was=auskunft", detail(1)),
            format!("{}/fragen?was=beschweren", detail(1)),
        ),
    ] {
        let verdict = sample.checked(&wanted, &sample.served(&sent)).verdict;
        assert!(
            matches!(verdict, Verdict::Failed(Finding::Shown(_))),
            "{wanted}: {verdict:?}"
        );
    }
}

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
