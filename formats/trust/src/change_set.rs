//! A change set: a header and the operations that it names.
//!
//! The header and the operations are two documents, each named by its digest: the log's entry names the signed header,
//! and the header names the operations. In a file both follow each other (a CBOR sequence, RFC 8742).

use record::SigningKey;
use record::cbor;

use crate::authority::Authorities;
use crate::error::SetParseError;
use crate::header::SetHeader;
use crate::limits::MAX_SET;
use crate::operation::Operations;
use crate::signed::{SetSignature, SignedHeader};

/// A set that is not signed yet, made by [`crate::TrustState::propose`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// What authorities sign.
    pub header: SetHeader,
    /// The operations that the header names.
    pub operations: Operations,
}

impl ChangeSet {
    /// Signs with the keys of several authorities at once. Authorities in different places each make a
    /// [`SetSignature`] instead.
    ///
    /// # Errors
    /// [`SetParseError::Signatures`] when there is no key, the same key twice, or too many.
    pub fn sign(self, keys: &[&SigningKey]) -> Result<SignedChangeSet, SetParseError> {
        let signatures = keys.iter().map(|key| SetSignature::sign(&self.header, key)).collect();
        self.with(signatures)
    }

    /// Adds the signatures that authorities have made.
    ///
    /// # Errors
    /// [`SetParseError::Signatures`] when there are none or too many, or two by one key.
    pub fn with(self, signatures: Vec<SetSignature>) -> Result<SignedChangeSet, SetParseError> {
        SignedChangeSet::new(SignedHeader::new(self.header, signatures)?, self.operations)
    }
}

/// A set with its signatures, which [`crate::TrustState::apply`] verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedChangeSet {
    signed: SignedHeader,
    operations: Operations,
}

impl SignedChangeSet {
    /// Puts a signed header and its operations together.
    ///
    /// # Errors
    /// [`SetParseError::OtherOperations`] when the header names other operations.
    pub fn new(signed: SignedHeader, operations: Operations) -> Result<Self, SetParseError> {
        if signed.header().operations != operations.digest() {
            return Err(SetParseError::OtherOperations);
        }
        Ok(Self { signed, operations })
    }

    /// Reads a file with a signed set.
    ///
    /// # Errors
    /// See [`SetParseError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SetParseError> {
        if bytes.len() > MAX_SET {
            return Err(SetParseError::OperationsTooLong);
        }
        let (header, operations) = bytes.split_at(cbor::item_len(bytes)?);
        Self::new(SignedHeader::parse(header)?, Operations::parse(operations)?)
    }

    /// Adds the signature of a further authority. It must have checked the set first: what it would propose itself
    /// with the same operations, reason and time ([`crate::TrustState::propose`]) has the same header.
    ///
    /// # Errors
    /// [`SetParseError::Signatures`] when the authority has signed already, or there are too many.
    pub fn with_signature(self, signature: SetSignature) -> Result<Self, SetParseError> {
        let signatures = [self.signed.signatures(), &[signature]].concat();
        let signed = SignedHeader::new(self.signed.header().clone(), signatures)?;
        Ok(Self { signed, ..self })
    }

    /// Verifies the signatures before it is this set's turn, so that a reader of many sets can do it in parallel.
    /// [`crate::TrustState::apply`] then checks who has signed, and does not repeat the arithmetic. A set whose
    /// signatures are not all valid, or by a key that is not among `authorities`, stays as it was.
    pub fn verify_ahead(&mut self, authorities: &Authorities) {
        let kind = self.header().kind;
        self.signed.verify_ahead(|id| authorities.key(id, kind));
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.signed.bytes(), self.operations.bytes()].concat()
    }

    /// The header with its signatures: the document that the log's entry names.
    #[must_use]
    pub const fn signed(&self) -> &SignedHeader {
        &self.signed
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &SetHeader {
        self.signed.header()
    }

    /// The operations: the document that the header names.
    #[must_use]
    pub const fn operations(&self) -> &Operations {
        &self.operations
    }
}
