//! Random bytes from the operating system.

/// The operating system has no randomness to give. Nothing may be sealed or sent then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no randomness from the operating system")]
pub struct RandomnessError;

/// `N` bytes from the operating system's generator.
///
/// # Errors
/// [`RandomnessError`] when the generator fails.
pub fn random<const N: usize>() -> Result<[u8; N], RandomnessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| RandomnessError)?;
    Ok(bytes)
}
