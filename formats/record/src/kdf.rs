//! HKDF-SHA256 (RFC 5869) with 32 bytes of output, the only key derivation in this crate.

use sha2::Sha256;

/// `HKDF-Expand(HKDF-Extract(salt, input), info, 32)`; the elements of `info` are concatenated.
#[expect(
    clippy::expect_used,
    reason = "RFC 5869 §2.3: the output may have up to 255 · 32 bytes"
)]
pub(crate) fn hkdf(salt: Option<&[u8]>, input: &[u8], info: &[&[u8]]) -> [u8; 32] {
    let mut output = [0; 32];
    hkdf::Hkdf::<Sha256>::new(salt, input)
        .expand_multi_info(info, &mut output)
        .expect("32 bytes can be derived");
    output
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// The first 32 bytes of the outputs in RFC 5869 appendix A.1 and A.3.
    #[test]
    fn hkdf_matches_rfc_5869() {
        let input = [0x0b; 22];
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let first = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
        assert_eq!(hex::encode(hkdf(Some(&salt), &input, &[&info])), first);
        assert_eq!(hex::encode(hkdf(Some(&salt), &input, &[&info[..3], &info[3..]])), first);
        let without_salt = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
        assert_eq!(hex::encode(hkdf(None, &input, &[])), without_salt);
    }
}
