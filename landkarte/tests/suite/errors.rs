//! Every kind of error is found, with file, line and column.

use landkarte::content::{SourceFile, read};

use super::sample::{file, files};

/// The findings after a text of a file was replaced, one line each.
fn findings(name: &str, from: &str, to: &str) -> Vec<String> {
    let mut files = files();
    let changed = files.iter_mut().find(|file| file.name == name).unwrap();
    let text = String::from_utf8(changed.bytes.clone()).unwrap();
    assert!(text.contains(from), "{from:?} is not in the sample");
    changed.bytes = text.replacen(from, to, 1).into_bytes();
    found(&files)
}

pub(crate) fn found(files: &[SourceFile]) -> Vec<String> {
    match read(files) {
        Ok(_) => Vec::new(),
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

/// Each case: a text of the sample, what replaces it, and all findings then.
pub(crate) type Case<'a> = (&'a str, &'a str, &'a [&'a str]);

pub(crate) fn check(name: &str, cases: &[Case<'_>]) {
    for (from, to, expected) in cases {
        assert_eq!(findings(name, from, to), *expected, "{from:?} became {to:?}");
    }
}

#[test]
fn the_sample_has_no_error() {
    assert_eq!(found(&files()), Vec::<String>::new());
}

const FORM_TOML_FILE: &[Case<'_>] = &[
    (
        "schema = 1",
        "schema = 2",
        &["map.toml:1:10: this version of the format is not known; the known one is `schema = 1`"],
    ),
    (
        "schema = 1\n",
        "",
        &["map.toml:1:1: the file must begin with `schema = 1`"],
    ),
    (
        "keine Rechtsberatung",
        "eine Rechtsberatung",
        &[
            "map.toml:2:10: a file with norms must say: notice = \"Dies ist eine Lesart der Gesetze und keine Rechtsberatung.\"",
        ],
    ),
    (
        "notice = ",
        "# notice = ",
        &[
            "map.toml:1:1: a file with norms must say: notice = \"Dies ist eine Lesart der Gesetze und keine Rechtsberatung.\"",
        ],
    ),
    (
        "[[class]]\nid = \"wohngeld",
        "[[klasse]]\nid = \"wohngeld",
        &["map.toml:4:3: there is no table klasse"],
    ),
    (
        "schema = 1",
        "schema = 1\nclass = 3",
        &["map.toml:5:3: duplicate key", "map.toml:9:3: duplicate key"],
    ),
    (
        "id = \"bmg-3\"\nlaw",
        "id = bmg-3\nlaw",
        &["map.toml:39:6: string values must be quoted, expected literal string"],
    ),
    (
        "law = \"BMG\"",
        "law = \"BMG\"\nlaw = \"BMG\"",
        &["map.toml:41:1: duplicate key"],
    ),
    (
        "law = \"BMG\"",
        "gesetz = \"BMG\"",
        &[
            "map.toml:38:1: the field law is missing",
            "map.toml:40:1: a norm has no field gesetz",
        ],
    ),
    (
        "law = \"BMG\"",
        "law = 3",
        &["map.toml:40:7: text is expected, and a number is here"],
    ),
    (
        "version = 1",
        "version = \"1\"",
        &["map.toml:51:11: a number is expected, and text is here"],
    ),
    (
        "version = 1",
        "version = -1",
        &["map.toml:51:11: not a number from 0 to 4294967295"],
    ),
    (
        "version = 1",
        "version = 4294967296",
        &["map.toml:51:11: not a number from 0 to 4294967295"],
    ),
    (
        "version = 1",
        "version = 0x1",
        &["map.toml:51:11: a number is expected, and a number that is not decimal is here"],
    ),
    (
        "version = 1",
        "version = 1.0",
        &["map.toml:51:11: a number is expected, and a number with decimals is here"],
    ),
    (
        "idnr = true",
        "idnr = 1",
        &["map.toml:60:8: true or false is expected, and a number is here"],
    ),
    (
        "norms = [\"bmg-3\"]",
        "norms = \"bmg-3\"",
        &["map.toml:57:9: a list is expected, and text is here"],
    ),
    (
        "norms = [\"bmg-3\"]",
        "norms = [3]",
        &["map.toml:57:10: text is expected, and a number is here"],
    ),
    (
        "categories = [\"Name\", \"Anschrift\"]",
        "categories = { a = 1 }",
        &["map.toml:30:14: a list is expected, and a table is here"],
    ),
];

#[test]
fn the_form_of_a_toml_file_is_checked() {
    check("map.toml", FORM_TOML_FILE);
}

const VALUES_FIELDS: &[Case<'_>] = &[
    (
        "id = \"anschrift\"",
        "id = \"Anschrift\"",
        &["map.toml:27:6: not a name: 1 to 64 characters of a-z, 0-9, '.', ':' and '-'"],
    ),
    (
        "\"Anschrift\"]",
        "\"Anschrift; alt\"]",
        &[
            "map.toml:30:23: a text of a list has no semicolon, which separates them in CSV files, and no space around it",
        ],
    ),
    (
        "title = \"Eintragung\"",
        "title = \" \"",
        &["map.toml:35:9: the text is empty"],
    ),
    (
        "title = \"Eintragung\"",
        "title = \"a\\u200Bb\"",
        &["map.toml:35:9: the text character 2 is invisible or controls how text is shown"],
    ),
    (
        "section = \"§ 3 Absatz 1\"",
        "section = \"Paragraph 3\"",
        &["map.toml:41:11: a citation begins with `§ `, `§§ `, `Artikel ` or `Anlage`"],
    ),
    (
        "commit = \"cce3",
        "commit = \"CCE3",
        &["map.toml:46:10: a commit has 40 of the digits 0-9 and a-f"],
    ),
    (
        "read = \"2026-11-29\"",
        "read = \"29.11.2026\"",
        &["map.toml:47:8: not a day like 2026-11-29"],
    ),
    (
        "recorded_from = \"2026-01-01T00:00:00Z\"",
        "recorded_from = \"9950-01-01T00:00:00Z\"",
        &["map.toml:66:17: not a time like 2026-11-21T23:27:54Z"],
    ),
    (
        "recorded_from = \"2026-01-01T00:00:00Z\"",
        "recorded_from = \"2026-01-01\"",
        &["map.toml:66:17: not a time like 2026-11-21T23:27:54Z"],
    ),
    (
        "valid_from = 2026-01-01T00:00:00Z",
        "valid_from = 2026-01-01",
        &["map.toml:65:14: not a time like 2026-11-21T23:27:54Z"],
    ),
    (
        "area = \"any\"",
        "area = \"all\"",
        &["map.toml:58:8: the word is none of any, own, person"],
    ),
    (
        "subjects = \"natural\"\nidnr",
        "subjects = \"people\"\nidnr",
        &["map.toml:59:12: the word is none of natural, legal, both"],
    ),
    (
        "retention = \"idnrg-2y\"",
        "retention = \"2y\"",
        &["map.toml:63:13: the word is none of idnrg-2y, eu-12m"],
    ),
    (
        "disclosure = \"immediate\"",
        "disclosure = \"now\"",
        &["map.toml:64:14: the word is none of immediate, delayed"],
    ),
    (
        "class = \"wohngeldbehoerde\"",
        "class = \"wohngeldbehoerde\"\nbody = \"stadt-a\"",
        &["map.toml:49:1: a permission has either class or body"],
    ),
    (
        "register = \"melderegister\"\nevidence",
        "evidence",
        &["map.toml:49:1: a permission has either register or component"],
    ),
];

#[test]
fn the_values_of_fields_are_checked() {
    check("map.toml", VALUES_FIELDS);
}

#[test]
fn the_form_of_a_csv_file_is_checked() {
    check(
        "body.csv",
        &[
            (
                "id,name",
                "id,name,name",
                &["body.csv:1:9: the column name is there twice"],
            ),
            (
                "id,name",
                "id,stadt",
                &[
                    "body.csv:1:1: the field name is missing",
                    "body.csv:1:4: a body has no field stadt",
                ],
            ),
            (
                "stadt-a,Stadt A,",
                "stadt-a,Stadt A,,",
                &["body.csv:2:1: the line has 9 values, and the first line has 8"],
            ),
            (
                "\"Stadt \"\"B\"\", am Fluss\"",
                "\"Stadt \"B\", am Fluss\"",
                &[
                    "body.csv:3:1: the line has 9 values, and the first line has 8",
                    "body.csv:3:9: the quotation mark is not closed, or text follows it",
                    "body.csv:3:20: the quotation mark is not closed, or text follows it",
                ],
            ),
            (
                "am Fluss\"",
                "am Fluss",
                &[
                    "body.csv:3:1: the line has 2 values, and the first line has 8",
                    "body.csv:3:9: the quotation mark is not closed, or text follows it",
                ],
            ),
            ("stadt-b,", ",", &["body.csv:3:1: the field id is missing"]),
        ],
    );
}

const VALUES_CSV_FILE_BODY: &[Case<'_>] = &[
    (
        "053155001001",
        "05315500100",
        &["body.csv:2:17: an Amtlicher Regionalschlüssel has 0, 2, 3, 5, 9 or 12 digits, or is the word `bund`"],
    ),
    (
        "053155001001",
        "993155001001",
        &[
            "body.csv:2:17: an Amtlicher Regionalschlüssel begins with the number of a state, 01 to 16, or is the word `bund`",
        ],
    ),
    (
        "gewerbebehoerde wohngeldbehoerde",
        "gewerbebehoerde unbekannt",
        &["body.csv:3:62: there is no class unbekannt"],
    ),
    (
        "gewerbebehoerde wohngeldbehoerde",
        "wohngeldbehoerde Wohngeld",
        &["body.csv:3:63: not a name: 1 to 64 characters of a-z, 0-9, '.', ':' and '-'"],
    ),
    (
        "gewerbebehoerde wohngeldbehoerde",
        "wohngeldbehoerde  wohngeldbehoerde",
        &["body.csv:3:64: the value is in the list twice"],
    ),
    (
        "stadt-b,",
        "stadt-a,",
        &[
            "body.csv:3:1: the body stadt-a has another entry at the same time",
            "instance.csv:3:23: there is no body stadt-b",
        ],
    ),
    (
        "2026-01-01T00:00:00Z,,2026-01-01T00:00:00Z,\nstadt-b",
        "2026-01-01T00:00:00Z,2025-12-31T00:00:00Z,2026-01-01T00:00:00Z,\nstadt-b",
        &["body.csv:2:68: the time ends before it begins, so it is empty"],
    ),
];

const VALUES_CSV_FILE_INSTANCE: &[Case<'_>] = &[
    (
        "melde-b,",
        "Melde B,",
        &["instance.csv:3:1: a participant id has 1 to 64 characters of a-z, 0-9, '.', ':' and '-'"],
    ),
    (
        "melde-b,",
        "melde-a,",
        &["instance.csv:3:1: the component melde-a has another entry for the register melderegister at the same time"],
    ),
    (
        "melderegister,stadt-b",
        "unbekannt,stadt-b",
        &["instance.csv:3:9: there is no register unbekannt"],
    ),
    (
        "melderegister,stadt-b",
        "melderegister,stadt-z",
        &["instance.csv:3:23: there is no body stadt-z"],
    ),
    (
        "053155001003",
        "053155001001",
        &["instance.csv:3:31: the component melde-a is competent for the same register and area at the same time"],
    ),
    (
        "053155001002 053155001003",
        "",
        &["instance.csv:3:1: the field areas is missing"],
    ),
    (
        "053155001002 053155001003",
        "053155001002 053155001002",
        &["instance.csv:3:44: the value is in the list twice"],
    ),
];

#[test]
fn the_values_of_a_csv_file_are_checked() {
    check("body.csv", VALUES_CSV_FILE_BODY);
    check("instance.csv", VALUES_CSV_FILE_INSTANCE);
}

#[test]
fn files_that_are_no_tables_are_refused() {
    let alone = |name: &str, bytes: &[u8]| {
        found(&[SourceFile {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        }])
    };
    assert_eq!(
        alone("map.txt", b"schema = 1"),
        ["map.txt:1:1: the file's name must end with .toml or .csv"]
    );
    assert_eq!(
        alone("stellen.csv", b"id,name\n"),
        [
            "stellen.csv:1:1: a CSV file is called after its table: class.csv, register.csv, evidence.csv, norm.csv, permission.csv, body.csv, instance.csv, or with a prefix and a dot before it"
        ]
    );
    assert_eq!(
        alone("map.toml", b"schema = 1\n"),
        ["map.toml:1:1: the file has no rows"]
    );
    assert_eq!(
        alone("map.toml", b"schema = 1\nclass = 3\n"),
        ["map.toml:2:1: class must be written as [[class]]"]
    );
    assert_eq!(
        alone("map.toml", b"schema = 1\nclass = [3]\n"),
        ["map.toml:2:10: class must be written as [[class]]"]
    );
    assert_eq!(alone("body.csv", b""), ["body.csv:1:1: the file has no rows"]);
    assert_eq!(
        alone("map.toml", b"schema = 1\n# Beh\xf6rde\n"),
        ["map.toml:2:6: the file is not UTF-8"]
    );
    assert_eq!(
        alone("map.toml", &vec![b' '; landkarte::file::MAX_FILE + 1]),
        ["map.toml:1:16777217: the file is longer than 16777216 bytes"]
    );
}

#[test]
fn every_error_of_all_files_is_reported_at_once() {
    let mut files = files();
    files[0] = file(
        "map.toml",
        &super::sample::TOML
            .replace("area = \"any\"", "area = \"all\"")
            .replace("read = \"2026-11-29\"\n", ""),
    );
    files[1] = file("body.csv", &super::sample::BODIES.replace("053155001002", "x"));
    assert_eq!(
        found(&files),
        [
            "map.toml:38:1: the field read is missing",
            "map.toml:57:8: the word is none of any, own, person",
            "body.csv:3:33: an Amtlicher Regionalschlüssel has 0, 2, 3, 5, 9 or 12 digits, or is the word `bund`"
        ]
    );
}

#[test]
fn columns_count_characters() {
    let text = "schema = 1\nclass = [{ id = \"äöü\", name = \"ä\" }, { id = \"b\", name = 3 }]\n";
    assert_eq!(
        found(&[file("map.toml", text)]),
        [
            "map.toml:2:17: not a name: 1 to 64 characters of a-z, 0-9, '.', ':' and '-'",
            "map.toml:2:57: text is expected, and a number is here"
        ]
    );
}
