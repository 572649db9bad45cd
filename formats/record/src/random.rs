//! Random bytes from the operating system, or from the browser on `wasm32`.

use thiserror::Error;

/// The system's random number generator failed. Nothing may be sealed or sent then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no randomness from the operating system")]
pub struct RandomnessError;

/// Returns `N` random bytes.
///
/// # Errors
/// [`RandomnessError`] when the generator fails.
pub fn random<const N: usize>() -> Result<[u8; N], RandomnessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| RandomnessError)?;
    Ok(bytes)
}
