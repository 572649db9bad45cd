//! Counters of what single requests led to, too coarse to be joined with the public log.
//!
//! Everybody can see when an entry was added. A counter that grows by one at that moment says which process the entry
//! came from, and with a label how the exchange ended. Such events are therefore counted here first. They reach the
//! metrics every ten minutes and only in steps of ten; the rest waits. The metrics of events that need an operator at
//! once, such as alarms, are exact.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::shutdown::Shutdown;

/// How often events reach the metrics.
const PERIOD: Duration = Duration::from_secs(600);
/// The step by which a counter grows.
const STEP: u64 = 10;

static WAITING: Waiting = Waiting(Mutex::new(BTreeMap::new()));

/// Name of the counter, name of the label, value of the label.
type Event = (&'static str, &'static str, &'static str);

/// Counts one event with a label. Names and values are words of the program, so that their number is bounded.
pub fn count(counter: &'static str, label: &'static str, value: &'static str) {
    WAITING.add((counter, label, value));
}

/// Lets the events reach the metrics until shutdown is requested.
pub(crate) async fn publish(shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        for ((counter, label, value), number) in WAITING.take() {
            metrics::counter!(counter, label => value).increment(number);
        }
    }
}

/// The events that have not reached the metrics.
struct Waiting(Mutex<BTreeMap<Event, u64>>);

impl Waiting {
    fn add(&self, event: Event) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *events.entry(event).or_default() += 1;
    }

    /// Takes as many whole steps of each event as there are.
    fn take(&self) -> Vec<(Event, u64)> {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = events.iter_mut().filter_map(|(event, number)| {
            let taken = *number / STEP * STEP;
            *number -= taken;
            (taken > 0).then_some((*event, taken))
        });
        steps.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_in_steps_and_none_is_lost() {
        let waiting = Waiting(Mutex::new(BTreeMap::new()));
        let (one, other) = (("a_total", "result", "one"), ("a_total", "result", "other"));
        let add = |event, times| (0..times).for_each(|_| waiting.add(event));
        add(one, 9);
        assert_eq!(waiting.take(), []);
        add(one, 14);
        add(other, 10);
        assert_eq!(waiting.take(), [(one, 20), (other, 10)]);
        assert_eq!(waiting.take(), []);
        add(one, 7);
        assert_eq!(waiting.take(), [(one, 10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_changes_no_metric_before_the_period_has_passed() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let shutdown = Shutdown::default();
        let publishing = publish(shutdown.clone());
        tokio::pin!(publishing);
        (0..25).for_each(|_| count("coarse_sample_total", "result", "one"));
        let mut seen = Vec::new();
        for wait in [PERIOD - Duration::from_secs(1), Duration::from_secs(2)] {
            let passed = tokio::time::timeout(wait, &mut publishing).await;
            assert!(passed.is_err(), "publishing ended");
            seen.push(handle.render().contains("coarse_sample_total{result=\"one\"} 20"));
        }
        assert_eq!(seen, [false, true]);
    }
}
