//! A period's secret key, and the label function under it (design §5.1).

use std::sync::OnceLock;

use record::{Idnr, Period, Phase, Series};
use tlog::vrf::{Output, Proof, SecretKey};

use crate::committer::StoreError;
use crate::state::Labels;

/// The label function's result for one number.
#[derive(Clone)]
pub struct Evaluated {
    /// The VRF proof, which covers all labels of the number.
    pub proof: [u8; 80],
    /// The labels.
    pub labels: Labels,
}

impl Evaluated {
    fn new(proof: Proof, output: &Output) -> Self {
        Self {
            proof: proof.0,
            labels: Labels {
                intent: record::label::label(output, Phase::Intent),
                outcome: record::label::label(output, Phase::Outcome),
                preview: record::label::label(output, Phase::Preview),
            },
        }
    }

    /// The result that this proof of identity's own is for, at a fiftieth of the cost of an evaluation.
    pub fn of_own_proof(proof: [u8; 80]) -> Self {
        let proof = Proof(proof);
        Self::new(proof, &proof.unverified_output())
    }
}

/// A period and its VRF secret.
pub struct PeriodSecret {
    pub(super) period: Period,
    pub(super) start: u64,
    pub(super) key: SecretKey,
    /// The index and the bytes of the entry that begins the period.
    pub(super) begin: OnceLock<(u64, Vec<u8>)>,
}

impl std::fmt::Debug for PeriodSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PeriodSecret(period {})", self.period.0)
    }
}

impl PeriodSecret {
    pub(super) fn new(period: Period, start: u64, seed: &[u8; 32]) -> Result<Self, StoreError> {
        Ok(Self {
            period,
            start,
            key: SecretKey::from_seed(seed).map_err(|_| StoreError::Corrupt("periods"))?,
            begin: OnceLock::new(),
        })
    }

    /// The same period with another start.
    pub(super) fn starting_at(&self, start: u64) -> Self {
        Self {
            period: self.period,
            start,
            key: self.key.clone(),
            begin: self.begin.clone(),
        }
    }

    /// The period.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The index and the bytes of the entry that begins the period, once it is in the log.
    pub fn begin(&self) -> Option<(u64, &[u8])> {
        self.begin.get().map(|(index, leaf)| (*index, leaf.as_slice()))
    }

    /// Evaluates the label function for a number.
    pub fn evaluate(&self, idnr: &Idnr, series: Series, number: u32) -> Evaluated {
        let alpha = record::label::alpha(idnr, self.period, series, number);
        let (proof, output) = self.key.prove(&alpha);
        Evaluated::new(proof, &output)
    }
}
