//! Base data (Basisdaten) of a person, which leave identity by a permit and after an entry about it, and no other way.
//!
//! SPEC: § 6 (1) to (3) IDNrG with § 4 (2): base data are passed on as far as the receiver's task demands them.
//!
//! ```text
//! BaseData ── release(&RecordedRelease) ──▶ Released: the IDNr and the data that the permit names
//! ```
//!
//! Nothing else reads the fields of [`BaseData`]. A [`RecordedRelease`] exists only for an `inspection` that
//! is in the log, so an unrecorded release does not compile. A receiver's [`BaseDataPermit`] is made by `trust` alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::{Idnr, Kind, Label, Period};
use registerlandkarte::BaseDatum;
use serde::Serialize;
use trust::BaseDataPermit;

use crate::log::{LogError, TransparencyLog};

/// The base data of one person. `Debug` shows none.
#[derive(Clone)]
pub struct BaseData {
    pub(crate) idnr: Idnr,
    pub(crate) family_name: String,
    pub(crate) given_name: String,
    pub(crate) date_of_birth: String,
    pub(crate) postal_code: String,
    pub(crate) place: String,
}

impl std::fmt::Debug for BaseData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BaseData(…)")
    }
}

/// Proof that the log has the entry about a release of base data of this person by this permit.
pub struct RecordedRelease {
    idnr: Idnr,
    permit: Arc<BaseDataPermit>,
}

impl RecordedRelease {
    /// Looks the entry up in the followed log. `None` while the log has no inspection under this label. The label is
    /// that of the person's number whose record is about the permit.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    pub(crate) fn find<L: TransparencyLog>(
        log: &L,
        (period, label): (Period, &Label),
        idnr: &Idnr,
        permit: &Arc<BaseDataPermit>,
    ) -> Result<Option<Self>, LogError> {
        let located = log.locate(period, label)?;
        Ok(located
            .filter(|located| located.kind == Kind::Inspection)
            .map(|_| Self {
                idnr: idnr.clone(),
                permit: Arc::clone(permit),
            }))
    }
}

impl std::fmt::Debug for RecordedRelease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordedRelease(…)")
    }
}

/// What a receiver gets of one person: the IDNr, and the base data that its permit names. `Debug` shows none.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Released(BTreeMap<BaseDatum, String>);

impl std::fmt::Debug for Released {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Released(…)")
    }
}

impl BaseData {
    /// The IDNr and the data that the recorded permit names. `None` if the entry is about another person.
    #[must_use]
    pub fn release(&self, recorded: &RecordedRelease) -> Option<Released> {
        let value = |datum| match datum {
            BaseDatum::Idnr => self.idnr.expose(),
            BaseDatum::FamilyName => &self.family_name,
            BaseDatum::GivenName => &self.given_name,
            BaseDatum::DateOfBirth => &self.date_of_birth,
            BaseDatum::PostalCode => &self.postal_code,
            BaseDatum::Place => &self.place,
        };
        let permitted = recorded.permit.permissions().map(|(datum, _)| datum);
        (recorded.idnr == self.idnr)
            .then(|| Released(permitted.map(|datum| (datum, value(datum).to_owned())).collect()))
    }
}
