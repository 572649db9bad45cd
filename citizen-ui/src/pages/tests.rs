//! Every page in both languages is a complete document without inline scripts or styles.

#![allow(clippy::unwrap_used)]

use record::{LegalDay, Outcome, Power, SharedPart, SubjectRole};

use super::*;
use crate::language::facts::facts;
use crate::language::lang::Lang;
use crate::language::verdict::verdict_text;
use crate::markup::Element;
use crate::proof::access::Access;
use crate::proof::complete::Claim;
use crate::proof::verdict::{ServerCheck, Verdict};
use crate::proof::verify::{Failure, TrustText};
use crate::samples;

mod foreign;
mod own;

fn frame(lang: Lang, session: bool) -> Frame {
    Frame {
        lang,
        path: "/abrufe?q=a&seite=2".into(),
        banner: None,
        session: session.then(|| SessionInfo {
            name: "Emma <Muster>".into(),
            seconds: 300,
            idle_end: 1_795_268_100,
            end: 1_795_269_600,
            warning: false,
        }),
        script: Some("sha256-AAAA".into()),
        island: false,
    }
}

fn trust() -> TrustText {
    TrustText {
        policy: "log example.org/log+abc+def\nquorum none\n".into(),
        genesis: "ab".repeat(32),
    }
}

pub(super) fn access() -> Access {
    Access::of(vec![samples::intent(), samples::outcome(Outcome::Delivered)]).unwrap()
}

pub(super) fn own_request() -> Access {
    Access::of(samples::own_request(Outcome::Delivered)).unwrap()
}

/// An exchange by a representative, in the list of a person with this role.
pub(super) fn by_representative(role: SubjectRole, power: Power) -> Access {
    let mut entries = vec![samples::intent(), samples::outcome(Outcome::Delivered)];
    for entry in &mut entries {
        if let Some(SharedPart::Exchange(record)) = &mut entry.shared {
            (record.role, record.representation) = (role, Some(power));
        }
    }
    Access::of(entries).unwrap()
}

fn claim() -> Claim {
    Claim {
        exchanges: 59,
        own: 0,
        inspections: 1,
        unused: 0,
        since: Some(1_732_147_200),
        as_of: 1_795_266_300,
        later: 1,
    }
}

fn citizen(lang: Lang, path: &str, access: &Access) -> String {
    html(&citizen_element(lang, path, access))
}

/// A citizen's page as the server sends it: 59 times the same access, one exchange and one visit.
pub(super) fn citizen_element(lang: Lang, path: &str, access: &Access) -> Element {
    let frame = Frame {
        path: path.into(),
        ..frame(lang, true)
    };
    let target = Target::of(path).unwrap();
    let verdict = Verdict::Unchecked(ServerCheck::Complete(claim()));
    let boxed = verdict_box(&frame, &verdict, &verdict_text(&verdict, target.scope(), &[], lang));
    let mut accesses = vec![access.clone(); 59];
    accesses.push(self::access());
    accesses.push(Access::of(vec![samples::inspection()]).unwrap());
    let content = Content {
        accesses: &accesses,
        unopened: &[(vec![40, 41], Failure::Proof)],
        claim: Some(claim()),
        person: None,
        bundle: true,
        size: 99,
        path: None,
        device: None,
    };
    citizen_page(&frame, &target, &content, boxed).unwrap()
}

/// The pages about the citizen's own data.
pub(super) fn own_data_pages(lang: Lang) -> Vec<Element> {
    own_data::tests::elements(&frame(lang, true))
}

/// The addresses of all kinds of a citizen's pages.
pub(super) const CITIZEN: [&str; 8] = [
    "/uebersicht",
    "/abrufe?seite=2",
    "/abrufe?q=stadt&sort=behoerde",
    "/besuche",
    "/abrufe/17",
    "/abrufe/17/pruefung",
    "/abrufe/17/fragen",
    "/abrufe/17/fragen?was=beschweren",
];

fn log_view(state: LogState) -> LogView {
    let witness = |name: &str, last: Option<u64>| Witness {
        name: name.into(),
        operator: last.map(|_| "Stelle <A>".into()),
        current: last.is_some(),
        last,
    };
    let days = (0..30).map(|at| Day {
        day: LegalDay(20_760 + at),
        entries: u64::from(at) * 10,
    });
    LogView {
        state,
        witnesses: vec![witness("eins", Some(1_795_266_180)), witness("zwei", None)],
        counts: LogCounts {
            counted: 1_234,
            exchanges: 500,
            visits: 120,
            open: 1,
            denied: 7,
            erased: 40,
            days: days.collect(),
            erasures: vec![Erased {
                entry: 900,
                time: 1_795_266_180,
                period: 3,
                entries: 40,
            }],
        },
        contradictions: Vec::new(),
        watched_since: 1_795_262_400,
        now: 1_795_266_190,
    }
}

fn log_page(lang: Lang, state: LogState) -> String {
    log(&frame(lang, false), &log_view(state), &trust())
}

fn checked_log() -> LogState {
    LogState::Checked {
        origin: "example.org/log".into(),
        size: 1234,
        root: "cd".repeat(32),
        quorum: true,
        quorum_time: Some(1_795_266_180),
        checkpoint: "example.org/log\n1234\n".into(),
    }
}

fn verify_page(lang: Lang, verifier: Option<VerifierFile>, keys: Vec<String>) -> String {
    let content = VerifyPage {
        log: "https://log.example".into(),
        trust: trust(),
        verifier,
        keys,
    };
    verify(&frame(lang, false), &content)
}

/// The invented list that the server has.
const EXAMPLE: &[u8] = include_bytes!("../../assets/example.page-proof");

fn checking(lang: Lang) -> String {
    how_checked(&frame(lang, false), &crate::islands::prove_example(EXAMPLE).unwrap()).unwrap()
}

fn operator() -> Operator {
    Operator {
        name: "Amt <für> Einsicht".into(),
        address: "Weg 1, 12345 Ort".into(),
        contact: "auskunft@amt.example".into(),
        data_protection: "datenschutz@amt.example".into(),
        supervision: "Die Landesbeauftragte".into(),
    }
}

fn log_pages(lang: Lang) -> Vec<String> {
    let frame = frame(lang, false);
    let mut contradicted = log_view(checked_log());
    contradicted.contradictions.push(Contradiction {
        noticed: 1_795_266_180,
        first: "example.org/log\n7\n".into(),
        second: "example.org/log\n7\n<b>".into(),
    });
    let view = log_view(checked_log());
    let empty = LogView {
        counts: LogCounts::default(),
        ..view.clone()
    };
    vec![
        log_page(lang, checked_log()),
        log_page(lang, LogState::Unreachable),
        log_page(lang, LogState::Invalid),
        log(&frame, &contradicted, &trust()),
        log(&frame, &empty, &trust()),
        witnesses(&frame, &view),
        erasures(&frame, &view),
        erasures(&frame, &empty),
        contradictions(&frame, &view, Some(Compared::Grown(7)), &trust()),
        contradictions(&frame, &contradicted, Some(Compared::Contradicts), &trust()),
        lookup(&frame, Lookup::Empty, &trust()),
        lookup(&frame, Lookup::Refused, &trust()),
    ]
}

/// The public pages that are in every language.
pub(super) fn easy_pages(lang: Lang) -> Vec<String> {
    let open = frame(lang, false);
    let mut pages = vec![
        start(&open),
        recorded(&open),
        checking(lang),
        verify_page(lang, None, Vec::new()),
        help(&open, None),
        imprint(&open, None),
        privacy(&open, None),
        accessibility(&open),
        design(&open),
        logged_out(&open, Some("https://login.example/end".into())),
        login_cancelled(&open),
        easy_landkarte(&open),
        easy_log(&open),
    ];
    let errors = [
        ErrorPage::NotFound,
        ErrorPage::LoginNeeded,
        ErrorPage::LoginFailed,
        ErrorPage::Assurance,
        ErrorPage::LoginUnreachable,
        ErrorPage::Clock,
        ErrorPage::IdentityRefused,
        ErrorPage::IdentityUnreachable,
        ErrorPage::LedgerUnreachable,
        ErrorPage::Busy,
        ErrorPage::Internal,
    ];
    pages.extend(errors.map(|page| error(&open, page)));
    pages
}

fn all_pages(lang: Lang) -> Vec<String> {
    let open = frame(lang, false);
    let mut pages = vec![
        start(&open),
        start(&frame(lang, true)),
        logged_out(&open, Some("https://login.example/end".into())),
        login_cancelled(&open),
        recorded(&open),
        checking(lang),
        verify_page(lang, None, Vec::new()),
        help(&open, None),
        help(&open, Some(&operator())),
        imprint(&open, None),
        imprint(&open, Some(&operator())),
        privacy(&open, Some(&operator())),
        accessibility(&open),
        design(&open),
        error(&open, ErrorPage::NotFound),
        error(&open, ErrorPage::Assurance),
        error(&open, ErrorPage::Clock),
    ];
    pages.extend(log_pages(lang));
    pages.extend(CITIZEN.map(|path| citizen(lang, path, &access())));
    pages
}

#[test]
fn every_page_is_a_complete_document_with_nothing_inline() {
    for lang in Lang::ALL {
        for page in all_pages(lang) {
            assert!(page.starts_with("<!DOCTYPE html><html lang=\""), "{page}");
            assert!(page.contains(&format!("<html lang=\"{}\">", lang.tag())));
            assert!(page.ends_with("</body></html>"), "{page}");
            assert_eq!(page.matches("<h1").count(), 1, "{page}");
            assert_eq!(page.matches("<main").count(), 1);
            assert!(page.contains("id=\"demonstrator\""), "the yellow bar is missing");
            for forbidden in ["style=\"", "<style", "<!>", "onclick", "javascript:"] {
                assert!(!page.contains(forbidden), "{forbidden} in {page}");
            }
            let script = "<script type=\"module\" src=\"/assets/portal.AAAA.js\" integrity=\"sha256-AAAA\"></script>";
            let logged_in = usize::from(page.contains("id=\"sitzung\"") || page.contains("data-island"));
            assert_eq!(page.matches("<script").count(), logged_in, "the only script");
            assert_eq!(page.matches(script).count(), logged_in);
            let styles = page.split("<link rel=\"stylesheet\"").skip(1);
            assert!(styles.clone().count() == 1 && styles.clone().all(|style| style.contains(" integrity=\"sha256-")));
        }
    }
}

#[test]
fn every_page_leads_to_itself_in_the_other_languages() {
    for path in CITIZEN {
        for lang in Lang::ALL {
            let page = citizen(lang, path, &access());
            for other in lang.others() {
                let href = format!("href=\"/{}{}\"", other.code(), path.replace('&', "&amp;"));
                assert!(page.contains(&href), "{href} is missing in {page}");
            }
        }
    }
    let at = |path: &str| {
        recorded(&Frame {
            path: path.into(),
            ..frame(Lang::De, false)
        })
    };
    assert!(at("/was-wird-aufgezeichnet").contains("href=\"/leicht/was-wird-aufgezeichnet\""));
    assert!(
        !at("/protokoll/zeugen").contains("/leicht/"),
        "only in German and English"
    );
}

#[test]
fn the_list_shows_the_servers_statement_sentences_and_entries_that_are_not_opened() {
    let page = citizen(Lang::De, "/abrufe?seite=3", &access());
    // The first periods are destroyed, so the claim begins on a day, and the page gives the reason.
    for expected in [
        "data-verdict=\"server\"",
        "kern-alert kern-alert--warning",
        "Ihr Browser hat diese Seite noch nicht geprüft",
        "Geprüft hat nur unser Server: 59 Abrufe, und keiner fehlt.",
        "Das sind alle seit 21.11.2024: 59 Abrufe, 1 Besuch.",
        "Was davor war, ist gelöscht",
        "<bdi>Die Stadt Musterhausen</bdi><span> hat </span><bdi>beim Kraftfahrt-Bundesamt</bdi>",
        "<span>Weil: </span><bdi>Antrag auf einen Bewohnerparkausweis</bdi>",
        "data-row=\"17\"",
        "href=\"/de/abrufe/17\"",
        "<time datetime=\"2026-11-21T13:03:00Z\">Sa 21.11., 14:03 Uhr</time>",
        "Eintrag 40, 41: Der Beweis passt nicht zum Protokoll.",
        "51–60 von 60 Abrufen",
        "<bdi>November 2026</bdi> <span class=\"ec-small\">60 Abrufe</span>",
        "Ihr eigener Besuch steht nicht in dieser Liste.",
        "href=\"/de/abrufe?seite=2\" rel=\"prev\"",
        "<b aria-current=\"page\">3</b>",
        "Bis 21.11.2024",
        "Stadt Musterhausen (60)</option>",
        "Daten übermittelt (60)</option>",
        "<bdi>Emma &lt;Muster&gt;</bdi>",
        "um 14:35 Uhr abgemeldet",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    for forbidden in ["success", "selbst geprüft, für"] {
        assert!(
            !page.contains(forbidden),
            "only a browser can claim {forbidden}: {page}"
        );
    }
    let chosen = citizen(
        Lang::De,
        "/abrufe?wer=Stadt+Musterhausen&von=2026-01-01&ergebnis=abgelehnt",
        &access(),
    );
    for expected in [
        "<option value=\"Stadt Musterhausen\" dir=\"auto\" selected>",
        "<option value=\"abgelehnt\" dir=\"auto\" selected>Abgelehnt (0)",
        "type=\"date\" value=\"2026-01-01\"",
        "<details class=\"ec-more\" open>",
        "Kein Abruf passt zu Ihrer Suche.",
    ] {
        assert!(chosen.contains(expected), "{expected} is missing in {chosen}");
    }
}

#[test]
fn the_overview_shows_the_newest_two_years_and_what_to_do() {
    let page = citizen(Lang::De, "/uebersicht", &access());
    for expected in [
        "<span>Guten Tag, </span><bdi>Emma &lt;Muster&gt;</bdi></h1>",
        "Die neuesten Abrufe",
        "Alle 60 Abrufe ansehen",
        "<svg class=\"ec-picture ec-drawn-wide\"",
        "Stadt Musterhausen: 60 Abrufe. Sie selbst: 1 Besuch.",
        ">Noch nicht geprüft</text>",
        "href=\"/de/abrufe?wer=Stadt+Musterhausen&amp;von=2026-11-01&amp;bis=2026-11-30\">60 Abrufe</a>",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    assert_eq!(page.matches("data-row").count(), 3);
}

#[test]
fn an_outcome_of_a_later_day_comes_with_its_day() {
    let closing = |seconds| {
        let mut outcome = samples::outcome(Outcome::Delivered);
        outcome.stamp.time += seconds;
        let access = Access::of(vec![samples::intent(), outcome]).unwrap();
        citizen(Lang::De, "/abrufe/17", &access)
    };
    assert!(closing(0).contains(">14:03:01 Uhr</time>"));
    assert!(closing(3 * 86_400).contains(">24. November 2026, 14:03:01 Uhr</time>"));
}

#[test]
fn the_detail_page_shows_every_fact_and_the_files() {
    for lang in Lang::ALL {
        let page = citizen(lang, "/abrufe/17", &access());
        let facts: usize = facts(&access(), lang).iter().map(|group| group.facts.len()).sum();
        assert_eq!(page.matches("data-fact").count(), facts + 6, "facts and answers");
        for index in [17, 19] {
            for file in ["quittung", "oeffnung"] {
                assert!(
                    page.contains(&format!("href=\"/{}/abrufe/{index}/{file}\"", lang.code())),
                    "{page}"
                );
            }
        }
    }
}

#[test]
fn the_log_page_shows_numbers_witnesses_and_days() {
    let page = log_page(Lang::De, checked_log());
    for expected in [
        "data-number=\"eintraege\">1\u{202f}234<",
        "data-number=\"abrufe\">500<",
        "data-number=\"geloescht\">40<",
        "<bdi data-witness=\"zwei\">zwei</bdi>",
        "<span data-signed=\"false\">noch nicht bestätigt</span>",
        "Stelle &lt;A&gt;",
        "1 von 2 Zeugen",
        "Alles in Ordnung, Stand 21.11.2026, 14:03 Uhr",
        "Bisher: keine, seit unser Server zusieht",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    assert_eq!(page.matches("<rect class=\"ec-bar\"").count(), 30);
    assert!(log_page(Lang::De, LogState::Invalid).contains("Verlassen Sie sich nicht auf diesen Stand."));
}

#[test]
fn a_contradiction_is_an_alarm_on_every_page_about_the_log() {
    for page in [&log_pages(Lang::De)[3], &log_pages(Lang::De)[9]] {
        assert!(
            page.contains("kern-alert--danger") && !page.contains("kern-alert--success"),
            "{page}"
        );
    }
    assert!(log_pages(Lang::De)[9].contains("example.org/log\n7\n&lt;b&gt;"));
}

#[test]
fn the_program_and_the_places_of_the_keys_are_named_only_if_they_are_configured() {
    let bare = verify_page(Lang::De, None, Vec::new());
    assert!(
        bare.contains("bietet das Programm nicht zum Herunterladen an")
            && bare.contains("nennt noch keine andere Stelle")
    );
    let program = VerifierFile {
        version: "0.1.0".into(),
        digest: "ef".repeat(32),
        size: 4_000_001,
    };
    let whole = verify_page(Lang::De, Some(program), vec!["Bundesanzeiger".into()]);
    for expected in [
        "4001 kB",
        &"ef".repeat(32),
        "<bdi>Bundesanzeiger</bdi>",
        "href=\"/de/selbst-pruefen/verifier\"",
    ] {
        assert!(whole.contains(expected), "{expected} is missing in {whole}");
    }
}

#[test]
fn the_page_about_checking_shows_the_computation_and_what_breaks_without_a_script() {
    let page = checking(Lang::De);
    let list = crate::islands::prove_example(EXAMPLE).unwrap();
    let (_, path) = crate::islands::example_path(&list).unwrap();
    let root = list.checkpoint.root.to_string();
    let step = format!("<li>{} ist der Fingerabdruck des ganzen Protokolls.", &root[..6]);
    assert!(page.contains(&step), "{page}");
    assert_eq!(page.matches("Er wird mit dem Nachbarn").count(), path.steps.len());
    assert_eq!(
        page.matches("data-holds=\"true\">Ja<").count(),
        1,
        "the text that is in the log"
    );
    assert_eq!(page.matches("data-holds=\"false\">Nein<").count(), 3, "the other texts");
    for expected in [
        "data-island=\"example\"",
        "Ohne JavaScript",
        "id=\"weg\"",
        "<bdi>Die Stadt Musterhausen</bdi>",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    assert!(!page.contains("kern-alert--success"), "only a browser can claim it");
}

#[test]
fn only_pages_that_prove_something_load_the_program() {
    for page in all_pages(Lang::De) {
        let needs = page.contains("data-island") || page.contains("id=\"sitzung\"");
        assert_eq!(page.contains("<script"), needs, "{page}");
    }
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
