//! Every page in both languages is a complete document without inline scripts or styles.

#![allow(clippy::unwrap_used)]

use record::Outcome;

use super::*;
use crate::islands::AccessRow;
use crate::language::facts::facts;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::sentence;
use crate::proof::access::Access;
use crate::proof::complete::{Claim, Completeness};
use crate::proof::state::ProofState;
use crate::proof::verify::{Failure, TrustText};
use crate::samples;

fn frame(lang: Lang, session: bool) -> Frame {
    Frame {
        lang,
        path: "/zugriffe?art=abruf&jahr=2026".into(),
        banner: None,
        session: session.then(|| SessionInfo {
            name: "Emma <Muster>".into(),
            seconds: 300,
            idle_end: "14:35".into(),
            end: "15:00".into(),
        }),
        islands: true,
    }
}

fn trust() -> TrustText {
    TrustText {
        policy: "log example.org/log+abc+def\nquorum none\n".into(),
        genesis: "ab".repeat(32),
    }
}

fn access() -> Access {
    Access::of(vec![samples::intent(), samples::outcome(Outcome::Delivered)]).unwrap()
}

fn list_page(lang: Lang, state: ProofState) -> String {
    let access = access();
    let when = LocalTime::of(access.first().time);
    let row = AccessRow {
        entries: access.stamps().iter().map(|stamp| stamp.index).collect(),
        iso: when.iso.clone(),
        when: when.full(lang),
        phrase: sentence(&access, lang),
        state,
    };
    list(
        &frame(lang, true),
        ListPage {
            rows: vec![row],
            unopened: vec![(vec![40, 41], Failure::Proof)],
            filter: ListFilter {
                year: Some(2026),
                authority: Some("Kraftfahrt-Bundesamt".into()),
                kind: Some(AccessKind::Exchange),
            },
            years: vec![2026, 2025],
            authorities: vec!["Kraftfahrt-Bundesamt".into(), "Stadt Musterhausen".into()],
            chosen: 51,
            all: 60,
            page: 2,
            pages: 3,
            page_path: |_, page| format!("/zugriffe?seite={page}"),
            completeness: Completeness::Server(Claim {
                exchanges: 59,
                inspections: 1,
                unused: 0,
                since: Some(1_732_147_200),
                as_of: 1_795_262_400,
                later: 1,
            }),
            listed: (0..60).collect(),
            bundle: true,
            as_of: (1234, "14:03".into()),
            trust: trust(),
        },
    )
}

fn detail_page(lang: Lang) -> String {
    let access = access();
    detail(
        &frame(lang, true),
        DetailPage {
            kind: AccessKind::Exchange,
            entries: vec![17, 19],
            date: "21.11.2026".into(),
            phrase: sentence(&access, lang),
            groups: facts(&access, lang),
            state: ProofState::Server { quorum: true },
            trust: trust(),
        },
    )
}

fn log_page(lang: Lang, state: LogState) -> String {
    log(&frame(lang, false), state, &trust())
}

fn checked_log() -> LogState {
    LogState::Checked {
        origin: "example.org/log".into(),
        size: 1234,
        root: "cd".repeat(32),
        quorum: true,
        witnesses: vec![
            Witness {
                name: "eins".into(),
                signed: Some("21.11.2026, 14:03 Uhr".into()),
            },
            Witness {
                name: "zwei".into(),
                signed: None,
            },
        ],
        checkpoint: "example.org/log\n1234\n".into(),
    }
}

fn all_pages(lang: Lang) -> Vec<String> {
    let open = frame(lang, false);
    vec![
        start(&open),
        start(&frame(lang, true)),
        logged_out(&open),
        login_cancelled(&open),
        recorded(&open),
        verify(&open, "https://log.example", "log …", &"ab".repeat(32)),
        accessibility(&open),
        design(&open),
        log_page(lang, checked_log()),
        log_page(lang, LogState::Unreachable),
        error(&open, ErrorPage::NotFound),
        error(&open, ErrorPage::Assurance),
        error(&open, ErrorPage::Clock),
        list_page(lang, ProofState::Unchecked),
        detail_page(lang),
    ]
}

#[test]
fn every_page_is_a_complete_document_with_nothing_inline() {
    for lang in Lang::ALL {
        for page in all_pages(lang) {
            assert!(page.starts_with("<!DOCTYPE html><html lang=\""), "{page}");
            assert!(page.contains(&format!("<html lang=\"{}\">", lang.code())));
            assert!(page.ends_with("</body></html>"), "{page}");
            assert_eq!(page.matches("<h1").count(), 1, "{page}");
            assert_eq!(page.matches("<main").count(), 1);
            assert!(page.contains("Demonstrator"), "the yellow bar is missing");
            assert!(
                page.contains(&format!(
                    "href=\"/{}/zugriffe?art=abruf&amp;jahr=2026\"",
                    lang.other().code()
                )),
                "{page}"
            );
            for forbidden in ["style=\"", "<style", "<!>", "onclick", "javascript:"] {
                assert!(!page.contains(forbidden), "{forbidden} in {page}");
            }
            assert_eq!(page.matches("<script").count(), 1, "the boot script is the only script");
            assert!(page.contains("<script type=\"module\" src=\"/assets/islands.js\"></script>"));
        }
    }
}

#[test]
fn the_list_shows_sentences_proofs_and_entries_that_are_not_opened() {
    let page = list_page(Lang::De, ProofState::Unchecked);
    // The first periods are destroyed, so the claim begins on a day, and the page gives the reason.
    assert!(
        page.contains("Das sind alle seit 21.11.2024: 59 Abrufe, 1 Einsicht."),
        "{page}"
    );
    assert!(
        page.contains("Ältere Einträge sind nach Ablauf der Frist gelöscht"),
        "{page}"
    );
    for expected in [
        "hat am 21.11.2026 um 14:03 Uhr beim Kraftfahrt-Bundesamt",
        "data-row=\"17\"",
        "data-proof=\"unchecked\"",
        "noch nicht geprüft",
        "id=\"satz-17\"",
        "href=\"/de/zugriffe/17\"",
        "<time datetime=\"2026-11-21T13:03:00Z\">21.11.2026, 14:03 Uhr</time>",
        "Eintrag 40, 41: Der Nachweis passt nicht zum Protokoll.",
        "51 von 60 Einträgen",
        "Seite 2 von 3",
        "href=\"/de/zugriffe?seite=1\"",
        "href=\"/de/zugriffe?seite=3\"",
        "<option value=\"2026\" selected>2026</option>",
        "<option value=\"abruf\" selected>",
        "method=\"post\" action=\"/de/zugriffe/pruefen\"",
        "Emma &lt;Muster&gt;",
        "um 14:35 Uhr abgemeldet",
        "data-component=\"AccessTable",
        "data-component=\"SessionNotice",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    assert!(list_page(Lang::De, ProofState::Server { quorum: true }).contains("vom Server geprüft"));
    assert!(
        !page.contains("in Ihrem Browser geprüft<"),
        "only a browser can claim this"
    );
}

#[test]
fn the_english_list_marks_german_parts() {
    let page = list_page(Lang::En, ProofState::Failed(Failure::Shown));
    assert!(page.contains("<span lang=\"de\">Kraftfahrt-Bundesamt</span>"), "{page}");
    assert!(page.contains("What you see here is not what is proved in the log."));
}

#[test]
fn the_detail_page_shows_every_fact_and_the_files() {
    for lang in Lang::ALL {
        let page = detail_page(lang);
        let facts: usize = facts(&access(), lang).iter().map(|group| group.facts.len()).sum();
        assert_eq!(page.matches("data-fact").count(), facts);
        for index in [17, 19] {
            for file in ["quittung", "oeffnung"] {
                assert!(
                    page.contains(&format!("href=\"/{}/zugriffe/{index}/{file}\"", lang.code())),
                    "{page}"
                );
            }
        }
        assert!(page.contains("data-proof=\"server\""));
    }
}

#[test]
fn the_log_page_shows_which_witnesses_have_cosigned() {
    let page = log_page(Lang::De, checked_log());
    assert!(
        page.contains("data-value=\"size\" class=\"kern-description-list-item__value\">1234<"),
        "{page}"
    );
    assert!(page.contains("data-witness=\"zwei\" data-signed=\"false\""), "{page}");
    assert!(page.contains("genügend Zeugen haben bestätigt"));
    assert!(log_page(Lang::De, LogState::Invalid).contains("Verlassen Sie sich nicht auf ihn."));
}

#[test]
fn a_configured_banner_replaces_the_built_in_one() {
    let frame = Frame {
        banner: Some("Übungsbetrieb".into()),
        ..frame(Lang::De, false)
    };
    let page = start(&frame);
    assert!(page.contains("Übungsbetrieb") && !page.contains("Demonstrator"));
}
