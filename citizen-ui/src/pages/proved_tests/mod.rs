//! What a page that was changed, or a server that shows something old or foreign, leads to.

#![allow(clippy::unwrap_used)]

use fixtures::sample_log::{SampleLog, idnr};
use record::{Idnr, TestNumbers};

use super::*;
use crate::pages::SessionInfo;
use crate::proof::verify::TrustText;

mod device;
mod tampering;

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
