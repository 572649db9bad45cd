//! One entry of each shape.

#![allow(clippy::unwrap_used)]

use fixtures::sample_log::SampleLog;
use record::{Period, SignedEntry};

use super::*;
use crate::language::lang::Lang;
use crate::pages::Frame;

fn shown(log: &SampleLog, index: u64, quorum: bool) -> String {
    let leaf = log.leaves[usize::try_from(index).unwrap()].clone();
    let frame = Frame {
        lang: Lang::De,
        path: format!("/protokoll/eintrag/{index}"),
        banner: None,
        session: None,
        script: None,
        island: false,
    };
    let content = EntryPage {
        entry: &SignedEntry::parse(leaf).unwrap(),
        index,
        size: log.size().get(),
        quorum,
        cosigned: 2,
        path: 4,
        writer: Some("broker".into()),
    };
    entry(&frame, &content)
}

#[test]
fn an_entry_says_what_everybody_can_read_and_what_not() {
    let mut log = SampleLog::new();
    let (intent, number) = log.intent();
    let outcome = log.outcome(intent, number);
    let denial = log.denial();
    let map = log.map();
    log.finish(Period::FIRST);
    let destroyed = log.destroy(Period::FIRST);
    for (index, expected) in [
        (0, "Anfang des Protokolls"),
        (1, "Alles darin ist öffentlich"),
        (intent, "Um wen es ging, welche Behörde gefragt hat"),
        (outcome, &format!("href=\"/de/protokoll/eintrag/{intent}\"")),
        (denial, "Welche Behörde das war"),
        (map, "Geltende Registerlandkarte: Eintrag"),
        (destroyed, "Zeitabschnitt 1: ist gelöscht"),
    ] {
        let page = shown(&log, index, true);
        let expected = expected.replace("Alles darin", "alles darin");
        assert!(page.contains(&expected), "{expected} is missing in {page}");
        assert!(page.contains("der Vermittlungsstelle") && page.contains("Dieser Eintrag steht im Protokoll"));
    }
    assert!(!shown(&log, 0, true).contains("rel=\"prev\""));
    assert!(!shown(&log, destroyed, true).contains("rel=\"next\""));
    assert!(
        !shown(&log, 0, false).contains("success"),
        "the witnesses have not signed"
    );
}

#[test]
fn numbers_are_grouped() {
    let grouped = [0, 999, 1_000, 1_234_567].map(chart::number);
    assert_eq!(grouped, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
}
