//! The program from outside: its output, and its exit codes.

use std::path::Path;
use std::process::Command;

use super::content;
use super::sample::{BODIES, INSTANCES, TOML};

const AT: [&str; 2] = ["--at", "2026-11-29T12:00:00Z"];

/// Runs a command. Returns exit code, standard output and standard error.
fn landkarte(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_landkarte"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The sample in a folder, after a change of the TOML file.
fn sample(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("map.toml"), change(TOML.to_owned())).unwrap();
    std::fs::write(folder.path().join("body.csv"), BODIES).unwrap();
    std::fs::write(folder.path().join("instance.csv"), INSTANCES).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn check_prints_every_error_and_exits_with_1() {
    let sound = sample(|toml| toml);
    let (code, out, _) = landkarte(&["check", text(sound.path())]);
    assert_eq!(
        (code, out.starts_with("no errors: 2 classes, 2 registers")),
        (0, true),
        "{out}"
    );
    let faulty = sample(|toml| {
        toml.replace("area = \"any\"", "area = \"all\"")
            .replace("law = \"BMG\"", "law = 3")
    });
    let (code, out, err) = landkarte(&["check", text(faulty.path())]);
    let file = faulty.path().join("map.toml");
    let expected = format!(
        "{0}:40:7: text is expected, and a number is here\n{0}:58:8: the word is none of any, own, person\n",
        text(&file)
    );
    assert_eq!((code, out, err.as_str()), (1, expected, "landkarte: 2 errors\n"));
}

#[test]
fn check_of_a_missing_file_is_usage() {
    let (code, out, err) = landkarte(&["check", "/nowhere/map.toml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("landkarte: /nowhere/map.toml: "), "{err}");
}

#[test]
fn check_of_the_content_finds_nothing() {
    let (code, out, err) = landkarte(&["check", text(&content::folder())]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
}

#[test]
fn explain_names_rule_norm_and_source() {
    let folder = sample(|toml| toml);
    let asked = [
        "--consumer",
        "stadt-a",
        "--evidence",
        "anschrift",
        "--place",
        "053155001003",
    ];
    let (code, out, _) = landkarte(&[&["explain", text(folder.path())], &asked[..], &AT].concat());
    assert_eq!(code, 0, "{out}");
    for line in [
        "consumer stadt-a: Stadt A, area 053155001001, classes: wohngeldbehoerde",
        "provider melde-b: competent for area 053155001003",
        "rule wohngeld-anschrift@1 for the class wohngeldbehoerde and the register melderegister: it permits",
        "wohngeld: permitted by wohngeld-anschrift@1 (Antrag auf Wohngeld)",
        "  § 3 Absatz 1 BMG (Speicherung von Daten): Eine Meldebehörde speichert Daten.",
        "  Dies ist eine Lesart der Gesetze und keine Rechtsberatung.",
    ] {
        assert!(
            out.lines().any(|printed| printed == line),
            "{line} is missing in\n{out}"
        );
    }
}

#[test]
fn explain_says_why_not_and_exits_with_1() {
    let folder = sample(|toml| toml.replace("idnr = true", "idnr = false"));
    let asked = [
        "--consumer",
        "stadt-a",
        "--provider",
        "melde-b",
        "--evidence",
        "anschrift",
        "--idnr",
    ];
    let (code, out, _) = landkarte(&[&["explain", text(folder.path())], &asked[..], &AT].concat());
    assert_eq!(code, 1);
    assert!(
        out.contains("wohngeld: not permitted: the rule does not permit using the IDNr"),
        "{out}"
    );
    // Before it was recorded there was no rule, and no body.
    let before = ["--known", "2025-12-31T00:00:00Z", "--purpose", "wohngeld"];
    let (code, out, _) = landkarte(&[&["explain", text(folder.path())], &asked[..], &AT, &before].concat());
    assert_eq!(code, 1);
    assert!(
        out.contains("wohngeld: not permitted: the consumer is not listed"),
        "{out}"
    );
}

#[test]
fn diff_says_what_is_newly_permitted_and_forbidden() {
    let old = sample(|toml| toml);
    let diff = |new: &tempfile::TempDir| {
        let (code, out, _) = landkarte(&[&["diff", text(old.path()), text(new.path())], &AT[..]].concat());
        (code, out)
    };
    let none = "pairs of body and component: newly permitted 0, newly forbidden 0, permitted otherwise 0\n";
    assert_eq!(diff(&old), (0, none.to_owned()));
    // Without the IDNr: two towns times two registers.
    let without = sample(|toml| toml.replace("idnr = true", "idnr = false"));
    let forbidden = "- forbids anschrift for wohngeld by wohngeld-anschrift@1: 4 pairs, such as stadt-a and melde-a; \
                     natural person + IDNr, up to natural person + IDNr + place\n\
                     pairs of body and component: newly permitted 0, newly forbidden 4, permitted otherwise 0\n";
    assert_eq!(diff(&without), (1, forbidden.to_owned()));
    let own = sample(|toml| {
        toml.replace("area = \"any\"", "area = \"own\"")
            .replace("preview = true", "preview = false")
    });
    let own = diff(&own);
    assert_eq!(own.0, 1);
    assert!(
        own.1
            .ends_with("newly permitted 0, newly forbidden 2, permitted otherwise 2\n"),
        "{}",
        own.1
    );
}

#[test]
fn diff_counts_the_recorded_decisions_that_would_differ() {
    let old = sample(|toml| toml);
    let without = sample(|toml| toml.replace("idnr = true", "idnr = false"));
    let decision = |idnr: bool, purpose: &str, permission: &str| {
        format!(
            r#"{{"time":1767312000,"consumer":"stadt-a","provider":"melde-b","evidence":"anschrift","purpose":"{purpose}",
            "legal":false,"idnr":{idnr},"represented":false,"place":null,"permission":{permission}}}"#
        )
    };
    let by_rule = r#""wohngeld-anschrift@1""#;
    let decisions = [
        decision(true, "wohngeld", by_rule),
        decision(true, "wohngeld", by_rule),
        decision(false, "wohngeld", by_rule),
        decision(false, "hundesteuer", "null"),
    ];
    let file = old.path().join("decisions.json");
    std::fs::write(&file, format!("[{}]", decisions.join(","))).unwrap();
    let diff = |new: &tempfile::TempDir| {
        let arguments = ["diff", text(old.path()), text(new.path()), "--decisions", text(&file)];
        landkarte(&[&arguments[..], &AT].concat())
    };
    let (code, out, _) = diff(&old);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.ends_with("\nrecorded decisions: 4, of which 0 would differ\n"),
        "{out}"
    );
    let (code, out, _) = diff(&without);
    assert_eq!(code, 1);
    let differ = "\n! 2 decisions by wohngeld-anschrift@1 would be denials\n\
                  recorded decisions: 4, of which 2 would differ\n";
    assert!(out.ends_with(differ), "{out}");
    std::fs::write(&file, "[\n{\"time\": 1}]").unwrap();
    let (code, _, err) = diff(&old);
    assert_eq!(code, 2);
    assert!(err.contains("decisions.json: missing field"), "{err}");
    assert!(err.contains("line 2 column"), "{err}");
}

#[test]
fn exported_tables_are_imported_again() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, toml) = (folder.path().join("csv"), folder.path().join("toml"));
    let content = content::folder();
    assert_eq!(landkarte(&["export", "csv", text(&content), "--to", text(&csv)]).0, 0);
    assert_eq!(landkarte(&["import", "csv", text(&csv), "--to", text(&toml)]).0, 0);
    let (code, before, _) = landkarte(&["export", "json", text(&content)]);
    assert_eq!(code, 0);
    let sorted = |json: &str| {
        let mut json: serde_json::Value = ::text::json::from_str(json).unwrap();
        for rows in json.as_object_mut().unwrap().values_mut() {
            if let Some(rows) = rows.as_array_mut() {
                rows.sort_by_key(ToString::to_string);
            }
        }
        json
    };
    let after = landkarte(&["export", "json", text(&toml)]).1;
    assert_eq!(sorted(&after), sorted(&before));
}

#[test]
fn a_data_schema_becomes_a_type_of_evidence() {
    let schema = r#"<x:xdatenfelder.stammdatenschema.0102 xmlns:x="urn:xoev-de:fim:standard:xdatenfelder_2">
        <x:stammdatenschema><x:name>Anmeldung</x:name><x:struktur><x:enthaelt><x:datenfeld><x:name>Ort</x:name>
        </x:datenfeld></x:enthaelt></x:struktur></x:stammdatenschema></x:xdatenfelder.stammdatenschema.0102>"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.xml");
    std::fs::write(&file, schema).unwrap();
    let import = [
        "import",
        "xdatenfelder",
        text(&file),
        "--id",
        "meldung",
        "--register",
        "melderegister",
    ];
    let (code, out, err) = landkarte(&import);
    let expected = "schema = 1\n\n[[evidence]]\nid = \"meldung\"\nregister = \"melderegister\"\ntitle = \"Anmeldung\"\n\
                    categories = [\"Ort\"]\n";
    assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""));
    std::fs::write(&file, "<other/>").unwrap();
    let (code, out, err) = landkarte(&import);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("schema.xml: the root is not"), "{err}");
}
