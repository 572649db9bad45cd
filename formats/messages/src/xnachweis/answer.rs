//! The two answers to the request of an online service.

use super::error::XmlError;
use super::error_response::EvidenceError0103;
use super::message_type::MessageType;
use super::parse::parse;
use super::response::EvidenceResponse0102;

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
        if MessageType::RESPONSE_0102.is(&document) {
            EvidenceResponse0102::read(&document).map(|response| Self::Response(Box::new(response)))
        } else if MessageType::ERROR_0103.is(&document) {
            EvidenceError0103::read(&document).map(|error| Self::Error(Box::new(error)))
        } else {
            Err(XmlError::Missing(
                "DE.EvidenceResponse.0102 or DE.EvidenceErrorResponse.0103",
            ))
        }
    }
}
