//! One row of a file of persons.

use record::{Idnr, TestNumbers};
use text::{Fields, PartialDate, PersonName, PlaceName, PostalCode, RowError};

use super::NameSet;

/// A person with all that a population keeps.
pub(super) struct PersonRow {
    pub(super) idnr: Idnr,
    pub(super) given_name: PersonName,
    pub(super) family_name: PersonName,
    pub(super) date_of_birth: PartialDate,
    pub(super) postal_code: PostalCode,
    pub(super) place: PlaceName,
    pub(super) blocked: bool,
    pub(super) subject: Option<String>,
}

/// Reads a row. The names are returned as far as they are readable, also those of a faulty row.
pub(super) fn read(fields: Fields, test_numbers: TestNumbers) -> (Option<NameSet>, Result<PersonRow, RowError>) {
    let mut names = None;
    let row = read_fields(fields, test_numbers, &mut names);
    (names, row)
}

fn read_fields(
    mut fields: Fields,
    test_numbers: TestNumbers,
    names: &mut Option<NameSet>,
) -> Result<PersonRow, RowError> {
    let family_name: PersonName = fields.parse_optional("family_name")?.unwrap_or_default();
    let given_name: PersonName = fields.parse_optional("given_name")?.unwrap_or_default();
    let date_of_birth = fields.parse("date_of_birth")?;
    let postal_code = fields.parse("postal_code")?;
    let place = fields.parse("place")?;
    *names = Some(NameSet::new(
        &family_name,
        &given_name,
        date_of_birth,
        &postal_code,
        &place,
    ));
    if !family_name.is_given() && !given_name.is_given() {
        return Err(RowError::new("family_name", "the person has no name"));
    }
    let idnr = fields.text("idnr")?;
    let idnr = Idnr::parse(&idnr, test_numbers).map_err(|_| RowError::new("idnr", "is not a valid IDNr"))?;
    let blocked = fields.flag("blocked")?;
    let subject = fields.optional_text("subject")?;
    fields.end()?;
    Ok(PersonRow {
        idnr,
        given_name,
        family_name,
        date_of_birth,
        postal_code,
        place,
        blocked,
        subject,
    })
}
