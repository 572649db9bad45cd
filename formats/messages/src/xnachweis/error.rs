//! The error of XNachweis messages.

/// Why an XNachweis message is not accepted. Names elements, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More bytes than [`MAX_XML`](crate::limits::MAX_XML), or more elements, levels, attributes or namespaces than the
    /// manual of [`super`] allows.
    #[error("XML: larger than allowed")]
    TooLarge,
    /// Not well-formed UTF-8 XML.
    #[error("XML: not well-formed")]
    NotWellFormed,
    /// A DTD, an entity, a processing instruction or a foreign namespace.
    #[error("XML: contains {0}, which is not allowed")]
    Forbidden(&'static str),
    /// An element or attribute is missing.
    #[error("XNachweis: {0} is missing")]
    Missing(&'static str),
    /// An element contains something that the profile does not allow there.
    #[error("XNachweis: {0} contains something that does not belong there")]
    Unexpected(&'static str),
    /// A value is not of its type.
    #[error("XNachweis: the value of {0} is not allowed")]
    Value(&'static str),
}
