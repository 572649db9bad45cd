//! Invented persons: as many as wanted, the same ones in each run.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use record::{Idnr, IdnrError, TestNumbers};
use serde_json::{Value, json};
use service::durable;

/// The type of evidence that the register has about each person.
pub(crate) const EVIDENCE: &str = "zb1";
/// The postal code and the place of each person.
const POSTAL_CODE: &str = "50667";
const PLACE: &str = "Köln";

/// A person. The name is made from the number in the list, so no two persons have the same.
pub(crate) struct Person {
    pub(crate) idnr: Idnr,
    number: usize,
}

impl Person {
    fn family_name(&self) -> String {
        let letters = |number: usize| {
            let letter = |place: u32| char::from(b'a' + u8::try_from(number / 26_usize.pow(place) % 26).unwrap_or(0));
            [3, 2, 1, 0].map(letter).iter().collect::<String>()
        };
        format!("Muster{}", letters(self.number))
    }

    /// Every day of birth is valid in each month.
    fn date_of_birth(&self) -> String {
        let (year, month, day) = (self.number % 70, self.number / 70 % 12, self.number / 840 % 28);
        format!("{}-{:02}-{:02}", 1930 + year, 1 + month, 1 + day)
    }

    /// The person in a query to a connector. Every second query names the IDNr.
    pub(crate) fn in_query(&self) -> Value {
        json!({
            "idnr": self.number.is_multiple_of(2).then(|| self.idnr.expose()),
            "family_name": self.family_name(),
            "given_name": "Kim",
            "date_of_birth": self.date_of_birth(),
            "postal_code": POSTAL_CODE,
            "place": PLACE,
        })
    }

    fn in_population(&self) -> Value {
        json!({
            "idnr": self.idnr.expose(),
            "family_name": self.family_name(),
            "given_name": "Kim",
            "date_of_birth": self.date_of_birth(),
            "postal_code": POSTAL_CODE,
            "place": PLACE,
        })
    }

    fn in_register(&self) -> Value {
        json!({ EVIDENCE: {
            "kennzeichen": format!("K-EX {}", self.number),
            "erstzulassung": "2019-04-17",
            "halter": self.family_name(),
            "marke": "Beispiel",
        } })
    }
}

/// Makes this many persons with test numbers.
pub(crate) fn invent(count: usize) -> Result<Vec<Person>> {
    let mut persons = Vec::with_capacity(count);
    // A step that is prime to 10^9 visits each nine-digit number once, in no order.
    let numbers = (0..1_000_000_000_u64).map(|at| at * 387_420_489 % 1_000_000_000);
    for digits in numbers {
        if persons.len() == count {
            return Ok(persons);
        }
        for check in 0..10 {
            match Idnr::parse(&format!("0{digits:09}{check}"), TestNumbers::Allowed) {
                Ok(idnr) => persons.push(Person {
                    idnr,
                    number: persons.len(),
                }),
                Err(IdnrError::CheckDigit) => continue,
                Err(_) => {}
            }
            break;
        }
    }
    anyhow::bail!("there are fewer than {count} test numbers")
}

/// Writes the file that identity imports.
pub(crate) fn write_population(path: &Path, persons: &[Person]) -> Result<()> {
    let rows = persons.iter().map(|person| person.in_population().to_string());
    write(path, ('[', ']'), rows)
}

/// Writes the register's data.
pub(crate) fn write_register(path: &Path, persons: &[Person]) -> Result<()> {
    let rows = persons
        .iter()
        .map(|person| format!("\"{}\":{}", person.idnr.expose(), person.in_register()));
    write(path, ('{', '}'), rows)
}

/// The register's schema.
pub(crate) fn schema() -> Value {
    let field = |name: &str| json!({ "name": name, "title": name, "category": "Fahrzeugdaten" });
    let fields = ["kennzeichen", "erstzulassung", "halter", "marke"].map(field);
    json!({ "name": "Register", "evidence_types": [{
        "id": EVIDENCE,
        "title": "Zulassungsbescheinigung Teil I",
        "fields": fields,
    }] })
}

fn write(path: &Path, (open, close): (char, char), rows: impl Iterator<Item = String>) -> Result<()> {
    let file = durable::open_private(path).with_context(|| path.display().to_string())?;
    let mut file = std::io::BufWriter::new(file);
    write!(file, "{open}")?;
    for (number, row) in rows.enumerate() {
        let comma = if number > 0 { ",\n" } else { "" };
        write!(file, "{comma}{row}")?;
    }
    write!(file, "{close}")?;
    file.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_persons_have_one_number_or_one_name() {
        let persons = invent(3000).unwrap();
        let numbers: HashSet<&str> = persons.iter().map(|person| person.idnr.expose()).collect();
        let names: HashSet<String> = persons.iter().map(Person::family_name).collect();
        assert_eq!((numbers.len(), names.len()), (3000, 3000));
        assert!(persons.iter().all(|person| person.idnr.is_test_number()));
    }
}
