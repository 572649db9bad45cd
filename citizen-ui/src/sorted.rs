//! Sorting, with one instance of the standard library's sort for all types: each further one would be a kilobyte of the
//! browser's program.

/// Sorts items by texts. Those with the same text keep their order.
pub(crate) fn sorted<T>(items: Vec<T>, text: impl Fn(&T) -> String) -> Vec<T> {
    let texts = items.iter().enumerate().map(|(at, item)| (text(item), at)).collect();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let order = order(texts).into_iter();
    order
        .filter_map(|at| items.get_mut(at).and_then(Option::take))
        .collect()
}

/// The text by which larger numbers come first.
pub(crate) fn descending(number: u64) -> String {
    format!("{:020}", u64::MAX - number)
}

#[inline(never)]
fn order(mut texts: Vec<(String, usize)>) -> Vec<usize> {
    texts.sort_unstable();
    texts.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_sorted_by_their_texts_and_equal_ones_keep_their_order() {
        let items = vec![("b", 1), ("a", 2), ("b", 3), ("a", 4)];
        let by_text = sorted(items, |item| item.0.to_owned());
        assert_eq!(by_text, [("a", 2), ("a", 4), ("b", 1), ("b", 3)]);
        let numbers = vec![9, 10, u64::MAX, 0];
        assert_eq!(sorted(numbers, |number| descending(*number)), [u64::MAX, 10, 9, 0]);
    }
}
