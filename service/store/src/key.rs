//! Keys as bytes, which sort as the keys do.

use std::array::TryFromSliceError;

/// A key of a table. The engines order keys by their bytes, so the order of the bytes must be that of the keys.
pub trait Key: Sized + Send + 'static {
    /// The bytes of a key.
    type Bytes: AsRef<[u8]> + Send + 'static;

    /// Writes the key.
    fn to_bytes(&self) -> Self::Bytes;

    /// Reads a key.
    ///
    /// # Errors
    /// If these are not the bytes of a key.
    fn from_bytes(bytes: &[u8]) -> Result<Self, TryFromSliceError>;
}

impl<const N: usize> Key for [u8; N] {
    type Bytes = Self;

    fn to_bytes(&self) -> Self {
        *self
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, TryFromSliceError> {
        bytes.try_into()
    }
}

impl Key for u64 {
    type Bytes = [u8; 8];

    fn to_bytes(&self) -> [u8; 8] {
        self.to_be_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, TryFromSliceError> {
        bytes.try_into().map(Self::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bytes_of_keys_sort_as_the_keys_do_and_are_read_again(a: u64, b: u64, c: [u8; 16], d: [u8; 16]) {
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
            prop_assert_eq!(c.cmp(&d), c.to_bytes().cmp(&d.to_bytes()));
            prop_assert_eq!(u64::from_bytes(&a.to_bytes()).unwrap(), a);
            prop_assert_eq!(<[u8; 16]>::from_bytes(&c.to_bytes()).unwrap(), c);
        }
    }

    #[test]
    fn bytes_of_another_length_are_no_key() {
        assert!(u64::from_bytes(&[0; 7]).is_err());
        assert!(<[u8; 16]>::from_bytes(&[0; 17]).is_err());
    }
}
