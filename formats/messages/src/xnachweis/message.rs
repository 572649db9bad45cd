//! A message of any of the twelve types.

use super::error::XmlError;
use super::error_response::{EvidenceError0103, EvidenceError0303, EvidenceOrderError0403, GetEvidenceError0413};
use super::get_evidence::GetEvidence0411;
use super::get_response::GetEvidenceResponse0412;
use super::message_type::MessageType;
use super::order::EvidenceOrder0401;
use super::order_response::EvidenceOrderResponse0402;
use super::parse::parse;
use super::request::{EvidenceRequest0101, EvidenceRequest0301};
use super::response::{EvidenceResponse0102, EvidenceResponse0302};

macro_rules! messages {
    ($($name:ident: $of:ident, $kind:ident;)+) => {
        /// A message of any type. `Debug` shows no person and no content.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Message {
            $(
                #[doc = concat!("See [`", stringify!($of), "`].")]
                $name(Box<$of>),
            )+
        }

        $(impl From<$of> for Message {
            fn from(message: $of) -> Self {
                Self::$name(Box::new(message))
            }
        })+

        impl Message {
            /// Name of the root element.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => MessageType::$kind.name,)+
                }
            }

            /// Encodes the message as XML.
            ///
            /// # Errors
            /// [`XmlError::Value`] when the type of an element does not have its value.
            pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
                match self {
                    $(Self::$name(message) => message.to_xml(),)+
                }
            }

            /// Reads a message of the type that its root names.
            ///
            /// # Errors
            /// See [`XmlError`].
            pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
                let document = parse(xml)?;
                $(if MessageType::$kind.is(&document) {
                    return $of::read(&document).map(Self::from);
                })+
                Err(XmlError::Missing("a root of XNachweis 1.2.0"))
            }
        }
    };
}

messages! {
    Request0101: EvidenceRequest0101, REQUEST_0101;
    Response0102: EvidenceResponse0102, RESPONSE_0102;
    Error0103: EvidenceError0103, ERROR_0103;
    Request0301: EvidenceRequest0301, REQUEST_0301;
    Response0302: EvidenceResponse0302, RESPONSE_0302;
    Error0303: EvidenceError0303, ERROR_0303;
    Order0401: EvidenceOrder0401, ORDER_0401;
    OrderResponse0402: EvidenceOrderResponse0402, ORDER_RESPONSE_0402;
    OrderError0403: EvidenceOrderError0403, ORDER_ERROR_0403;
    Get0411: GetEvidence0411, GET_0411;
    GetResponse0412: GetEvidenceResponse0412, GET_RESPONSE_0412;
    GetError0413: GetEvidenceError0413, GET_ERROR_0413;
}
