//! Statistics that an outsider can compute over 32-byte values that should look random.
//!
//! Every statistic is expressed in standard deviations from the expectation for independent, uniform bits. More than
//! [`MAX_DEVIATION`] is a finding. By chance that happens once in 500 million statistics, so a test over fresh labels
//! does not fail by chance. The caller says which values belong together and in which order, which is more than an
//! outsider knows.
//!
//! | Statistic | Notices |
//! | --- | --- |
//! | `ones`, `bytes`, `positions` | values that are not uniform; a bit that is stuck or prefers one side |
//! | `runs` | bits that follow one another inside values |
//! | `neighbours`, `near` | values that depend on one of the eight before |
//! | `trend` | values that grow or shrink |
//! | `repeats` | eight bytes that occur twice: a shared prefix, a phase that keeps half of another |
//! | `steps` | the same difference twice: counters, constants added |

use std::collections::HashSet;

/// The size of labels, commitments and roots.
pub(super) type Value = [u8; 32];

/// Standard deviations beyond which chance is ruled out.
const MAX_DEVIATION: f64 = 6.0;
/// Fewer values do not suffice for the statistics of bytes and positions.
const MIN_VALUES: usize = 40;

/// No findings, the result for random values.
pub(super) const NOTHING: [&str; 0] = [];

/// The names of the statistics that find something in these values.
pub(super) fn findings(values: &[Value]) -> Vec<&'static str> {
    assert!(values.len() >= MIN_VALUES, "too few values for the statistics");
    let mut scores = vec![
        ("ones", ones(values)),
        ("bytes", bytes(values)),
        ("positions", positions(values)),
        ("runs", runs(values)),
        ("trend", trend(values)),
    ];
    for lag in 1..=8 {
        let apart: Vec<Value> = values.iter().zip(&values[lag..]).map(|(a, b)| xor(a, b)).collect();
        scores.push(("neighbours", positions(&apart)));
        scores.push(("near", ones(&apart)));
    }
    let mut found: Vec<_> = scores
        .into_iter()
        .filter(|(_, score)| score.abs() > MAX_DEVIATION)
        .map(|(name, _)| name)
        .collect();
    if twice(values.iter().flat_map(words)) {
        found.push("repeats");
    }
    let steps = values.windows(2).flat_map(|pair| differences(&pair[1], &pair[0]));
    if twice(steps) {
        found.push("steps");
    }
    found.dedup();
    found
}

/// Compares two values of each item: whether one reveals something about the other.
pub(super) fn compare(left: &[Value], right: &[Value]) -> Vec<&'static str> {
    let apart: Vec<Value> = left.iter().zip(right).map(|(a, b)| xor(a, b)).collect();
    let mut found = findings(&apart);
    if twice(left.iter().zip(right).flat_map(|(a, b)| differences(a, b))) {
        found.push("steps");
    }
    if twice(left.iter().chain(right).flat_map(words)) {
        found.push("repeats");
    }
    found
}

fn xor(a: &Value, b: &Value) -> Value {
    std::array::from_fn(|at| a[at] ^ b[at])
}

fn words(value: &Value) -> impl Iterator<Item = u64> + use<> {
    let value = *value;
    (0..4).map(move |word| u64::from_be_bytes(std::array::from_fn(|at| value[8 * word + at])))
}

fn differences(a: &Value, b: &Value) -> impl Iterator<Item = u64> + use<> {
    words(a).zip(words(b)).map(|(a, b)| a.wrapping_sub(b))
}

/// Whether a 64-bit word occurs twice. Among the roughly ten thousand words of a test that does not happen by chance.
fn twice(mut words: impl Iterator<Item = u64>) -> bool {
    let mut seen = HashSet::new();
    words.any(|word| !seen.insert(word))
}

/// Standard deviations of a count of heads among fair coin tosses.
fn coins(heads: u64, tosses: u64) -> f64 {
    let tosses = tosses as f64;
    (heads as f64 - tosses / 2.0) / (tosses / 4.0).sqrt()
}

/// Standard deviations of a chi-square sum (Wilson and Hilferty, 1931).
fn chi_square(sum: f64, degrees: f64) -> f64 {
    let spread = 2.0 / (9.0 * degrees);
    ((sum / degrees).cbrt() - (1.0 - spread)) / spread.sqrt()
}

fn ones(values: &[Value]) -> f64 {
    let ones = values.iter().flatten().map(|byte| u64::from(byte.count_ones())).sum();
    coins(ones, 256 * values.len() as u64)
}

fn bytes(values: &[Value]) -> f64 {
    let mut counts = [0_u64; 256];
    for byte in values.iter().flatten() {
        counts[usize::from(*byte)] += 1;
    }
    let expected = values.len() as f64 * 32.0 / 256.0;
    chi_square(
        counts
            .iter()
            .map(|count| (*count as f64 - expected).powi(2) / expected)
            .sum(),
        255.0,
    )
}

fn bit(value: &Value, position: usize) -> bool {
    value[position / 8] >> (7 - position % 8) & 1 == 1
}

fn positions(values: &[Value]) -> f64 {
    let squares = (0..256).map(|position| {
        let ones = values.iter().filter(|value| bit(value, position)).count();
        coins(ones as u64, values.len() as u64).powi(2)
    });
    chi_square(squares.sum(), 256.0)
}

fn runs(values: &[Value]) -> f64 {
    let changes = values
        .iter()
        .map(|value| (1..256).filter(|at| bit(value, *at) != bit(value, at - 1)).count());
    coins(changes.sum::<usize>() as u64, 255 * values.len() as u64)
}

/// Correlation between the position in the order and each of the four words, combined.
fn trend(values: &[Value]) -> f64 {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let square = |at: f64| (at - middle).powi(2);
    let places: f64 = (0..values.len()).map(|at| square(at as f64)).sum();
    let squares = (0..4).map(|word| {
        let sizes = values
            .iter()
            .map(|value| words(value).nth(word).unwrap_or_default() as f64 / u64::MAX as f64);
        let together: f64 = sizes
            .enumerate()
            .map(|(at, size)| (at as f64 - middle) * (size - 0.5))
            .sum();
        // The variance of a uniform number is 1/12.
        together.powi(2) / (places / 12.0)
    });
    chi_square(squares.sum(), 4.0)
}
