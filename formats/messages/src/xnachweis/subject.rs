//! Who a message is about (`LegalOrNaturalPerson`).

use super::error::XmlError;
use super::legal_person::LegalPerson;
use super::namespace::Namespace;
use super::parse::Children;
use super::person::NaturalPerson;
use super::write::XmlWriter;

const NAME: &str = "LegalOrNaturalPerson";

/// The person that a message is about. `Debug` shows only of which kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A natural person.
    Natural(Box<NaturalPerson>),
    /// A legal person.
    Legal(Box<LegalPerson>),
}

impl From<NaturalPerson> for Subject {
    fn from(person: NaturalPerson) -> Self {
        Self::Natural(Box::new(person))
    }
}

impl From<LegalPerson> for Subject {
    fn from(person: LegalPerson) -> Self {
        Self::Legal(Box::new(person))
    }
}

impl Subject {
    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::Bk, NAME, &[], |writer| match self {
            Self::Natural(person) => person.write(writer),
            Self::Legal(person) => person.write(writer),
        });
    }

    /// Takes the next child, which must be the subject.
    pub(crate) fn read(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let mut choice = children.one(Namespace::Bk, NAME)?.only_children(NAME)?;
        let subject = match choice.optional(Namespace::Bk, "LegalPerson") {
            Some(person) => LegalPerson::read(person)?.into(),
            None => NaturalPerson::read(choice.one(Namespace::Bk, "NaturalPerson")?)?.into(),
        };
        choice.end()?;
        Ok(subject)
    }
}
