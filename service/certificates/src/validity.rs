//! From when to when a certificate is valid.

use record::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The certificate is malformed, or its times are before 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate with a validity since 1970")]
pub struct InvalidValidity;

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: Timestamp,
    /// The last second.
    pub until: Timestamp,
}

impl Validity {
    /// The validity of the first certificate in a text in PEM.
    ///
    /// # Errors
    /// [`InvalidValidity`].
    pub fn of(pem: &str) -> Result<Self, InvalidValidity> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| InvalidValidity)?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|_| InvalidValidity)?;
        let validity = certificate.validity();
        let time = |time: x509_parser::time::ASN1Time| {
            let seconds = u64::try_from(time.timestamp()).map_err(|_| InvalidValidity)?;
            Ok(Timestamp(seconds))
        };
        Ok(Self {
            from: time(validity.not_before)?,
            until: time(validity.not_after)?,
        })
    }

    /// When to renew: after two thirds of the validity, or up to a twelfth of it earlier. `random` says how much
    /// earlier, so that components that were started together do not renew together.
    #[must_use]
    pub fn due(&self, random: u32) -> Timestamp {
        let life = self.until.since(self.from);
        let earlier = u128::from(life / 12) * u128::from(random) / u128::from(u32::MAX);
        let earlier = u64::try_from(earlier).unwrap_or_default();
        self.from.after(life / 3 * 2).before(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_before_two_thirds_of_its_life() {
        let validity = Validity {
            from: Timestamp(1_000_000),
            until: Timestamp(1_000_000 + 86_400),
        };
        assert_eq!(validity.due(0), Timestamp(1_000_000 + 57_600));
        assert_eq!(validity.due(u32::MAX), Timestamp(1_000_000 + 57_600 - 7_200));
        assert!(Validity::of("no certificate").is_err());
    }
}
