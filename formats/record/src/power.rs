//! The power by which one person acts for another.

use serde::{Deserialize, Serialize};

/// Why a representative may act for the person whom the evidence is about. Both persons read it in their cockpit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Parental custody of a minor (elterliche Sorge, § 1626 BGB).
    Parent,
    /// Guardianship of a minor (Vormundschaft, § 1773 BGB).
    Guardian,
    /// Custodianship of an adult (rechtliche Betreuung, § 1814 BGB).
    Custodian,
    /// A power of attorney (Vollmacht, § 167 BGB).
    Attorney,
    /// The office of a notary who acts in the person's matter (§ 24 BNotO).
    Notary,
}

/// The age from which a person is of full age (§ 2 BGB).
const FULL_AGE: u16 = 18;

impl Power {
    /// All powers.
    pub const ALL: [Self; 5] = [
        Self::Parent,
        Self::Guardian,
        Self::Custodian,
        Self::Attorney,
        Self::Notary,
    ];

    /// Whether a person of this age, in years, can be represented by this power. Custody and guardianship end with the
    /// person's full age, and a custodian is appointed for adults alone.
    #[must_use]
    pub const fn suits(self, age: u16) -> bool {
        match self {
            Self::Parent | Self::Guardian => age < FULL_AGE,
            Self::Custodian => age >= FULL_AGE,
            Self::Attorney | Self::Notary => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Power;

    #[test]
    fn custody_ends_with_full_age_and_custodianship_begins_there() {
        for (power, minor, adult) in [
            (Power::Parent, true, false),
            (Power::Guardian, true, false),
            (Power::Custodian, false, true),
            (Power::Attorney, true, true),
            (Power::Notary, true, true),
        ] {
            assert_eq!((power.suits(17), power.suits(18)), (minor, adult), "{power:?}");
        }
    }
}
