//! Rows that do not fit each other are found, with file, line and column.

use super::errors::{Case, check, found};
use super::sample::{TOML, file, files};

const MISFITS: &[Case<'_>] = &[
    (
        "id = \"gewerbebehoerde\"",
        "id = \"wohngeldbehoerde\"",
        &[
            "map.toml:9:6: wohngeldbehoerde is defined twice",
            "body.csv:3:46: there is no class gewerbebehoerde",
        ],
    ),
    (
        "id = \"handelsregister\"",
        "id = \"melderegister\"",
        &[
            "map.toml:20:6: melderegister is defined twice",
            "map.toml:34:12: there is no register handelsregister",
            "instance.csv:4:8: there is no register handelsregister",
        ],
    ),
    (
        "id = \"eintragung\"\nregister = \"handelsregister\"",
        "id = \"anschrift\"\nregister = \"melderegister\"",
        &["map.toml:33:6: anschrift is defined twice"],
    ),
    (
        "idnrg = 1",
        "vip = 12",
        &["map.toml:22:7: melderegister has this VIP number too"],
    ),
    (
        "version = 1",
        "version = 0",
        &["map.toml:51:11: the version is 0; versions count from 1"],
    ),
    (
        "version = 1",
        "version = 2",
        &["map.toml:51:11: the version before wohngeld-anschrift@2 is missing"],
    ),
    (
        "class = \"wohngeldbehoerde\"",
        "class = \"unbekannt\"",
        &["map.toml:52:9: there is no class unbekannt"],
    ),
    (
        "class = \"wohngeldbehoerde\"",
        "body = \"stadt-z\"",
        &["map.toml:52:8: there is no body stadt-z"],
    ),
    (
        "register = \"melderegister\"\nevidence",
        "register = \"unbekannt\"\nevidence",
        &["map.toml:53:12: there is no register unbekannt"],
    ),
    (
        "register = \"melderegister\"\nevidence",
        "component = \"handel\"\nevidence",
        &["map.toml:53:13: no component handel serves the register melderegister"],
    ),
    (
        "evidence = \"anschrift\"",
        "evidence = \"unbekannt\"",
        &["map.toml:54:12: there is no evidence unbekannt"],
    ),
    (
        "evidence = \"anschrift\"",
        "evidence = \"eintragung\"",
        &["map.toml:53:12: the evidence eintragung comes from the register handelsregister"],
    ),
    (
        "norm = \"bmg-3\"",
        "norm = \"bmg-4\"",
        &["map.toml:17:8: there is no norm bmg-4"],
    ),
    (
        "norms = [\"bmg-3\"]",
        "norms = [\"bmg-3\", \"bmg-4\"]",
        &["map.toml:57:19: there is no norm bmg-4"],
    ),
    (
        "norms = [\"bmg-3\"]",
        "norms = []",
        &["map.toml:57:9: the list is empty"],
    ),
    (
        "norms = [\"bmg-3\"]",
        "norms = [\"bmg-3\", \"bmg-3\"]",
        &["map.toml:57:19: bmg-3 is in the list twice"],
    ),
    (
        "categories = [\"Name\", \"Anschrift\"]",
        "categories = [\"Name\", \"Name\"]",
        &["map.toml:30:23: Name is in the list twice"],
    ),
    (
        "recorded_from = \"2026-01-01T00:00:00Z\"",
        "recorded_from = \"2026-01-01T00:00:00Z\"\nrecorded_until = \"2025-01-01T00:00:00Z\"",
        &["map.toml:67:18: the time ends before it begins, so it is empty"],
    ),
    (
        "subjects = \"natural\"\nidnr = true",
        "subjects = \"both\"\nidnr = true",
        &[
            "map.toml:59:12: the register melderegister has no data of such persons",
            "map.toml:60:8: the IDNr cannot be used for legal persons, who have none",
        ],
    ),
];

#[test]
fn rows_must_fit_each_other() {
    check("map.toml", MISFITS);
}

#[test]
fn two_permissions_for_the_same_are_found() {
    let (head, permission) = TOML.split_once("[[permission]]").unwrap();
    let second = |change: &dyn Fn(String) -> String| {
        let second = change(permission.to_owned());
        let text = format!("{head}[[permission]]{permission}\n[[permission]]{second}");
        let mut files = files();
        files[0] = file("map.toml", &text);
        found(&files)
    };
    assert_eq!(
        second(&|text| text),
        ["map.toml:69:6: there are two permissions wohngeld-anschrift@1"]
    );
    assert_eq!(
        second(&|text| text.replace("id = \"wohngeld-", "id = \"auch-")),
        ["map.toml:69:6: wohngeld-anschrift@1 permits the same at the same time"]
    );
    let other_class = |text: String| {
        text.replace("id = \"wohngeld-", "id = \"gewerbe-")
            .replace("class = \"wohngeld", "class = \"gewerbe")
    };
    assert_eq!(
        second(&other_class),
        ["map.toml:71:9: wohngeld-anschrift@1 permits the body stadt-b the same at the same time"]
    );
}
