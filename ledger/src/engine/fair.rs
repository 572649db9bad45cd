//! Fairness between writers: turns in the queue of the sequencer, and shares of its room.
//!
//! * **Turns.** [`Turns`] takes one request of each waiting writer, then the next one of each. A writer that sends
//!   without pause therefore delays another one by a request and not by its whole backlog. Requests of one writer keep
//!   their order, which their chain needs.
//! * **Shares.** A writer with requests in the queue may fill three quarters of the room ([`Shares`]). The rest is for
//!   the others, so that a writer that is far ahead of the disk gets `429` before they do.
//!
//! A request with entries of several writers counts for the writer of its first entry. Only a writer can sign an entry
//! that the log does not have, so one writer cannot use up the turns of another.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Items that wait, by writer. `W` is the writer.
#[derive(Debug)]
pub(super) struct Turns<W, T> {
    waiting: HashMap<W, VecDeque<T>>,
    /// The writers with waiting items, each once, in the order of their turns.
    order: VecDeque<W>,
}

impl<W, T> Default for Turns<W, T> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<W: Clone + Eq + Hash, T> Turns<W, T> {
    /// Adds an item behind the writer's others.
    pub(super) fn add(&mut self, writer: W, item: T) {
        match self.waiting.entry(writer) {
            Entry::Occupied(mut waiting) => waiting.get_mut().push_back(item),
            Entry::Vacant(empty) => {
                self.order.push_back(empty.key().clone());
                empty.insert(VecDeque::from([item]));
            }
        }
    }

    /// Takes the next item, and ends its writer's turn.
    pub(super) fn take(&mut self) -> Option<T> {
        let writer = self.order.pop_front()?;
        let Entry::Occupied(mut waiting) = self.waiting.entry(writer) else {
            return None;
        };
        let item = waiting.get_mut().pop_front();
        if waiting.get().is_empty() {
            waiting.remove();
        } else {
            self.order.push_back(waiting.key().clone());
        }
        item
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

/// How much of the room each writer has. There is one item for each writer with requests in the queue.
#[derive(Debug)]
pub(super) struct Shares<W> {
    largest: usize,
    used: Mutex<HashMap<W, usize>>,
}

/// A writer's part of the room, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share<W: Eq + Hash> {
    shares: Arc<Shares<W>>,
    writer: W,
    weight: usize,
}

impl<W: Clone + Eq + Hash> Shares<W> {
    /// The shares of a queue with this room.
    pub(super) fn of(room: usize) -> Arc<Self> {
        Arc::new(Self {
            largest: room - room / 4,
            used: Mutex::default(),
        })
    }

    fn used(&self) -> MutexGuard<'_, HashMap<W, usize>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for a request; `None` if the writer has too much already. A writer's only request may be larger than
    /// a share.
    pub(super) fn take(self: &Arc<Self>, writer: W, weight: usize) -> Option<Share<W>> {
        let mut all = self.used();
        let used = all.get(&writer).copied().unwrap_or_default();
        if used > 0 && used + weight > self.largest {
            return None;
        }
        all.insert(writer.clone(), used + weight);
        drop(all);
        Some(Share {
            shares: self.clone(),
            writer,
            weight,
        })
    }
}

impl<W: Eq + Hash> Drop for Share<W> {
    fn drop(&mut self) {
        let mut all = self.shares.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = all.get_mut(&self.writer) {
            *used -= self.weight;
            if *used == 0 {
                all.remove(&self.writer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_writer_with_a_backlog_delays_another_by_one_request() {
        let mut turns = Turns::default();
        (0..1000).for_each(|number| turns.add("greedy", number));
        turns.add("modest", 0);
        assert_eq!((turns.take(), turns.take()), (Some(0), Some(0)));
        assert_eq!(turns.take(), Some(1));
    }

    proptest! {
        #[test]
        fn everything_is_taken_once_and_in_the_order_of_its_writer(writers in prop::collection::vec(0_u8..5, 0..200)) {
            let mut turns = Turns::default();
            for (number, writer) in writers.iter().enumerate() {
                turns.add(*writer, (*writer, number));
            }
            let taken: Vec<_> = std::iter::from_fn(|| turns.take()).collect();
            prop_assert!(turns.is_empty());
            prop_assert_eq!(taken.len(), writers.len());
            for writer in 0..5 {
                let of = |all: &[(u8, usize)]| -> Vec<usize> {
                    all.iter().filter(|(one, _)| *one == writer).map(|(_, number)| *number).collect()
                };
                let numbers = of(&taken);
                prop_assert!(numbers.is_sorted());
                prop_assert_eq!(numbers.len(), writers.iter().filter(|one| **one == writer).count());
            }
        }
    }

    #[test]
    fn a_writer_gets_three_quarters_of_the_room_and_gives_it_back() {
        let shares = Shares::of(8);
        let large = shares.take("greedy", 100).unwrap();
        assert!(shares.take("greedy", 1).is_none());
        let other = shares.take("modest", 1).unwrap();
        drop((large, other));
        assert!(shares.used().is_empty());
        let kept: Vec<_> = std::iter::from_fn(|| shares.take("greedy", 1)).collect();
        assert_eq!(kept.len(), 6);
    }
}
