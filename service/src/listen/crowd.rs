//! The connections of a listener, and which one is closed when there are too many.
//!
//! When all places are taken, a new connection takes the place of another one: of the peer with the most connections,
//! the connection that has waited longest for a complete request; one with a request in progress only if the peer has
//! no other. A peer that opens many connections therefore only closes its own. A peer is an IPv4 address or an IPv6
//! network of 64 bits, because one subscriber usually has such a network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

/// The address by which connections and bytes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer(u128);

impl Peer {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(address.to_bits() & !u128::from(u64::MAX)),
        }
    }
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug)]
struct Activity {
    /// Requests that a handler works on.
    requests: usize,
    /// When the connection was last of use: opened, at the begin or end of a request, or after a part of an answer.
    since: Instant,
}

struct Member {
    peer: Peer,
    activity: Activity,
    closed: CancellationToken,
}

#[derive(Default)]
struct Members {
    next: u64,
    by_number: HashMap<u64, Member>,
}

/// The open connections.
pub(super) struct Crowd {
    places: usize,
    members: Mutex<Members>,
}

impl Crowd {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            members: Mutex::default(),
        }
    }

    /// Takes a place, which may close another connection.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Place {
        let (peer, closed) = (Peer::of(address), CancellationToken::new());
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        while members.by_number.len() >= self.places.max(1) {
            let Some(number) = members.most_dispensable() else {
                break;
            };
            if let Some(member) = members.by_number.remove(&number) {
                member.closed.cancel();
                metrics::counter!("http_closed_connections_total", "reason" => "crowded").increment(1);
            }
        }
        let number = members.next;
        members.next += 1;
        let activity = Activity {
            requests: 0,
            since: Instant::now(),
        };
        let member = Member {
            peer,
            activity,
            closed: closed.clone(),
        };
        members.by_number.insert(number, member);
        drop(members);
        Place {
            crowd: self.clone(),
            number,
            peer,
            closed,
        }
    }
}

impl Members {
    fn most_dispensable(&self) -> Option<u64> {
        let mut counts: HashMap<Peer, usize> = HashMap::new();
        for member in self.by_number.values() {
            *counts.entry(member.peer).or_default() += 1;
        }
        let key = |member: &Member| {
            let count = counts.get(&member.peer).copied().unwrap_or_default();
            (
                std::cmp::Reverse(count),
                member.activity.requests > 0,
                member.activity.since,
            )
        };
        let least = self.by_number.iter().min_by_key(|(_, member)| key(member));
        least.map(|(number, _)| *number)
    }
}

/// A connection's place, left on drop.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    peer: Peer,
    closed: CancellationToken,
}

impl Place {
    /// The peer.
    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Returns once another connection has taken the place.
    pub(super) async fn taken(&self) {
        self.closed.cancelled().await;
    }

    /// Since when the connection has been of no use; `None` while a handler works on a request.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let members = self.crowd.members.lock().unwrap_or_else(PoisonError::into_inner);
        let activity = members.by_number.get(&self.number)?.activity;
        (activity.requests == 0).then_some(activity.since)
    }

    /// Records that the client has taken a part of an answer.
    pub(super) fn progress(&self) {
        self.update(|_| {});
    }

    /// A handler works on a request until the result is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Working {
        self.update(|requests| *requests += 1);
        Working(self.clone())
    }

    fn update(&self, change: impl FnOnce(&mut usize)) {
        let mut members = self.crowd.members.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(member) = members.by_number.get_mut(&self.number) {
            change(&mut member.activity.requests);
            member.activity.since = Instant::now();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut members = self.crowd.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.by_number.remove(&self.number);
    }
}

/// A request in progress.
pub(super) struct Working(Arc<Place>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.update(|requests| *requests -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(place: &Place) -> bool {
        place.closed.is_cancelled()
    }

    #[test]
    fn a_full_listener_closes_the_longest_waiting_connection_of_the_busiest_peer() {
        let crowd = Arc::new(Crowd::new(4));
        let (one, many) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let honest = crowd.enter(one);
        let working = Arc::new(crowd.enter(many));
        let _request = working.request();
        let (second, third) = (crowd.enter(many), crowd.enter(many));
        second.progress();
        let fourth = crowd.enter(many);
        assert!(taken(&third), "it has waited longer than the second");
        let fifth = crowd.enter(many);
        assert!(taken(&second));
        assert!(!taken(&working) && !taken(&fourth) && !taken(&fifth) && !taken(&honest));
    }

    #[test]
    fn connections_of_one_ipv6_network_are_one_peer() {
        let peer = |text: &str| text.parse().map(Peer::of).ok();
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:2"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_ne!(peer("10.0.0.1"), peer("10.0.0.2"));
    }
}
