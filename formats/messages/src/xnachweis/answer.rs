//! The two answers to a request.

use super::error::XmlError;
use super::error_response::{ERROR, EvidenceError0103};
use super::namespace::Namespace;
use super::parse::{Element, parse};
use super::response::{EvidenceResponse0102, RESPONSE};

/// One of the two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvidenceAnswer {
    /// 0102.
    Response(Box<EvidenceResponse0102>),
    /// 0103.
    Error(Box<EvidenceError0103>),
}

impl EvidenceAnswer {
    /// Reads the message, of either type.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        let document = parse(xml)?;
        let root = Element::root(&document);
        if root.is(Namespace::De, RESPONSE) {
            EvidenceResponse0102::read(root).map(|response| Self::Response(Box::new(response)))
        } else if root.is(Namespace::De, ERROR) {
            EvidenceError0103::read(root).map(|error| Self::Error(Box::new(error)))
        } else {
            Err(XmlError::Missing(
                "DE.EvidenceResponse.0102 or DE.EvidenceErrorResponse.0103",
            ))
        }
    }
}
