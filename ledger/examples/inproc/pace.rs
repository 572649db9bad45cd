//! The speed of the machine: the median time of an Ed25519 verification (RFC 8032, `verify_strict`) on one thread.

use std::time::Instant;

use record::SigningKey;

use super::figures::Failure;

const SAMPLES: usize = 2001;

/// The time of a verification in microseconds.
pub(crate) fn micros() -> Result<f64, Failure> {
    let signer = SigningKey::from_seed([1; 32]);
    let (key, context, message) = (signer.public(), "einsicht/pace", [7; 256]);
    let signature = signer.sign_context(context, &message);
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let started = Instant::now();
        key.verify_context(context, &message, &signature)?;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[SAMPLES / 2])
}
