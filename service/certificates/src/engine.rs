//! What issues certificates.

use std::pin::Pin;

use crate::admission::Order;

/// A certificate in PEM, with the certificates between it and a root, if there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(pub String);

/// Why no certificate was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine is not reached. Retryable.
    #[error("the certificate authority does not answer: {0}")]
    NotReached(String),
    /// The engine cannot issue this certificate. An operator must act.
    #[error("the certificate authority cannot issue the certificate: {0}")]
    Failed(String),
}

/// The result of an engine, which may ask another process.
pub type Issuing<'a> = Pin<Box<dyn Future<Output = Result<Chain, EngineError>> + Send + 'a>>;

/// A certificate authority. It decides nothing: it issues what [`crate::Admission`] has admitted.
pub trait Engine: Send + Sync + 'static {
    /// Issues the certificate of an order.
    fn issue<'a>(&'a self, order: &'a Order) -> Issuing<'a>;
}
