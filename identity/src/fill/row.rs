//! One row of a register's file.

use record::{Idnr, TestNumbers};
use text::{Fields, PersonName, RowError};

use crate::persons::NameSet;

/// A row that can be looked up.
pub(super) struct RegisterRow {
    /// The register's own name of the row.
    pub(super) reference: String,
    pub(super) names: NameSet,
    /// The number that the register has already.
    pub(super) idnr: Option<Idnr>,
}

impl RegisterRow {
    pub(super) fn read(mut fields: Fields, test_numbers: TestNumbers) -> Result<Self, RowError> {
        let reference = fields.text("reference")?;
        let family_name: PersonName = fields.parse_optional("family_name")?.unwrap_or_default();
        let given_name: PersonName = fields.parse_optional("given_name")?.unwrap_or_default();
        if !family_name.is_given() && !given_name.is_given() {
            return Err(RowError::new("family_name", "the row has no name"));
        }
        let born = fields.parse("date_of_birth")?;
        let names = NameSet::new(
            &family_name,
            &given_name,
            born,
            &fields.parse("postal_code")?,
            &fields.parse("place")?,
        );
        let idnr = fields.optional_text("idnr")?;
        let idnr = idnr.map(|idnr| Idnr::parse(&idnr, test_numbers));
        let idnr = idnr
            .transpose()
            .map_err(|_| RowError::new("idnr", "is not a valid IDNr"))?;
        fields.end()?;
        Ok(Self { reference, names, idnr })
    }
}
