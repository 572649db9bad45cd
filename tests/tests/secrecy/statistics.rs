//! The two-sample Kolmogorov-Smirnov test: whether two samples can be of one distribution.
//!
//! It compares whole distributions and no averages, and assumes no shape. On a loaded machine all samples are slow
//! alike, because they were taken in turn.

/// With this probability two samples of one distribution are called different.
const ERROR: f64 = 1e-6;

/// The largest difference between the two empirical distributions, and the one that is still no difference.
pub(crate) fn compare(first: &[u64], second: &[u64]) -> (f64, f64) {
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    first.sort_unstable();
    second.sort_unstable();
    let share = |sample: &[u64], value: u64| sample.partition_point(|one| *one <= value) as f64 / sample.len() as f64;
    let values = first.iter().chain(&second);
    let largest = values
        .map(|value| (share(&first, *value) - share(&second, *value)).abs())
        .fold(0.0, f64::max);
    let (n, m) = (first.len() as f64, second.len() as f64);
    let allowed = (-(ERROR / 2.0).ln() / 2.0).sqrt() * ((n + m) / (n * m)).sqrt();
    (largest, allowed)
}

#[test]
fn a_shift_is_noticed_and_noise_is_not() {
    // A fixed sequence that looks random, of times around 100 000.
    let times = |seed: u64, shift: u64, count: u64| -> Vec<u64> {
        (0..count)
            .map(|number| 100_000 + (number * 7919 + seed) * 104_729 % 40_000 + shift)
            .collect()
    };
    let (noise, allowed) = compare(&times(1, 0, 1000), &times(2, 0, 1000));
    assert!(noise < allowed, "{noise} {allowed}");
    let (shifted, allowed) = compare(&times(1, 0, 1000), &times(2, 8_000, 1000));
    assert!(shifted > allowed, "{shifted} {allowed}");
    let (shifted, allowed) = compare(&times(1, 0, 40), &times(2, 30_000, 40));
    assert!(shifted > allowed, "{shifted} {allowed}");
}
