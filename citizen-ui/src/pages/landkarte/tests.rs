//! The Registerlandkarte of a small log, as of two days.

#![allow(clippy::unwrap_used)]

use fixtures::sample_log::{START, SampleLog};
use fixtures::values;
use record::{LegalDay, Timestamp};
use registerlandkarte::{Interval, RuleId};
use trust::{Operation, TrustKind, Value, Version};

use super::*;
use crate::language::lang::Lang;
use crate::pages::Frame;

const DAY: u64 = 86_400;

fn frame(lang: Lang) -> Frame {
    Frame {
        lang,
        path: "/registerlandkarte".into(),
        banner: None,
        session: None,
        script: Some("sha256-AAAA".into()),
        island: false,
    }
}

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

/// A log whose second version of the Registerlandkarte has two permissions, one of them until two days later.
fn log() -> SampleLog {
    let mut log = SampleLog::new();
    log.now = START + DAY;
    let evidence = values::evidence("anschrift", "Derzeitige Anschrift", &["Straße", "Ort"]);
    let address = values::rule("wohnen", "anschrift", "wohngeld", "Antrag auf <Wohngeld>");
    let mut ended = values::rule("fahren", "anschrift", "kfz", "Zulassung eines Autos");
    ended.valid = Interval {
        from: ended.valid.from,
        until: Some(Timestamp(START + 3 * DAY)),
    };
    let operations = vec![
        put(&Value::Evidence(Box::new(evidence))),
        put(&Value::Permission(address.into())),
        put(&Value::Permission(ended.into())),
    ];
    log.change(TrustKind::Registerlandkarte, operations);
    log
}

fn map(log: &SampleLog) -> Landkarte {
    let history = log.trust();
    let set = history.newest(TrustKind::Registerlandkarte).unwrap();
    let source = Source {
        version: set.version.0,
        header: set.header,
        root: set.root,
        entry: set.position.index.get(),
        published: set.position.time,
    };
    let whole = |kind, version: Version| history.map_of(kind, version).unwrap();
    let directory = history.newest(TrustKind::Directory).unwrap().version;
    Landkarte::of(
        source,
        &whole(TrustKind::Directory, directory),
        &whole(TrustKind::Registerlandkarte, set.version),
    )
}

#[test]
fn the_list_has_sentences_of_the_permissions_that_are_valid_and_found() {
    let map = map(&log());
    let shown = |query: &str, at: u64, lang| list(&frame(lang), &map, &LandkarteQuery::parse(query), Timestamp(at));
    let rows = |query: &str, at| shown(query, at, Lang::De).matches("data-permission=").count();
    assert_eq!((rows("", START + 2 * DAY), rows("", START + 4 * DAY)), (2, 1));
    assert_eq!(rows("q=Wer+darf+meine+Anschriften+sehen", START + 2 * DAY), 2);
    assert_eq!(rows("q=auto", START + 2 * DAY), 1);
    assert_eq!(rows("recht=StVO&bei=register&wer=klasse", START + 2 * DAY), 2);
    assert_eq!(rows("recht=WoGG", START + 2 * DAY), 0);
    let page = shown("seite=9", START + 2 * DAY, Lang::De);
    for expected in [
        "<span>Als </span><bdi>Klasse</bdi><span> darf eine Stelle aus dem Register „</span><bdi>Register</bdi>",
        "<bdi>Antrag auf &lt;Wohngeld&gt;</bdi>",
        "Daten: <bdi>Straße, Ort</bdi>",
        "Gesetz: <bdi>§ 45 Absatz 1b StVO</bdi>",
        "keine Rechtsberatung",
        &map.source.header.to_string(),
        &format!("href=\"/de/protokoll/eintrag/{}\"", map.source.entry),
        "href=\"/de/registerlandkarte/erlaubnis/wohnen@1\"",
        "href=\"/de/registerlandkarte.csv\"",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    let english = shown("", START + 2 * DAY, Lang::En);
    assert!(
        english.contains("A body may, as “</span><bdi lang=\"de\">Klasse</bdi>"),
        "{english}"
    );
    assert!(
        !page.contains("<script"),
        "the page proves nothing, so it needs no program"
    );
}

#[test]
fn a_permission_shows_what_it_says_its_law_and_its_history() {
    let map = map(&log());
    let name: RuleId = "fahren".parse().unwrap();
    let rule = map.tables().permissions.iter().find(|rule| rule.id == name).unwrap();
    let event = |entry, put| Event {
        entry,
        time: Timestamp(START),
        version: 2,
        of_permission: 1,
        put,
    };
    let events = [event(5, true), event(9, true), event(12, false)];
    let query = LandkarteQuery::parse("stand=2026-09-23");
    let content = |at| PermissionPage {
        map: &map,
        rule,
        events: &events,
        query: &query,
        at: Timestamp(at),
    };
    let valid = permission(&frame(Lang::De), &content(START + 2 * DAY));
    for expected in [
        "In unseren Worten: <bdi>Beispielnorm</bdi>",
        "Erlaubnis 1 eingetragen",
        "Erlaubnis 1 geändert",
        "Erlaubnis 1 gestrichen",
        "href=\"/de/registerlandkarte/behoerdenart/klasse?stand=2026-09-23\"",
        "href=\"/de/registerlandkarte/erlaubnis/fahren@1.json?stand=2026-09-23\"",
    ] {
        assert!(valid.contains(expected), "{expected} is missing in {valid}");
    }
    assert!(!valid.contains("gilt-nicht"));
    assert!(permission(&frame(Lang::De), &content(START + 4 * DAY)).contains("gilt-nicht"));
}

#[test]
fn registers_classes_and_bodies_have_pages_that_lead_to_each_other() {
    let map = map(&log());
    let query = LandkarteQuery::parse("");
    let at = Timestamp(START + 2 * DAY);
    let page = |shown: Place| place(&frame(Lang::De), &map, shown, &query, at);
    let register = page(Place::Register(map.register("register").unwrap()));
    assert!(register.contains("<bdi>Derzeitige Anschrift</bdi>") && register.contains("Wer darf hier abrufen?"));
    let class = page(Place::Class(map.class("klasse").unwrap()));
    assert_eq!(class.matches("data-permission=").count(), 2);
    let body = page(Place::Body(map.body("stelle").unwrap()));
    assert!(
        body.contains("klaerung@stelle.example") && body.contains("href=\"/de/registerlandkarte/behoerdenart/klasse\""),
        "{body}"
    );
    assert_eq!(body.matches("data-permission=").count(), 2);
    assert!(map.body("niemand").is_none() && map.body("?").is_none());
}

#[test]
fn a_day_before_the_first_version_says_so() {
    let page = not_yet(&frame(Lang::De), Some(LegalDay(20_778).begin()));
    assert!(page.contains("seit dem 21.11.2026 im Protokoll"), "{page}");
}
