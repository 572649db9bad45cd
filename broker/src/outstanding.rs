//! Bounds what is outstanding: how many exchanges of a provider are open or have a notice that is not delivered, how
//! many completions of a consumer are not acknowledged, and how many previews of a consumer await a decision.
//!
//! A participant that reaches [`MAX_OUTSTANDING`] or [`MAX_PREVIEWS`] gets no further exchanges until it has caught up
//! (503). So a connector that hangs, or never accepts an outcome, can fill neither the broker's memory nor its journal,
//! and costs the exchanges of the others nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use record::ParticipantId;

/// The most outstanding exchanges of one participant.
pub const MAX_OUTSTANDING: usize = 1024;

/// The most outstanding previews of one participant. Persons take minutes, and each preview has some kilobytes.
pub const MAX_PREVIEWS: usize = 16 * MAX_OUTSTANDING;

/// Counts by participant. Cheap to clone; clones share the counts.
#[derive(Debug, Clone)]
pub struct Outstanding {
    counts: Arc<Mutex<HashMap<ParticipantId, usize>>>,
    limit: usize,
}

/// A counted exchange. Dropping it gives the place back, unless it was kept for the journal.
#[derive(Debug)]
pub struct Place {
    outstanding: Outstanding,
    participant: ParticipantId,
    kept: bool,
}

impl Outstanding {
    /// Counts up to `limit` for each participant.
    pub fn new(limit: usize) -> Self {
        Self {
            counts: Arc::default(),
            limit,
        }
    }

    /// Takes a place of the participant; `None` if it has none left.
    pub fn take(&self, participant: &ParticipantId) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(participant.clone()).or_default();
        (*count < self.limit).then(|| {
            *count += 1;
            Place {
                outstanding: self.clone(),
                participant: participant.clone(),
                kept: false,
            }
        })
    }

    /// Counts an exchange that the journal has from an earlier run.
    pub fn count(&self, participant: &ParticipantId) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(participant.clone()).or_default() += 1;
    }

    /// Gives back the place of an exchange that has left the journal.
    pub fn give_back(&self, participant: &ParticipantId) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(participant) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(participant);
            }
        }
    }
}

impl Place {
    /// Keeps the place until [`Outstanding::give_back`]: the exchange is in the journal now.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            self.outstanding.give_back(&self.participant);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_participant_has_a_bounded_number_of_places_and_gets_them_back() {
        let outstanding = Outstanding::new(MAX_OUTSTANDING);
        let [slow, other] = ["slow", "other"].map(|name| ParticipantId::new(name).unwrap());
        for _ in 1..MAX_OUTSTANDING {
            outstanding.take(&slow).unwrap().keep();
        }
        let last = outstanding.take(&slow).unwrap();
        assert!(outstanding.take(&slow).is_none());
        assert!(
            outstanding.take(&other).is_some(),
            "another participant is not concerned"
        );
        drop(last);
        outstanding.take(&slow).unwrap().keep();
        assert!(outstanding.take(&slow).is_none());
        outstanding.give_back(&slow);
        assert!(outstanding.take(&slow).is_some());
    }
}
