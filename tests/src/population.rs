//! Persons of a test's own, beside those of the demonstration.

use anyhow::{Context as _, Result, ensure};
use record::{Idnr, TestNumbers};
use serde_json::{Value, json};

use crate::processes::Processes;
use crate::run;

/// A person as identity's file of persons has it.
#[derive(Debug, Clone)]
pub struct TestPerson {
    /// The (test) identification number.
    pub idnr: String,
    /// Family name.
    pub family_name: String,
    /// Whether there is an Auskunftssperre.
    pub blocked: bool,
}

/// The given name of all of them.
pub const GIVEN_NAME: &str = "Kira";

impl TestPerson {
    /// The person with the `number`th test number after those of other persons.
    pub fn new(number: usize, family_name: &str, blocked: bool) -> Result<Self> {
        Ok(Self {
            idnr: idnr(number)?,
            family_name: family_name.to_owned(),
            blocked,
        })
    }

    /// The row of identity's file.
    fn row(&self) -> Value {
        json!({ "idnr": self.idnr, "family_name": self.family_name, "given_name": GIVEN_NAME,
            "date_of_birth": "1980-02-29", "postal_code": "73614", "place": "Rheinfurt", "blocked": self.blocked })
    }

    /// The person of a query, by name and address.
    #[must_use]
    pub fn query(family_name: &str) -> Value {
        json!({ "family_name": family_name, "given_name": GIVEN_NAME, "date_of_birth": "1980-02-29",
            "postal_code": "73614", "place": "Rheinfurt" })
    }
}

/// A valid test number. Each number has another one.
fn idnr(number: usize) -> Result<String> {
    // Nine digits that leave one digit out and repeat one, so that most have the structure; the last is the check
    // digit.
    let mut valid = (0..1_000_000_u64).filter_map(|seed| {
        let first = format!("0{:09}", 123_456_789 + seed * 7919);
        (0..10).find_map(|check| Idnr::parse(&format!("{first}{check}"), TestNumbers::Allowed).ok())
    });
    let found = valid.nth(number).context("there are so many test numbers")?;
    Ok(found.expose().to_owned())
}

/// Adds persons before identity is started.
pub fn add(processes: &Processes, persons: &[TestPerson]) -> Result<()> {
    let path = processes.data.join("identity/persons.json");
    let mut rows: Vec<Value> = serde_json::from_slice(&std::fs::read(&path)?)?;
    rows.extend(persons.iter().map(TestPerson::row));
    std::fs::write(&path, serde_json::to_vec(&rows)?)?;
    import(processes).map(drop)
}

/// Imports identity's file of persons as an operator does, and returns what the command says about faulty rows.
pub fn import(processes: &Processes) -> Result<String> {
    let folder = processes.data.join("identity");
    let [config, file] = ["config.json", "persons.json"].map(|name| folder.join(name).display().to_string());
    let imported = run("identity", &["import", "--config", &config, &file])?;
    let said = String::from_utf8_lossy(&imported.stderr).into_owned();
    ensure!(imported.status.success(), "the persons are not imported: {said}");
    Ok(said)
}

/// A letter for each digit, because a name has no digits.
#[must_use]
pub fn letters(number: usize) -> String {
    let digits = format!("{number:05}");
    digits.bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}
