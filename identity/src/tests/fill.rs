//! § 6 (1) IDNrG: the first fill of a register.

use std::path::{Path, PathBuf};

use record::TestNumbers;

use super::world::{EMMA, OTTO, PERSONS, population};
use crate::fill::{BATCH, Fill, FillError, Filled, Quality, fill};
use crate::persons::base_data::{BaseDataPermission, BaseDatum};
use crate::persons::population::Population;

/// A folder with a population and a register's file.
struct Register {
    dir: tempfile::TempDir,
    population: Population,
    permission: BaseDataPermission,
}

fn row(reference: &str, names: &str, born: &str, address: &str, more: &str) -> String {
    format!(r#"{{"reference":"{reference}",{names},"date_of_birth":"{born}",{address}{more}}}"#)
}

fn emma(reference: &str, more: &str) -> String {
    let address = r#""postal_code":"50667","place":"KÖLN""#;
    row(
        reference,
        r#""family_name":"Mustermann","given_name":"emma""#,
        "1964-08-12",
        address,
        more,
    )
}

impl Register {
    fn new(rows: &[String], base_data: &[BaseDatum]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let population = population(dir.path(), PERSONS);
        std::fs::write(dir.path().join("rows.json"), format!("[{}]", rows.join(","))).unwrap();
        let permission = BaseDataPermission {
            permission: "p-1".parse().unwrap(),
            base_data: base_data.iter().copied().collect(),
        };
        Self {
            dir,
            population,
            permission,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn fill(&self, stop: impl Fn() -> bool) -> Result<Filled, FillError> {
        let options = Fill {
            rows: &self.path("rows.json"),
            result: &self.path("result.jsonl"),
            permission: &self.permission,
            test_numbers: TestNumbers::Allowed,
        };
        fill(&self.population, &options, stop)
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.path("result.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn each_row_has_its_result_and_the_report_names_no_person() {
    let blocked = r#""postal_code":"70825","place":"Korntal-Münchingen""#;
    let twins = r#""postal_code":"10115","place":"Berlin""#;
    let register = Register::new(
        &[
            emma("a", ""),
            row(
                "b",
                r#""family_name":"Schweigsam","given_name":"Otto""#,
                "1970-01-31",
                blocked,
                "",
            ),
            row(
                "c",
                r#""family_name":"Niemand","given_name":"Nora""#,
                "1980-01-01",
                twins,
                "",
            ),
            row(
                "d",
                r#""family_name":"Müller","given_name":"Kim""#,
                "2000-02-29",
                twins,
                "",
            ),
            emma("e", ""),
            emma("f", &format!(r#","idnr":"{OTTO}""#)),
            emma("g", &format!(r#","idnr":"{EMMA}x""#)),
            row(
                "h",
                r#""family_name":"Geheim","given_name":"G""#,
                "1980-13-01",
                twins,
                "",
            ),
        ],
        &[BaseDatum::FamilyName],
    );
    let Filled::Done(quality) = register.fill(|| false).unwrap() else {
        panic!("interrupted");
    };
    let results: Vec<_> = register
        .lines()
        .iter()
        .map(|line| {
            format!(
                "{}: {}",
                line["reference"].as_str().unwrap(),
                line["result"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            "a: found",
            "b: unknown",
            "c: unknown",
            "d: ambiguous",
            "e: doubled",
            "f: contradictory"
        ]
    );
    let expected =
        serde_json::json!({ "reference": "a", "result": "found", "idnr": EMMA, "family_name": "Mustermann" });
    assert_eq!(
        register.lines()[0],
        expected,
        "the permission names the family name only"
    );
    assert!(register.lines()[1..].iter().all(|line| line.get("idnr").is_none()));
    // A blocked person and one who does not exist differ in nothing.
    let without_reference = |at: usize| {
        let mut line = register.lines()[at].clone();
        line.as_object_mut().unwrap().remove("reference");
        line
    };
    assert_eq!(without_reference(1), without_reference(2));
    let report = serde_json::to_string(&quality).unwrap();
    assert_eq!((quality.found, quality.unknown, quality.ambiguous), (1, 2, 1));
    assert_eq!((quality.contradictory, quality.doubled, quality.faulty), (1, 1, 2));
    let faulty: Vec<_> = quality
        .faulty_rows
        .iter()
        .map(|row| (row.row, row.field.as_str()))
        .collect();
    assert_eq!(faulty, [(7, "idnr"), (8, "date_of_birth")]);
    for personal in [EMMA, OTTO, "Muster", "Geheim", "1964"] {
        assert!(!report.contains(personal), "{report}");
    }
    assert!(!exists(&register.path("result.jsonl.progress")));
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(register.path("result.jsonl"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_interrupted_fill_continues_where_it_stopped_and_refuses_other_input() {
    let twins = r#""postal_code":"10115","place":"Berlin""#;
    let other = row(
        "x",
        r#""family_name":"Niemand","given_name":"Nora""#,
        "1980-01-01",
        twins,
        "",
    );
    let mut rows = vec![emma("first", "")];
    rows.extend((1..3 * BATCH).map(|_| other.clone()));
    rows.push(emma("last", ""));
    let register = Register::new(&rows, &[]);
    assert_eq!(register.fill(|| true).unwrap(), Filled::Interrupted(BATCH));
    // What was written after the progress was stored is cut off.
    let result = register.path("result.jsonl");
    let mut torn = std::fs::read(&result).unwrap();
    torn.extend_from_slice(b"{\"reference\":\"to");
    std::fs::write(&result, torn).unwrap();
    assert_eq!(register.fill(|| true).unwrap(), Filled::Interrupted(2 * BATCH));

    let changed = BaseDataPermission {
        base_data: [BaseDatum::Place].into(),
        ..register.permission.clone()
    };
    let options = Fill {
        rows: &register.path("rows.json"),
        result: &result,
        permission: &changed,
        test_numbers: TestNumbers::Allowed,
    };
    let refused = fill(&register.population, &options, || false);
    assert!(matches!(refused, Err(FillError::OtherInput(_))));

    let done = register.fill(|| false).unwrap();
    let expected = Quality {
        found: 1,
        unknown: 3 * BATCH - 1,
        doubled: 1,
        ..Quality::default()
    };
    assert_eq!(
        done,
        Filled::Done(expected),
        "the last row is the person of the first, which another run has found"
    );
    let lines = register.lines();
    assert_eq!(lines.len() as u64, 3 * BATCH + 1);
    assert_eq!(lines[0]["result"], "found");
    assert_eq!(lines[lines.len() - 1]["result"], "doubled");
}
