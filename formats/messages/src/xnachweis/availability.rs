//! Evidence, or the time from which it is available (`EvidenceAvailability`).

use record::Timestamp;

use super::answer_head::Status;
use super::error::XmlError;
use super::evidence::{Evidence, Issuer};
use super::namespace::Namespace;
use super::parse::Children;
use super::values::{time, write_time};
use super::write::XmlWriter;

const NAME: &str = "EvidenceAvailability";

/// What a response brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// The evidence.
    Evidence(Box<Evidence>),
    /// Nothing yet. The evidence can be requested from this time on.
    From(Timestamp),
}

impl Availability {
    /// The evidence, if it is in the response.
    #[must_use]
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Evidence(evidence) => Some(evidence),
            Self::From(_) => None,
        }
    }

    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Evidence(_) => Status::Success,
            Self::From(_) => Status::Unavailable,
        }
    }

    pub(crate) fn write(&self, writer: &mut XmlWriter, issuer: Issuer<'_>) {
        writer.element(Namespace::De, NAME, &[], |writer| match self {
            Self::Evidence(evidence) => {
                writer.element(Namespace::De, "RegistryObjectList", &[], |writer| {
                    evidence.write(writer, issuer)
                });
            }
            Self::From(at) => write_time(writer, Namespace::De, "ResponseAvailableDateTime", *at),
        });
    }

    /// Takes the next child, which must be the availability that the status announces.
    pub(crate) fn read(children: &mut Children<'_>, status: Status, issuer: Issuer<'_>) -> Result<Self, XmlError> {
        let mut children = children.one(Namespace::De, NAME)?.only_children(NAME)?;
        let availability = match children.optional_text(Namespace::De, "ResponseAvailableDateTime") {
            Ok(None) => {
                let object = children.one(Namespace::De, "RegistryObjectList")?;
                Self::Evidence(Box::new(Evidence::read(object, issuer)?))
            }
            Ok(Some(at)) => Self::From(time(&at, "ResponseAvailableDateTime")?),
            Err(error) => return Err(error),
        };
        children.end()?;
        if availability.status() == status {
            Ok(availability)
        } else {
            Err(XmlError::Value("status"))
        }
    }
}
