//! Base data (Basisdaten) of a person, of which a receiver gets what its permission names and nothing else.
//!
//! SPEC: § 6 (2), (3) IDNrG with § 4 (2): base data are passed on as far as the receiver's task demands them. Nothing
//! but [`BaseDataPermission::subset`] reads the fields of [`BaseData`], so what no permission names leaves no
//! compartment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use text::Reference;

/// One kind of base data. The IDNr itself is no base data; a receiver gets it because it asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseDatum {
    /// Family name.
    FamilyName,
    /// Given names.
    GivenName,
    /// Date of birth, with zeros for what is not known.
    DateOfBirth,
    /// Postal code of the present address.
    PostalCode,
    /// Place of the present address.
    Place,
}

/// What a receiver may have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseDataPermission {
    /// The permission's identifier in the Registerlandkarte, for the report.
    pub permission: Reference,
    /// The base data that it names; it may name none.
    pub base_data: BTreeSet<BaseDatum>,
}

/// The base data of one person. `Debug` shows none.
#[derive(Clone)]
pub struct BaseData {
    pub(super) family_name: String,
    pub(super) given_name: String,
    pub(super) date_of_birth: String,
    pub(super) postal_code: String,
    pub(super) place: String,
}

impl std::fmt::Debug for BaseData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BaseData(…)")
    }
}

impl BaseDataPermission {
    /// The base data that the permission names.
    #[must_use]
    pub fn subset(&self, person: &BaseData) -> BTreeMap<BaseDatum, String> {
        let value = |datum| match datum {
            BaseDatum::FamilyName => &person.family_name,
            BaseDatum::GivenName => &person.given_name,
            BaseDatum::DateOfBirth => &person.date_of_birth,
            BaseDatum::PostalCode => &person.postal_code,
            BaseDatum::Place => &person.place,
        };
        let named = self.base_data.iter().copied();
        named.map(|datum| (datum, value(datum).clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_receiver_gets_what_its_permission_names_and_nothing_else() {
        let person = BaseData {
            family_name: "Mustermann".into(),
            given_name: "Emma".into(),
            date_of_birth: "1964-08-12".into(),
            postal_code: "50667".into(),
            place: "Köln".into(),
        };
        let all = [
            BaseDatum::FamilyName,
            BaseDatum::GivenName,
            BaseDatum::DateOfBirth,
            BaseDatum::PostalCode,
            BaseDatum::Place,
        ];
        for named in 0..1_u32 << all.len() {
            let base_data: BTreeSet<_> = (0..)
                .zip(all)
                .filter(|(at, _)| named >> at & 1 == 1)
                .map(|(_, one)| one)
                .collect();
            let permission = BaseDataPermission {
                permission: "p".parse().unwrap(),
                base_data: base_data.clone(),
            };
            let subset = permission.subset(&person);
            assert_eq!(subset.keys().copied().collect::<BTreeSet<_>>(), base_data);
            let text = serde_json::to_string(&subset).unwrap();
            let hidden = all.iter().filter(|one| !base_data.contains(one));
            let values = ["Mustermann", "Emma", "1964-08-12", "50667", "Köln"];
            for one in hidden {
                let at = all.iter().position(|known| known == one).unwrap();
                assert!(!text.contains(values[at]), "{text}");
            }
        }
        assert!(
            text::json::from_str::<BaseDataPermission>(r#"{"permission":"p","base_data":["everything"]}"#).is_err()
        );
    }
}
