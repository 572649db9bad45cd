//! Limits on the bodies of requests while they arrive.
//!
//! * **Time.** A body has the grace period, and a second more for each 64 KiB that have arrived.
//! * **Memory.** All bodies that a listener holds are within one [`Budget`], half of which one peer may use. Bytes
//!   count from their arrival until the request is answered, because handlers keep the body that long.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::crowd::Peer;
use crate::problem::Problem;

/// The least rate of a body after the grace period, in bytes a second.
const MIN_RATE: u64 = 64 << 10;

/// The bytes that the bodies of a listener may have.
pub(super) struct Budget {
    max: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    total: usize,
    by_peer: HashMap<Peer, usize>,
}

impl Budget {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            held: Mutex::default(),
        }
    }

    fn take(&self, peer: Peer, bytes: usize) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = held.by_peer.get(&peer).copied().unwrap_or_default() + bytes;
        if held.total + bytes > self.max || of_peer > self.max / 2 {
            return false;
        }
        held.total += bytes;
        held.by_peer.insert(peer, of_peer);
        true
    }

    fn give_back(&self, peer: Peer, bytes: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total -= bytes;
        if let Some(of_peer) = held.by_peer.get_mut(&peer) {
            *of_peer -= bytes;
            if *of_peer == 0 {
                held.by_peer.remove(&peer);
            }
        }
    }
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyRefused {
    #[error("the body arrives too slowly")]
    TooSlow,
    #[error("too many bytes are being received")]
    NoRoom,
}

impl BodyRefused {
    /// The answer to the request.
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::TooSlow => Problem {
                retry_after: Some(1),
                ..Problem::new(408, "too-slow", "The request did not arrive in time", self.to_string())
            },
            Self::NoRoom => Problem::unavailable("busy", 1, self.to_string()),
        }
    }
}

/// The share of one request in the budget, given back on drop.
pub(super) struct Share {
    budget: Arc<Budget>,
    peer: Peer,
    state: Mutex<(usize, Option<BodyRefused>)>,
}

impl Share {
    pub(super) fn new(budget: Arc<Budget>, peer: Peer) -> Arc<Self> {
        Arc::new(Self {
            budget,
            peer,
            state: Mutex::default(),
        })
    }

    /// Why the body was refused, if it was.
    pub(super) fn refused(&self) -> Option<BodyRefused> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn refuse(&self, reason: BodyRefused) -> BodyRefused {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(reason);
        reason
    }

    fn take(&self, bytes: usize) -> bool {
        let taken = self.budget.take(self.peer, bytes);
        if taken {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).0 += bytes;
        }
        taken
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (bytes, _) = *self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if bytes > 0 {
            self.budget.give_back(self.peer, bytes);
        }
    }
}

/// A request's body within the limits.
pub(super) struct LimitedBody {
    inner: Incoming,
    share: Arc<Share>,
    received: u64,
    start: Instant,
    grace: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl LimitedBody {
    pub(super) fn new(inner: Incoming, share: Arc<Share>, grace: Duration) -> Self {
        let start = Instant::now();
        Self {
            inner,
            share,
            received: 0,
            start,
            grace,
            deadline: Box::pin(tokio::time::sleep_until(start + grace)),
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) else {
            ready!(this.deadline.as_mut().poll(context));
            return Poll::Ready(Some(Err(this.share.refuse(BodyRefused::TooSlow).into())));
        };
        let Some(frame) = frame.transpose()? else {
            return Poll::Ready(None);
        };
        if let Some(data) = frame.data_ref() {
            if !this.share.take(data.len()) {
                return Poll::Ready(Some(Err(this.share.refuse(BodyRefused::NoRoom).into())));
            }
            this.received += data.len() as u64;
            let earned = Duration::from_secs(this.received / MIN_RATE);
            this.deadline.as_mut().reset(this.start + this.grace + earned);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::crowd::Crowd;
    use super::*;

    #[test]
    fn a_peer_may_use_half_of_the_budget_and_gives_it_back() {
        let budget = Arc::new(Budget::new(100));
        let crowd = Arc::new(Crowd::new(9));
        let peer = |last| crowd.enter([10, 0, 0, last].into()).peer();
        let first = Share::new(budget.clone(), peer(1));
        assert!(first.take(50));
        assert!(!Share::new(budget.clone(), peer(1)).take(1));
        let second = Share::new(budget.clone(), peer(2));
        assert!(second.take(50));
        assert!(!Share::new(budget.clone(), peer(3)).take(1));
        drop(first);
        assert!(Share::new(budget.clone(), peer(3)).take(50));
        drop(second);
        let held = budget.held.lock().unwrap();
        assert_eq!((held.total, held.by_peer.len()), (0, 0));
    }
}
