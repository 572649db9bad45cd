//! A set that is small when it has few elements.
//!
//! A `BTreeSet` with one text takes room for eleven. The directory has tens of thousands of such sets.

use core::fmt;
use core::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set as an ascending list without repetitions. It is serialised as a list; a list in another order is refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sorted<T>(Box<[T]>);

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> Deref for Sorted<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a Sorted<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Ord> FromIterator<T> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut elements: Vec<T> = elements.into_iter().collect();
        elements.sort_unstable();
        elements.dedup();
        Self(elements.into())
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for Sorted<T> {
    fn from(elements: [T; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<T: fmt::Debug> fmt::Debug for Sorted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<T: Serialize> Serialize for Sorted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for Sorted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let elements = Vec::deserialize(deserializer)?;
        if elements.is_sorted_by(|a, b| a < b) {
            Ok(Self(elements.into()))
        } else {
            Err(de::Error::custom("the elements of a set do not ascend"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cbor;

    #[test]
    fn a_set_has_each_element_once_in_ascending_order() {
        let set: Sorted<u8> = [3, 1, 2, 3, 1].into();
        assert_eq!(&*set, [1, 2, 3]);
        assert!(set.contains(&2) && !set.contains(&4));
        assert_eq!(cbor::from_slice::<Sorted<u8>>(&cbor::to_vec(&set)), Ok(set));
    }

    #[test]
    fn a_list_in_another_order_or_with_repetitions_is_no_set() {
        for list in [vec![2_u8, 1], vec![1, 1]] {
            assert!(
                cbor::from_slice::<Sorted<u8>>(&cbor::to_vec(&list)).is_err(),
                "{list:?}"
            );
        }
    }
}
